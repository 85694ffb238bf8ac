"""The audit log: every change of it shows, no line holds a name, and it never stands in the way of an action."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from made_home import made_home
from sqlalchemy import text

from fewshot.accounts.logins import Logins
from fewshot.audit import key
from fewshot.audit.chain import Line
from fewshot.audit.log import append, latest, read_head
from fewshot.audit.verify import verify
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn, unlearn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, open_database
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["Zebulon", "आशा कुमारी"]
DAY = date(2026, 11, 20)


def lines(database: Database | None = None) -> list[Line]:
    return latest(database or open_database(), 1000, LOCAL_TEACHER)


def told(found: list[Line]) -> list[tuple[str, str]]:
    """Event, and what it was about."""
    return [(line.event, str(line.told().get("what", ""))) for line in found]


def taught(database: Database | None = None) -> ClassStore:
    """Two students with two photos each, and a lesson with a correction."""
    store = ClassStore(database)
    photos = [
        Accepted(name, f"mood of {name}", f"{name} {number}", "0f", *np.eye(4, dtype=np.float32)[:2], 90.0, 0.9, DAY)
        for name in NAMES
        for number in range(2)
    ]
    consents = {name: Consent(f"mother of {name}", DAY) for name in NAMES}
    store.keep("class of Zebulon", photos, consents, Networks("n", "i", 4, 4))
    lessons = LessonStore(store.database)
    lesson = lessons.create("class of Zebulon", title="Zebulon fell", students=NAMES)
    lessons.end(lesson)
    learn(store.database, "class of Zebulon", lesson, "Zebulon", 1.0, "Zebulon's mood", np.ones(4), "happy")
    return store


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of ``taught``."""
    return made_home(tmp_path_factory, taught)


@pytest.fixture(autouse=True)
def copied(made: Path, fewshot_home: Path) -> None:
    shutil.copytree(made, fewshot_home)


def nobody_removed(store: ClassStore) -> None:
    with pytest.raises(UsageError):
        store.remove_student("class of Zebulon", "nobody")


ACTIONS: dict[str, tuple[Callable[[ClassStore], object], list[tuple[str, str]]]] = {
    "enroll again": (lambda s: taught(s.database), [("corrected", "")]),
    "consent": (
        lambda s: s.record_consent("class of Zebulon", "Zebulon", Consent("father", DAY)),
        [("consent recorded", "")],
    ),
    "the same consent": (
        lambda s: s.record_consent("class of Zebulon", "Zebulon", Consent("mother of Zebulon", DAY)),
        [],
    ),
    "withdraw": (lambda s: s.withdraw_consent("class of Zebulon", "Zebulon"), [("consent withdrawn", "")]),
    "name": (lambda s: s.rename_student("class of Zebulon", "Zebulon", "Abe"), [("corrected", "name")]),
    "label": (
        lambda s: s.label_photo("class of Zebulon", "Zebulon", "Zebulon 1", "sad"),
        [("corrected", "label of a photo")],
    ),
    "undo": (lambda s: [unlearn(s.database, "class of Zebulon", 1) for _ in range(2)], [("corrected", "")]),
    "photo": (
        lambda s: [s.remove_photo("class of Zebulon", "Zebulon", "Zebulon 1") for _ in range(2)],
        [("erased", "photo")],
    ),
    "lesson": (lambda s: LessonStore(s.database).delete(1), [("erased", "lesson")]),
    "old lessons": (
        lambda s: LessonStore(s.database).delete_older_than(-1),
        [("erased", "old lesson")],
    ),
    "student": (lambda s: s.remove_student("class of Zebulon", "Zebulon"), [("erased", "student")]),
    "class": (lambda s: s.delete("class of Zebulon"), [("erased", "student")] * 2 + [("erased", "class")]),
    "nobody": (nobody_removed, []),
    "login": (
        lambda s: [Logins(s.database).begin(LOCAL_TEACHER), Logins(s.database).end(1), Logins(s.database).end(1)],
        [("logged in", ""), ("logged out", "")],
    ),
}


@pytest.mark.parametrize("what", ACTIONS)
def test_an_action_leaves_its_line_and_no_name(what: str) -> None:
    act, expected = ACTIONS[what]
    store = ClassStore()
    before = lines()
    assert [event for event, _ in told(before)] == ["consent recorded"] * 2 + ["enrolled"] * 2 + ["corrected"]
    act(store)
    added = lines()[len(before) :]
    assert told(added) == expected
    assert {line.owner for line in added} <= {LOCAL_TEACHER.id}
    everything = repr(lines())
    assert not any(word in everything for name in NAMES for word in (name, *name.split()))
    assert verify(store.database).findings == ()


def test_lines_of_one_student_share_a_random_id_that_goes_with_the_student() -> None:
    store = ClassStore()
    subjects = {line.subject for line in lines()}
    assert len(subjects) == 2 and all(len(subject) == 32 for subject in subjects)
    with store.database.read() as session:
        assert len(session.execute(text("SELECT * FROM audit_subjects")).all()) == 2
    store.remove_student("class of Zebulon", "Zebulon")
    gone = lines()[-1].subject
    assert gone in subjects
    with store.database.read() as session:
        rows = session.execute(text("SELECT subject FROM audit_subjects")).scalars().all()
    assert rows == [*(subjects - {gone})]
    store.record_consent("class of Zebulon", "Zebulon", Consent("mother", DAY))
    assert lines()[-1].subject not in subjects, "who comes back is somebody new to the log"


def test_seconds_of_a_lesson_are_not_logged() -> None:
    store = ClassStore()
    before = len(lines())
    with LessonRecorder.start("class of Zebulon", NAMES, database=store.database) as recorder:
        for second in range(5):
            face = Reading(0, (0, 0, 1, 1), 0.9, "Zebulon", 0.5, "happy", 0.9, dict.fromkeys(EMOTIONS, 1 / 7))
            recorder.write(FrameResult("cam", second, float(second), 64, 48, (face,)))
    assert len(lines()) == before


def test_an_action_that_fails_leaves_no_line() -> None:
    database = open_database()
    before = lines()
    with pytest.raises(RuntimeError), database.write() as session:
        append(session, "local", "erased", student=1)
        raise RuntimeError
    assert lines() == before and verify(database).findings == ()


def test_teachers_see_their_own_lines_and_administrators_all() -> None:
    database = open_database()
    owners = Owners(database)
    anna, chief = owners.add("Anna"), owners.add("Chief", "administrator")
    ClassStore(database, anna).create("physics")
    ClassStore(database, anna).record_consent("physics", "Ben", Consent("he", DAY))
    assert [(line.owner, line.event) for line in latest(database, 9, anna)] == [(anna.id, "consent recorded")]
    assert latest(database, 99, chief) == latest(database, 99, LOCAL_TEACHER) == lines()
    assert latest(database, 2, chief) == lines()[-2:]


def spoilt(statements: list[str]) -> tuple[str, ...]:
    """What the check finds after somebody has changed the file of a log of five lines."""
    database = open_database()
    assert verify(database).findings == () and verify(database).count == 5
    with sqlite3.connect(database.path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return verify(database).findings


COLUMNS = {
    "at": "'2020-01-01T00:00:00.000000+00:00'", "owner": "'somebody'", "event": "'looked'", "subject": "''",
    "details": "'{}'",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_changed_column_is_found(column: str, number: int) -> None:
    (said,) = spoilt([f"UPDATE audit SET {column} = {COLUMNS[column]} WHERE number = {number}"])
    assert said == f"Line {number} was changed after it was written."


@pytest.mark.parametrize("value", ["NULL", "7", "x'ff00'", "'{\"a\": NaN, '"])
def test_a_column_of_another_kind_is_found(value: str) -> None:
    if value == "NULL":
        with pytest.raises(sqlite3.IntegrityError):
            spoilt(["UPDATE audit SET details = NULL WHERE number = 3"])
    else:
        assert "Line 3 was changed" in spoilt([f"UPDATE audit SET details = {value} WHERE number = 3"])[0]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM audit WHERE number = 1"], "Line 1 is missing."),
        (["DELETE FROM audit WHERE number IN (2, 3)"], "Lines 2 to 3 are missing."),
        (["DELETE FROM audit WHERE number = 5"], "Line 5 is missing at the end."),
        (["DELETE FROM audit WHERE number > 2"], "Lines 3 to 5 are missing at the end."),
        (["DELETE FROM audit"], "Lines 1 to 5 are missing at the end."),
        (["DELETE FROM audit_head"], "The signed head of the log is missing"),
        (["DELETE FROM audit", "UPDATE audit_head SET number = 0"], "The signature of the head is wrong"),
        (
            [
                "DELETE FROM audit WHERE number > 2",
                "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)",
            ],
            "The signature of the head is wrong",
        ),
        (
            ["UPDATE audit SET number = 99 WHERE number = 2", "UPDATE audit SET number = 2 WHERE number = 4",
             "UPDATE audit SET number = 4 WHERE number = 99"],
            "Line 2 holds what was written as line 4: the lines were put in another order.",
        ),
        (
            ["DELETE FROM audit WHERE number = 3", "UPDATE audit SET number = number - 1 WHERE number > 3"],
            "Line 3 does not follow the line before it.",
        ),
        (
            ["INSERT INTO audit SELECT 6, at, owner, event, subject, details, hash, hash FROM audit WHERE number = 5"],
            "there are lines up to 6: they were added unsigned",
        ),
        (["UPDATE audit_head SET signature = ''"], "The head of the log is not signed"),
        (["UPDATE audit_head SET signature = 'zz', key = 'é'"], "The signature of the head is wrong"),
    ],
)  # fmt: skip
def test_missing_moved_and_added_lines_are_named(statements: list[str], said: str) -> None:
    assert any(said in found for found in spoilt(statements)), said


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM audit WHERE number > 3"],
        ["DELETE FROM audit WHERE number = 2"],
        ["DELETE FROM audit_head"],
        ["UPDATE audit_head SET signature = ''"],
        ["DELETE FROM audit WHERE number > 3",
         "UPDATE audit_head SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3)"],
        ["UPDATE audit SET event = 'looked' WHERE number = 5"],
        ["INSERT INTO audit SELECT 6, at, owner, event, subject, details, hash, hash FROM audit WHERE number = 5"],
    ],
)  # fmt: skip
def test_lines_that_are_written_later_do_not_make_it_good(statements: list[str]) -> None:
    assert spoilt(statements)
    database = open_database()
    for name in NAMES:
        ClassStore(database).withdraw_consent("class of Zebulon", name)
    assert verify(database).findings


def rewritten(connection: sqlite3.Connection) -> None:
    """Change line 3 and compute all hashes anew, as somebody can who has read this program, but has no key."""
    before = ""
    rows = connection.execute("SELECT * FROM audit ORDER BY number").fetchall()
    for row in rows:
        line = Line(*row)
        event = "looked" if line.number == 3 else line.event
        line = Line(line.number, line.at, line.owner, event, line.subject, line.details, before or line.previous, "")
        before = line.right_hash()
        connection.execute(
            "UPDATE audit SET event = ?, previous = ?, hash = ? WHERE number = ?",
            [event, line.previous, before, line.number],
        )


def test_a_chain_that_was_computed_anew_is_not_the_signed_one_and_a_kept_head_tells_where() -> None:
    store = ClassStore()
    with store.database.read() as session:
        head = read_head(session)
    kept = f"{head.number} {head.hash} {head.key} {head.signature}"
    with sqlite3.connect(store.database.path) as connection:
        rewritten(connection)
    connection.close()
    (said,) = verify(store.database).findings
    assert "Line 5 is not the line that was signed" in said
    assert any("Line 5 is not the line of the kept head" in found for found in verify(store.database, kept).findings)


def test_a_kept_head_finds_a_log_that_was_emptied_or_put_back() -> None:
    store = ClassStore()
    path = store.database.path
    before = path.read_bytes()
    store.withdraw_consent("class of Zebulon", "Zebulon")
    with store.database.read() as session:
        head = read_head(session)
    kept = f"{head.number} {head.hash} {head.key} {head.signature}"
    assert verify(store.database, kept).findings == ()
    path.write_bytes(before)
    assert verify(store.database).findings == (), "a backup is a whole log"
    assert verify(store.database, kept).findings == ("The kept head names line 6, which is missing now.",)
    for wrong in ("x", "6", f"6 {head.hash} {head.key} {'0' * 128}", f"7 {kept[2:]}", "-1 a b c"):
        with pytest.raises(UsageError):
            verify(store.database, wrong)


def test_the_key_is_made_once_for_its_owner_only(fewshot_home: Path) -> None:
    path = fewshot_home / key.FILE
    content = path.read_text()
    assert len(bytes.fromhex(content)) == 32
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ClassStore().withdraw_consent("class of Zebulon", "Zebulon")
    assert path.read_text() == content
    assert [found.name for found in fewshot_home.iterdir() if "audit" in found.name] == [key.FILE]


@pytest.mark.parametrize("content", [None, "", "zz", "00", "é" * 64])
def test_without_its_key_the_log_says_so_and_no_removal_waits(content: str | None, fewshot_home: Path) -> None:
    store = ClassStore()
    path = fewshot_home / key.FILE
    right = path.read_text()
    path.unlink()
    if content is None:
        assert any("key of this computer is missing" in said for said in verify(store.database).findings)
    else:
        path.write_text(content, encoding="utf-8")
        assert any("cannot be used" in said and str(path) in said for said in verify(store.database).findings)
    store.remove_student("class of Zebulon", "Zebulon")
    assert "Zebulon" not in store.roster("class of Zebulon").students
    assert lines()[-1].told()["what"] == "student"
    assert verify(store.database).findings
    path.write_text(right)
    store.withdraw_consent("class of Zebulon", NAMES[1])
    assert any("notes" in said for said in verify(store.database).findings), "the time without the key stays visible"


def test_a_log_without_lines_is_whole(fewshot_home: Path) -> None:
    (fewshot_home / key.FILE).unlink()
    empty = Database("sqlite://")
    assert verify(empty).findings == () and verify(empty).count == 0
    assert not (fewshot_home / key.FILE).exists(), "to check makes no key"


APPENDER = """
import sys
from fewshot.audit.log import append
from fewshot.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    with database.write(alone=sys.argv[2] == "alone") as session:
        append(session, "local", "looked", details={"program": int(sys.argv[3]), "lesson": number})
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "postgres by its row lock"])
def test_two_programs_that_append_at_once_make_one_chain(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if kind != "sqlite":
        url = str(request.getfixturevalue("postgres").fresh())
    turn, database, pipe = "row" if "row" in kind else "alone", Database(url), subprocess.PIPE
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, url, turn, str(number)],
            stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        for program in programs:
            assert program.stdout.readline() == "ready\n"
        for program in programs:
            program.stdin.write("go\n")
            program.stdin.flush()
        done = [program.communicate(timeout=120) for program in programs]
    finally:
        for program in programs:
            program.kill()
    assert [program.returncode for program in programs] == [0, 0], done
    found = latest(database, 100, LOCAL_TEACHER)
    assert [line.number for line in found] == list(range(1, 61))
    assert sorted((json.loads(line.details)["program"], json.loads(line.details)["lesson"]) for line in found) == [
        (program, lesson) for program in range(2) for lesson in range(30)
    ]
    checked = verify(database)
    assert checked.count == 60 and checked.findings == ()
