# ruff: noqa: F811
"""Backups of a server where an administrator or another program set or added something, and with readable rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.orm import Session
from test_server_backups import (  # noqa: F401
    PASSPHRASE,
    backup,
    everything,
    fewshot,
    quick,
    restore,
    school,
    secret,
    students,
    url,
    use,
)

from fewshot.access.safety import Safety
from fewshot.backup import make, on_server
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import engine, open_database, server_copy
from fewshot.database.place import SERVER
from fewshot.database.plain_log import NOTE, note_in, take_note, what_is_left
from fewshot.errors import StoreError
from fewshot.research.bench.survival.openable import contents
from fewshot.research.bench.survival.postgres import Server
from fewshot.session.lessons import LessonStore
from tests.vault.plain_store import unseal
from tests.vault.sealed_class import NAMES, fill, marks_of


def run(url: str, *statements: str) -> None:
    """As the administrator, who needs not know fewshot."""
    there = create_engine(url, isolation_level="AUTOCOMMIT")
    with there.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    there.dispose()


def anew() -> None:
    for database in engine._opened.values():
        database.close()
    engine._opened.clear()


def plain_school() -> None:
    """As an earlier version left it."""
    fill(open_database()).close()
    unseal(open_database())
    anew()


@pytest.mark.parametrize(
    "settings",
    [
        ["datestyle = 'German, DMY'", "extra_float_digits = -10", "timezone = 'Asia/Kolkata'", "bytea_output = escape"],
        ["default_transaction_isolation = serializable", "statement_timeout = '5s'"],
        ["idle_in_transaction_session_timeout = '1s'", "client_encoding = latin1"],
    ],
)
def test_what_an_administrator_set_changes_nothing(url: str, settings: list[str], tmp_path: Path, secret: Path) -> None:
    run(url, *(f"ALTER DATABASE {make_url(url).database} SET {setting}" for setting in settings))
    fill(open_database()).close()
    before = everything(open_database())
    file = backup(tmp_path / "b", secret)
    assert restore(file, secret) == 0
    assert everything(open_database()) == before


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding(
    url: str, encoding: str, tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{make_url(url).database}_other"
    run(url, f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    use(make_url(url).set(database=name).render_as_string(hide_password=False), monkeypatch)
    fill(open_database()).close()
    before = everything(open_database())
    assert restore(backup(tmp_path / "b", secret), secret) == 0
    assert everything(open_database()) == before


def test_a_new_database_beside_tables_of_another_program(
    url: str, tmp_path: Path, secret: Path, fewshot_home: Path
) -> None:
    run(url, "CREATE TABLE theirs (id int)", "INSERT INTO theirs VALUES (7)")
    fill(open_database()).close()
    assert not list(fewshot_home.glob("before-*"))
    assert restore(backup(tmp_path / "b", secret), secret) == 0
    with open_database().read() as session:
        assert session.scalar(text("SELECT id FROM theirs")) == 7


@pytest.mark.parametrize(
    ("added", "named"),
    [
        (["CREATE TABLE theirs (of int REFERENCES students ON DELETE CASCADE)", "INSERT INTO theirs VALUES (1)"],
         "the table theirs, which refers to students"),
        (["ALTER TABLE lessons ADD COLUMN room int DEFAULT 5"], "the column room of lessons"),
        (["CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
          "CREATE TRIGGER no BEFORE INSERT ON readings FOR EACH ROW EXECUTE FUNCTION no()"],
         "the rows of the table readings"),
        (["CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
          "CREATE TRIGGER no BEFORE DELETE ON photos FOR EACH ROW EXECUTE FUNCTION no()"],
         "the rows of the table photos"),
    ],
)  # fmt: skip
def test_what_somebody_added_is_neither_lost_nor_loses_rows(
    school: ClassStore,
    url: str,
    added: list[str],
    named: str,
    tmp_path: Path,
    secret: Path,
    fewshot_home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(url, *added)
    file = backup(tmp_path / "b", secret)
    school.record_consent("physics", "Later", make_consent("a parent"))
    before = everything(open_database())
    assert restore(file, secret) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert named in said and "Nothing was changed" in said
    assert everything(open_database()) == before
    assert not list(fewshot_home.glob("before-*"))
    if "theirs" in named:
        with open_database().read() as session:
            assert session.scalar(text("SELECT count(*) FROM theirs")) == 1


def test_rows_that_a_policy_hides_are_not_missing_from_a_backup(
    school: ClassStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"role_{make_url(url).database}"
    run(
        url,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "ALTER TABLE markers ENABLE ROW LEVEL SECURITY",
    )
    try:
        use(make_url(url).set(username=role).render_as_string(hide_password=False), monkeypatch)
        with pytest.raises(StoreError, match="row-level security"):
            make.make_backup(tmp_path / "b", PASSPHRASE)
        assert not (tmp_path / "b").exists()
        anew()
    finally:
        run(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_right_that_is_missing_is_named(
    school: ClassStore,
    url: str,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, role = backup(tmp_path / "b", secret), f"reader_{make_url(url).database}"
    anew()
    run(url, f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        use(make_url(url).set(username=role).render_as_string(hide_password=False), monkeypatch)
        assert restore(file, secret) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert "may not do that" in said and "permission denied" in said and "free space" not in said
        anew()
    finally:
        run(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_value_that_the_server_cannot_store_is_named(
    tmp_path: Path, secret: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(open_database()).close()
    with open_database().write() as session:
        session.execute(text("UPDATE owners SET name = 'a' || char(0) || 'b', row_check = NULL"))
    file = backup(tmp_path / "b", secret)
    use(postgres.fresh(), monkeypatch)
    assert restore(file, secret) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the table owners" in said and "Nothing was changed" in said


def test_no_room_for_the_copy_is_not_called_damage_of_the_server(
    school: ClassStore,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = backup(tmp_path / "b", secret)
    real = server_copy.make_engine

    def small(*args: Any) -> Any:
        made = real(*args)
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=60"))
        return made

    monkeypatch.setattr(server_copy, "make_engine", small)
    with pytest.raises(StoreError, match=r"No backup was written.*full"):
        make.make_backup(tmp_path / "c", PASSPHRASE)
    assert restore(file, secret) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "not changed" in said and "full" in said and "damaged" not in said
    assert students() == set(NAMES)


def test_a_password_among_the_options_of_an_address_is_not_shown(
    school: ClassStore,
    url: str,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    anew()
    use(f"{url}&password=geheim12", monkeypatch)
    assert restore(backup(tmp_path / "b", secret), secret) == 0
    said = capsys.readouterr()
    assert "The backup was restored to postgresql" in said.out
    assert "geheim12" not in said.out + said.err


def test_commands_work_by_copy_and_paste(
    school: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup(tmp_path / "my school", secret)
    assert f"fewshot restore '{tmp_path / 'my school'}'" in capsys.readouterr().out
    assert fewshot("forget", "physics", NAMES[0], "--yes", "--receipt", tmp_path / "receipt") == 0
    assert f"fewshot backup '{tmp_path / 'my school'}'" in capsys.readouterr().out


@pytest.mark.parametrize("reached", [True, False])
def test_a_connection_that_is_lost_at_the_end_loses_no_copy(
    school: ClassStore,
    reached: bool,
    tmp_path: Path,
    secret: Path,
    fewshot_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows then whether the server has replaced the rows, so the copy of before must be there."""
    file = backup(tmp_path / "b", secret)
    school.record_consent("physics", "Later", make_consent("a parent"))
    real = on_server.copy_in

    def and_lose(copy: Path, connection: Connection) -> None:
        real(copy, connection)

        def lose(session: Session) -> None:
            if reached:
                session.connection().connection.driver_connection.commit()  # type: ignore[union-attr]
            raise StoreError("The connection was lost.")

        event.listen(Session, "before_commit", lose)
        monkeypatch.setattr(on_server, "_lose", lose, raising=False)

    monkeypatch.setattr(on_server, "copy_in", and_lose)
    try:
        assert restore(file, secret) != 0
    finally:
        event.remove(Session, "before_commit", on_server._lose)  # type: ignore[attr-defined]
        monkeypatch.setattr(on_server, "copy_in", real)
    assert students() == ({*NAMES} if reached else {*NAMES, "Later"})
    (aside,) = fewshot_home.glob(f"before-restore-*-{SERVER}.db")
    assert restore(aside, secret) == 0
    assert students() == {*NAMES, "Later"}


@pytest.mark.parametrize("there", [True, False])
def test_classes_of_an_earlier_version_keep_their_names(
    there: bool, tmp_path: Path, secret: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        use(postgres.fresh(), monkeypatch)
    plain_school()
    assert restore(backup(tmp_path / "b", secret), secret) == 0
    assert ClassStore().names() == ["physics"]
    assert students() == set(NAMES)
    assert [lesson.title for lesson in LessonStore().lessons()] == [f"{NAMES[0]} speaks"]


@pytest.mark.parametrize("in_place", [True, False])
def test_readable_copies_are_deleted_when_a_server_is_encrypted(
    url: str, in_place: bool, tmp_path: Path, secret: Path, fewshot_home: Path
) -> None:
    plain_school()
    assert restore(backup(tmp_path / "b", secret), secret) == 0
    (copy,) = fewshot_home.glob(f"before-restore-*-{SERVER}.db")
    assert any(mark in copy.read_bytes() for mark in marks_of(NAMES[0])), "it would be found"
    (fewshot_home / f"{copy.name}.part").write_bytes(copy.read_bytes())
    (fewshot_home / f"{copy.name}.part-journal").write_bytes(copy.read_bytes())
    Safety.here().seal(in_place=in_place)
    assert not list(fewshot_home.glob("before-*"))
    found = b"\0".join(contents([fewshot_home]))
    assert not [mark for name in NAMES for mark in marks_of(name) if mark in found]
    anew()


def test_readable_rows_that_a_restore_replaced_are_gone_or_named(
    url: str, postgres: Server, tmp_path: Path, secret: Path, fewshot_home: Path
) -> None:
    marks = [mark for name in NAMES for mark in marks_of(name)]

    def readable() -> list[bytes]:
        with open_database().apart() as connection:
            number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
            connection.execute(text("CHECKPOINT"))
        anew()
        found = b"\0".join(contents([postgres.data / "base" / str(number)]))
        return [mark for mark in marks if mark in found]

    plain_school()
    plain = backup(tmp_path / "plain", secret)
    Safety.here().seal()
    anew()
    sealed = backup(tmp_path / "sealed", secret)
    assert not readable()
    assert restore(plain, secret) == 0
    assert readable() and Safety.here().plain_rows()
    with open_database().read() as session:
        before = note_in(session)
    assert restore(sealed, secret) == 0
    assert not Safety.here().plain_rows()
    assert not readable(), "the old rows are not in the files of the tables any more"
    with open_database().read() as session:
        after = note_in(session)
    assert before is not None and after is not None
    assert after["file"] > before["file"], "and it is named that the log holds them, up to now"
    assert what_is_left(open_database())
    anew()


def test_a_restore_keeps_what_is_known_of_the_log_of_this_server(
    school: ClassStore, tmp_path: Path, secret: Path
) -> None:
    """A backup brings the note of another time."""
    file = backup(tmp_path / "b", secret)
    with open_database().write() as session:
        take_note(session)
    anew()
    assert what_is_left(open_database())
    with open_database().read() as session:
        note = note_in(session)
    assert restore(file, secret) == 0
    with open_database().read() as session:
        assert note_in(session) == note
    again = backup(tmp_path / "again", secret)
    Safety.here().archives_deleted()
    with open_database().write() as session:
        session.execute(text("DELETE FROM settings WHERE key = :key"), {"key": NOTE})
    assert restore(again, secret) == 0
    assert not what_is_left(open_database()), "it was recycled and the archives were deleted"
    anew()
