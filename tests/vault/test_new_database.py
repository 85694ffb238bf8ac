"""A readable database on a PostgreSQL server is replaced by an encrypted one: checked, killed, refused."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from plain_store import rows_of, unseal
from sealed_class import NAMES, fill, marks_of, told
from sqlalchemy import make_url, text
from typer.testing import CliRunner

from fewshot.access.forget import forget
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands import doctor
from fewshot.database import Database, new_database, plain_log
from fewshot.database.lesson_tables import MarkerRow
from fewshot.database.new_database import seal_into_new
from fewshot.database.place import SERVER
from fewshot.database.plain_log import archives_deleted, close_note, what_is_left
from fewshot.database.seal_all import check_all, plain_rows
from fewshot.errors import StoreError, UsageError
from fewshot.research.bench.survival.openable import contents
from fewshot.research.bench.survival.postgres import Server, missing, server
from fewshot.session.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("other_sealer.py")
ALL = "FEWSHOT_TEST_ALL_KILLS"
"""Set this variable to kill before every statement; without it a seeded sample is tried."""
ROLE = "school"
_numbers = count(1)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of this file, whose log holds nothing else."""
    if why := missing():
        pytest.skip(why)
    with server() as found:
        with admin(found) as run:
            run(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            run("ALTER SYSTEM SET wal_recycle = off")  # the log is deleted, and not renamed
            run("ALTER SYSTEM SET min_wal_size = '32MB'")
            run("SELECT pg_reload_conf()")
        yield found


@contextmanager
def admin(found: Server, name: str = "postgres") -> Iterator[Callable[..., list[Any]]]:
    """Runs statements as an administrator of the server."""
    import psycopg

    address = make_url(found.fresh()) if not hasattr(found, "known") else found.known  # type: ignore[attr-defined]
    found.known = address  # type: ignore[attr-defined]
    with psycopg.connect(
        host=str(address.query["host"]), user=address.username, dbname=name, autocommit=True
    ) as connection:

        def run(statement: str) -> list[Any]:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def readable(running: Server) -> tuple[str, dict[str, Any], dict[str, int]]:
    """Address of a database as an earlier version left it, owned by a role that is no administrator; what it says."""
    name = f"readable{next(_numbers)}"
    with admin(running) as run:
        run(f"CREATE DATABASE {name} OWNER {ROLE}")
    url = f"postgresql+psycopg://{ROLE}@/{name}?host={running.known.query['host']}"  # type: ignore[attr-defined]
    database = Database(url)
    fill(database).close()
    Settings(database).set("ice", {"servers": "turn:turn.example.org", "username": "Zebulon"})
    before = {student: told(database, student) for student in NAMES}
    with database.write() as session:  # the numbers of deleted rows are not used again
        session.execute(text("INSERT INTO lessons SELECT (jsonb_populate_record(l, '{\"id\": 7}')).* FROM lessons l"))
        session.execute(text("SELECT setval('lessons_id_seq', 7)"))
        session.execute(text("DELETE FROM lessons WHERE id = 7"))
    unseal(database)
    assert plain_rows(database) == 6
    rows = rows_of(database)
    database.close()
    return url, before, rows


def is_right(database: Database, before: dict[str, Any], rows: dict[str, int]) -> None:
    """The database says what it said, has no other rows, and is the only one of its name."""
    assert {student: told(database, student) for student in NAMES} == before
    found = rows_of(database)
    may_differ = {"settings": 0, "audit": 0}  # the command leaves a line in the log
    assert {**found, **may_differ} == {**rows, **may_differ}
    assert found["audit"] - rows["audit"] in (0, 1)
    assert Settings(database).get("ice") == {"servers": "turn:turn.example.org", "username": "Zebulon"}
    with database.apart() as connection:
        left = connection.scalars(text("SELECT datname FROM pg_database WHERE datname ~ '_fewshot_'")).all()
    assert left == []


def is_sealed(database: Database) -> bool:
    state = check_all(database)
    assert state.lost == 0
    return plain_rows(database) == 0 and state.plain == 0


def folder_of(running: Server, database: Database) -> Path:
    """The folder with the files of its tables, as they are on the disk now."""
    with admin(running) as run:
        run("CHECKPOINT")
    with database.apart() as connection:
        number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return running.data / "base" / str(number)


def marks_in(*places: Path) -> set[bytes]:
    content = b"\0".join(contents(places))
    return {mark for name in NAMES for mark in marks_of(name) if mark in content}


def test_the_name_is_in_the_old_files_and_not_in_the_new_ones(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, before, rows = readable
    database = Database(url)
    old = folder_of(running, database)
    assert {name.encode() for name in NAMES} <= marks_in(old)  # the positive control
    steps: list[tuple[int, int]] = []
    seal_into_new(database, lambda done, total: steps.append((done, total)))
    new = folder_of(running, database)
    assert new != old and not old.exists() and marks_in(new) == set()
    assert is_sealed(database)
    is_right(database, before, rows)
    assert steps[0][0] == 0 and steps[-1][0] == steps[-1][1] == sum(rows.values())
    with database.write() as session:
        found = session.get_one(MarkerRow, 1)
        assert found.text == f"{NAMES[0]} asks"
        session.add(MarkerRow(lesson_id=1, second=1.0, text="later"))
        session.flush()
        assert session.execute(text("SELECT nextval('lessons_id_seq')")).scalar_one() == 8
    ClassStore(database).remove_student("physics", NAMES[0])  # what is erased now has a key that can be dropped
    assert sorted(ClassStore(Database(url)).roster("physics").students) == sorted(NAMES[1:])


def test_the_log_is_named_until_the_server_has_used_it_again(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, *_ = readable
    monkeypatch.setenv("FEWSHOT_DATABASE", url)
    database = Database(url)
    log = running.data / "pg_wal"
    with admin(running) as run:  # else a server that has done little deletes it with the next checkpoint
        run("ALTER SYSTEM SET wal_keep_size = '256MB'")
        run("SELECT pg_reload_conf()")
    seal_into_new(database)
    assert {name.encode() for name in NAMES} <= marks_in(log)  # the positive control
    (said,) = what_is_left(database)
    assert "may not see" in said and f"GRANT pg_monitor TO {ROLE};" in said
    assert doctor._encryption().state == "warning" and "GRANT" in doctor._encryption().text
    with admin(running) as run:
        run(f"GRANT pg_monitor TO {ROLE}")
        (said,) = what_is_left(database)
        assert "file of the server's write-ahead log" in said or "files of the server's write-ahead log" in said
        assert said in " ".join(forget(ClassStore(database), "physics", NAMES[2]).receipt["out_of_reach"])
        assert "write-ahead log" in " ".join(CliRunner().invoke(app, ["key", "check"]).output.split())
        archives_deleted(database)
        assert what_is_left(database) == [said]  # what can be seen is named as long as it is there
        run("ALTER SYSTEM RESET wal_keep_size")
        run("SELECT pg_reload_conf()")
        for _ in range(40):
            run("SELECT pg_logical_emit_message(false, 'test', repeat('0', 17000000))")
            run("CHECKPOINT")
            if not what_is_left(database):
                break
            time.sleep(0.25)
        assert what_is_left(database) == [] and marks_in(log) == set()
        assert "write-ahead log" not in CliRunner().invoke(app, ["key", "check"]).output
        run(f"REVOKE pg_monitor FROM {ROLE}")
    assert len(what_is_left(database)) == 1  # again it cannot be seen
    archives_deleted(database)
    assert what_is_left(database) == []


def test_archives_are_named_until_somebody_says_that_they_are_deleted(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, *_ = readable
    database = Database(url)
    with admin(running) as run:
        run("SELECT pg_create_physical_replication_slot('copy')")
        try:
            seal_into_new(database)
        finally:
            run("SELECT pg_drop_replication_slot('copy')")
    said = what_is_left(database)
    assert len(said) == 2 and "Archives of this log up to 0000000100" in said[1]
    archives_deleted(database)
    assert what_is_left(database) == []


def test_a_note_that_was_not_closed_is_closed_by_the_next_start(
    readable: tuple[str, dict[str, Any], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    fewshot_home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, *_ = readable
    database = Database(url)
    monkeypatch.setattr(plain_log, "close_note", lambda _database: None)
    seal_into_new(database)
    assert len(what_is_left(database)) == 2 and "up to ?" in what_is_left(database)[1]
    copy = fewshot_home / f"before-0009-to-0010-20261130-101112-000001-{SERVER}.db"
    copy.mkdir()  # something that cannot be deleted
    close_note(Database(url))
    assert "up to ?" in what_is_left(database)[1], "a copy that is readable is left, so the note stays"
    assert "could not be deleted" in caplog.text
    copy.rmdir()
    copy.write_bytes(b"readable")
    close_note(Database(url))
    assert len(what_is_left(database)) == 1
    assert not copy.exists()


def killed(url: str, last: int) -> list[str]:
    """The statements of a program that ends before the statement ``last``."""
    words = [sys.executable, str(PROGRAM), url, str(last)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env=environment)
    assert done.returncode in (0, 9), done.stderr
    return done.stdout.splitlines()


def started(url: str) -> Database:
    """The next start; the server may still be busy with the last statement of the killed program."""
    until = time.monotonic() + 20
    while True:
        try:
            return Database(url)
        except StoreError as error:
            assert "Another program is encrypting" in str(error) and time.monotonic() < until
            time.sleep(0.1)


def test_killed_before_any_statement_it_is_one_whole_database(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, before, rows = readable
    template = str(make_url(url).database)

    def again() -> str:
        name = f"{template}_{next(_numbers)}"
        with admin(running) as run:
            run(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")
        return url.replace(f"/{template}?", f"/{name}?")

    steps = killed(again(), 10_000)
    turns = [
        number
        for number, step in enumerate(steps)
        if step.split()[0] in ("ALTER", "COMMENT", "BEGIN", "COMMIT", "DROP")
    ]
    assert {"CREATE DATABASE", "COMMIT", "DROP DATABASE IF"} <= {
        " ".join(s.split()[:n]) for s in steps for n in (1, 2, 3)
    }
    chosen = list(range(len(steps)))
    if not os.environ.get(ALL):
        first = next(n for n, step in enumerate(steps) if step.startswith("CREATE DATABASE"))
        renamed = [n for n in turns if "RENAME" in steps[n]]
        after = [n + 1 for n in turns if steps[n].startswith(("COMMIT", "DROP"))]
        closed = next(n for n in turns if "ALLOW_CONNECTIONS false" in steps[n])
        drawn = random.Random(18).sample(range(closed + 2, renamed[0] - 2), 2)
        chosen = sorted({first, first + 1, closed, closed + 1, *drawn, renamed[0], renamed[1], *after} - {len(steps)})
    seen = set()
    for last in chosen:
        here = again()
        assert len(killed(here, last)) == last, steps[last]
        database = started(here)
        is_right(database, before, rows)
        done = is_sealed(database)
        seen.add(done)
        assert done == (last > max(n for n in turns if steps[n].startswith("COMMIT"))), f"killed before {steps[last]}"
        if last == chosen[3]:
            seal_into_new(database)  # begins again
            assert is_sealed(database)
            is_right(database, before, rows)
        assert bool(what_is_left(database)) == is_sealed(database)
        database.close()
    assert seen == {True, False}


def test_a_connected_reader_is_named_and_nothing_is_changed(
    readable: tuple[str, dict[str, Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, before, rows = readable
    monkeypatch.setattr(new_database, "LEAVING", 0.5)
    database, reader = Database(url), Database(url + "&application_name=a-report")
    with reader.read() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(UsageError, match=r"1 of a-report from the server itself\. Nothing was changed"):
            seal_into_new(database)
    is_right(reader, before, rows)
    assert plain_rows(reader) == 6
    reader.close()
    seal_into_new(database)
    assert is_sealed(database)


def test_nobody_comes_in_while_it_is_written_and_a_start_says_why(
    readable: tuple[str, dict[str, Any], dict[str, int]],
) -> None:
    url, before, rows = readable
    said: list[str] = []

    def during(done: int, _total: int) -> None:
        if done and not said:
            with pytest.raises(StoreError) as refused:
                Database(url)
            said.append(str(refused.value))
            with pytest.raises(UsageError) as twice:  # from this program, which is in it already
                seal_into_new(database)
            said.append(str(twice.value))

    database = Database(url)
    seal_into_new(database, during)
    assert "Another program is encrypting" in said[0] and "Another program encrypts" in said[1]
    is_right(Database(url), before, rows)


@pytest.mark.parametrize("fault", ["a row is lost", "a value is another", "it cannot be written"])
def test_a_copy_that_is_not_the_same_is_not_used(
    fault: str, readable: tuple[str, dict[str, Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, before, rows = readable
    right = new_database.copy_sealed

    def wrong(there: Any, new: Database, progress: Any) -> None:
        right(there, new, progress)
        if fault == "it cannot be written":
            raise KeyboardInterrupt
        with new.write() as session:
            if fault == "a row is lost":
                session.delete(session.get_one(MarkerRow, 1))
            else:
                session.get_one(MarkerRow, 1).text = "another"

    monkeypatch.setattr(new_database, "copy_sealed", wrong)
    database = Database(url)
    words = {"a row is lost": "markers has 3 rows, and 2", "a value is another": "a row of markers is not the same"}
    with pytest.raises((StoreError, KeyboardInterrupt), match=words.get(fault)):
        seal_into_new(database)
    is_right(Database(url), before, rows)
    assert plain_rows(database) == 6


def test_without_the_right_it_says_which_statement_gives_it(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, before, rows = readable
    database = Database(url)
    name = make_url(url).database
    with admin(running) as run:
        run(f"ALTER ROLE {ROLE} NOCREATEDB")
        run(f"ALTER DATABASE {name} OWNER TO fewshot")
        try:
            with pytest.raises(UsageError) as refused:
                seal_into_new(database)
            is_right(database, before, rows)
            database.close()
            needed = str(refused.value).partition("runs: ")[2].split(";")[:2]
            assert needed == [f"ALTER ROLE {ROLE} CREATEDB", f' ALTER DATABASE "{name}" OWNER TO {ROLE}']
            assert "--in-place" in refused.value.hint and "--in-place" not in refused.value.text
            for statement in needed:
                run(statement)
        finally:
            run(f"ALTER ROLE {ROLE} CREATEDB")
    seal_into_new(database)
    assert is_sealed(database)


def test_what_fewshot_did_not_make_is_never_dropped(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, before, rows = readable
    name = str(make_url(url).database)
    database = Database(url)
    with admin(running, name) as run:
        run("CREATE TABLE grades (grade int)")
    with pytest.raises(UsageError, match="did not make: the table grades"):
        seal_into_new(database)
    with admin(running, name) as run:
        run("DROP TABLE grades")
        run(f"CREATE DATABASE {name}_fewshot_new")
    with pytest.raises(UsageError, match="fewshot did not make it"):
        seal_into_new(database)
    with admin(running) as run:
        run(f"DROP DATABASE {name}_fewshot_new")
    is_right(database, before, rows)
    database.close()
    seal_into_new(database)
    assert is_sealed(database)


def test_rights_settings_and_the_comment_are_carried_over(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]]
) -> None:
    url, *_ = readable
    name = str(make_url(url).database)
    with admin(running, name) as run:
        run("DROP ROLE IF EXISTS backups")
        run("CREATE ROLE backups LOGIN")
        run("GRANT SELECT ON students TO backups")
        run(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
        run(f"GRANT CONNECT ON DATABASE {name} TO backups")
        run(f"ALTER DATABASE {name} SET work_mem = '5MB'")
        run(f"COMMENT ON DATABASE {name} IS 'of the school''s classes, 100%'")
        run(f"ALTER DATABASE {name} CONNECTION LIMIT 17")
    seal_into_new(Database(url))
    with admin(running, name) as run:
        assert run("SHOW work_mem") == [("5MB",)]
        ((limit, comment, may, public),) = run(
            "SELECT datconnlimit, shobj_description(oid, 'pg_database'), "
            "has_database_privilege('backups', oid, 'CONNECT'), "
            "(SELECT count(*) FROM aclexplode(datacl) WHERE grantee = 0 AND privilege_type = 'CONNECT') "
            f"FROM pg_database WHERE datname = '{name}'"
        )
        assert (limit, comment, may, public) == (17, "of the school's classes, 100%", True, 0)
        assert run("SELECT has_table_privilege('backups', 'students', 'SELECT')") == [(True,)]


def test_in_place_only_if_asked_for_and_said_to_be_weaker(
    running: Server, readable: tuple[str, dict[str, Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, before, rows = readable
    monkeypatch.setenv("FEWSHOT_DATABASE", url)
    database = Database(url)
    old = folder_of(running, database)
    database.close()
    done = CliRunner().invoke(app, ["key", "seal", "--in-place", "--yes"])
    assert (
        done.exit_code == 0
        and "In place is weaker" in done.output
        and "write-ahead log" in " ".join(done.output.split())
    )
    database = Database(url)
    assert folder_of(running, database) == old and is_sealed(database) and marks_in(old) == set()
    is_right(database, before, rows)


def test_the_command_says_what_it_will_do_and_asks(
    readable: tuple[str, dict[str, Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, before, rows = readable
    monkeypatch.setenv("FEWSHOT_DATABASE", url)
    done = CliRunner().invoke(app, ["key", "seal"])
    said = " ".join(done.output.split())
    assert done.exit_code == 2 and "no way back" in said and "new database on the server" in said
    database = Database(url)
    assert plain_rows(database) == 6
    database.close()
    done = CliRunner().invoke(app, ["key", "seal", "--yes"])
    assert done.exit_code == 0 and "Everything is encrypted now" in done.output, done.output
    is_right(Database(url), before, rows)
    assert "encrypted already" in CliRunner().invoke(app, ["key", "seal"]).output


def test_a_file_is_not_sealed_in_place(fewshot_home: Path) -> None:
    done = CliRunner().invoke(app, ["key", "seal", "--in-place"])
    assert done.exit_code == 2 and "PostgreSQL" in done.output
