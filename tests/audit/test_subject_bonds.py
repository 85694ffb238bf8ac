"""The row that leads from a student to the random id of the log is bound to the student: a change of it shows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from fewshot.audit.chain import Line
from fewshot.audit.log import append, latest, newest
from fewshot.audit.verify import verify
from fewshot.backup.make import make_backup
from fewshot.backup.restore import prepared, put_in_place
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, open_database
from fewshot.database.owner import LOCAL_TEACHER

DAY = date(2026, 11, 20)
NAMES = ["Asha", "Ben", "Chen"]
WORD = "five words that belong together"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> ClassStore:
    if request.param == "sqlite":
        return ClassStore(open_database())
    return ClassStore(Database(str(request.getfixturevalue("postgres").fresh())))


def taught(store: ClassStore, names: list[str] = NAMES) -> None:
    photos = [Accepted(name, "sad", name, "0f", *np.eye(4, dtype=np.float32)[:2], 90.0, 0.9, DAY) for name in names]
    store.keep("physics", photos, {name: Consent("she", DAY) for name in names}, Networks("n", "i", 4, 4))


def subjects(store: ClassStore) -> dict[str, str]:
    with store.database.read() as session:
        rows = session.execute(text("SELECT student_id, subject FROM audit_subjects ORDER BY student_id")).all()
    return dict(zip(NAMES, (subject for _, subject in rows), strict=False))


def lines(store: ClassStore) -> list[Line]:
    return latest(store.database, 100, LOCAL_TEACHER)


def spoil(store: ClassStore, *statements: str) -> tuple[str, ...]:
    with store.database.write() as session:
        for statement in statements:
            session.execute(text(statement))
    return verify(store.database).findings


NUMBER = "(SELECT min(id) + {} FROM students)"
FIRST, SECOND = NUMBER.format(0), NUMBER.format(1)
SWAPPED = [
    "UPDATE audit_subjects SET student_id = -student_id WHERE false",
    f"CREATE TABLE kept AS SELECT * FROM audit_subjects WHERE student_id IN ({FIRST}, {SECOND})",
    f"DELETE FROM audit_subjects WHERE student_id IN ({FIRST}, {SECOND})",
    f"INSERT INTO audit_subjects (student_id, subject) SELECT {FIRST} + {SECOND} - student_id, subject FROM kept",
]


def test_two_students_whose_rows_were_exchanged_are_found(store: ClassStore) -> None:
    taught(store)
    assert verify(store.database).findings == ()
    before = subjects(store)
    findings = spoil(store, *SWAPPED)
    assert len(findings) == 2 and all("about another student" in said for said in findings)
    assert {name for name in NAMES for said in findings if before[name] in said} == {"Asha", "Ben"}


def test_a_line_that_is_written_later_does_not_make_it_good(store: ClassStore) -> None:
    taught(store)
    spoil(store, *SWAPPED)
    store.withdraw_consent("physics", "Asha")
    back = [SWAPPED[2], SWAPPED[3].replace(f"{FIRST} + {SECOND} - student_id", "student_id")]
    findings = spoil(store, *back)
    assert any("about another student" in said for said in findings), "the line was written about the wrong one"


def test_a_row_that_was_deleted_or_replaced_is_found(store: ClassStore) -> None:
    taught(store)
    gone = subjects(store)["Ben"]
    (said,) = spoil(store, f"DELETE FROM audit_subjects WHERE subject = '{gone}'")
    assert gone in said and "lead to no student" in said
    store.withdraw_consent("physics", "Ben")  # gets a new random id
    (said,) = verify(store.database).findings
    assert gone in said
    (said,) = spoil(store, f"UPDATE audit_subjects SET subject = '{gone}' WHERE subject = '{subjects(store)['Asha']}'")[
        :1
    ]
    assert "lead to no student" in said or "about another student" in said


def test_students_who_were_removed_leave_a_whole_log(store: ClassStore) -> None:
    taught(store)
    store.remove_student("physics", "Asha")
    assert verify(store.database).findings == ()
    store.delete("physics")
    assert verify(store.database).findings == ()


def test_a_log_of_before_the_bonds_is_whole_and_its_next_line_is_bound(
    store: ClassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fewshot.audit.log.bond_of", lambda *_: "")
        taught(store)
    assert not any(line.bond for line in lines(store)) and verify(store.database).findings == ()
    store.withdraw_consent("physics", "Asha")
    assert lines(store)[-1].bond and verify(store.database).findings == ()
    assert "about another student" in spoil(store, *SWAPPED)[0]


def test_a_bond_tells_nothing_without_the_key_and_is_shown_to_nobody(store: ClassStore) -> None:
    taught(store)
    found = lines(store)
    bonds = {line.subject: line.bond for line in found}
    assert len(set(bonds.values())) == len(NAMES) and all(len(bond) == 32 for bond in bonds.values())
    assert all("bond" in json.loads(line.details) and "bond" not in line.told() for line in found)
    other = ClassStore(Database("sqlite://"))
    taught(other)
    assert not set(bonds.values()) & {line.bond for line in lines(other)}


def test_after_a_restore_students_who_came_later_are_no_fault(tmp_path: Path) -> None:
    store = ClassStore(open_database())
    taught(store, NAMES[:2])
    make_backup(tmp_path / "a.backup", WORD)
    taught(store)
    gone = subjects(store)["Chen"]
    with prepared(tmp_path / "a.backup", WORD) as ready:
        put_in_place(ready)
    store = ClassStore(open_database())
    assert [*store.roster("physics").students] == NAMES[:2]
    assert any(line.subject == gone for line in lines(store)) and verify(store.database).findings == ()
    assert "about another student" in spoil(store, *SWAPPED)[0]


def test_lost_keys_are_said_and_no_line_is_refused(fewshot_home: Path) -> None:
    store = ClassStore(open_database())
    taught(store)
    with store.database.write() as session:
        session.execute(text("UPDATE students SET key = 'abcdef0123456789' WHERE id = 1"))
    assert any("key of the student is not here" in said for said in verify(store.database).findings)
    with store.database.write() as session:
        append(session, "local", "corrected", student=1)
    assert lines(store)[-1].bond == ""


def test_a_log_that_was_put_back_to_an_earlier_signed_head_is_found_if_students_came_later(store: ClassStore) -> None:
    taught(store, NAMES[:2])
    head = newest(store.database)
    taught(store)
    (said,) = spoil(
        store,
        f"DELETE FROM audit WHERE number > {head.number}",
        f"UPDATE audit_head SET number = {head.number}, hash = '{head.hash}', signature = '{head.signature}'",
    )
    assert subjects(store)["Chen"] in said and "no line about it" in said
