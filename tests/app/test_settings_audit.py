"""Settings, Audit log: who sees which lines, the filters, the check in words, and a log of 100,000 lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from sqlalchemy import Engine, event, insert, text
from streamlit.testing.v1 import AppTest

from fewshot.access.audit_page import AT_ONCE, AuditLog
from fewshot.audit.chain import FIRST, next_line
from fewshot.audit.log import append
from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database import open_database
from fewshot.database.audit_tables import AuditHeadRow, AuditRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.translation import LANGUAGE

SCRIPT = "from fewshot.app.views.settings_audit import show_audit\nshow_audit()\n"


@pytest.fixture(autouse=True)
def ready(empty_database: Any, fewshot_home: Any) -> None:
    empty_database(fewshot_home)


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch) -> Owner:
    """A teacher with an account, who looks at the page."""
    owner = Owners().add("Anna")
    monkeypatch.setattr("fewshot.app.views.settings_audit.visitor", lambda: owner)
    return owner


def some_lines() -> None:
    store = ClassStore()
    store.create("physics")
    for student in ("asha", "ben"):
        store.record_consent("physics", student, make_consent("her mother"))
    store.remove_student("physics", "ben", True)


def page(**state: Any) -> AppTest:
    test = AppTest.from_string(SCRIPT, default_timeout=60)
    for key, value in state.items():
        test.session_state[key] = value
    test.run()
    assert not test.exception and not test.error
    return test


def shown(test: AppTest) -> list[dict[str, str]]:
    return test.dataframe[0].value.to_dict("records")  # type: ignore[no-any-return]


def click(test: AppTest, label: str) -> AppTest:
    return next(found for found in test.button if label in found.label).click().run()


def many(count: int) -> None:
    """A long log, written at once."""
    rows, before = [], FIRST
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1, count + 1):
        at = (start + timedelta(seconds=number)).isoformat(timespec="microseconds")
        line = next_line(number, at, "local", "looked", "", {"live": False, "lesson": number}, before)
        before = line.hash
        rows.append({
            "number": number, "at": at, "owner": "local", "event": "looked", "subject": "", "details": line.details,
            "previous": line.previous, "hash": line.hash,
        })  # fmt: skip
    with open_database().write() as session:
        session.execute(insert(AuditRow), rows)
        head = session.get_one(AuditHeadRow, 1)
        head.number, head.hash = count, before
        append(session, "local", "logged in")  # notes that the head was not signed


def test_an_empty_log_is_a_sentence_and_no_table() -> None:
    test = page()
    assert any("no lines yet" in found.value for found in test.info)
    assert not test.dataframe and "The log is whole: 0 lines" in test.success[0].value
    assert any("no signed line" in found.value for found in test.caption)


def test_newest_first_without_names_and_an_erased_student_is_said_to_be_removed() -> None:
    some_lines()
    rows = shown(page())
    assert [row["What"] for row in rows] == ["erased", "consent recorded", "consent recorded"]
    assert "asha" not in str(rows) and "ben" not in str(rows)
    subjects = [row["Student (random number)"] for row in rows]
    assert subjects[0] == subjects[1] and subjects[0].endswith("(removed)") and "removed" not in subjects[2]
    assert rows[0]["Details"] == "class 1, student" and rows[0]["Account"] == "local"


def test_kinds_and_days_are_filters() -> None:
    some_lines()
    test = page()
    test.multiselect[0].set_value(["erased"]).run()
    assert [row["What"] for row in shown(test)] == ["erased"]
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    test.date_input[0].set_value(tomorrow).run()
    assert not test.dataframe and any("No line is of these" in found.value for found in test.info)
    test.date_input[0].set_value(tomorrow - timedelta(days=2))
    test.date_input[1].set_value(tomorrow).run()
    assert len(shown(test)) == 1
    test.date_input[1].set_value(tomorrow - timedelta(days=2)).run()
    assert not test.dataframe


def test_the_head_is_saved_and_checks_the_log_later() -> None:
    some_lines()
    head, number = AuditLog.here(LOCAL_TEACHER).head()
    assert number == 3 and head.startswith("3 ") and len(head.split()) == 4
    test = page()
    assert test.get("download_button")
    test.text_input[0].set_value(head)
    assert "whole" in click(test, "Check with this head").success[-1].value
    test.text_input[0].set_value("something else")
    assert "is not a head" in click(test, "Check with this head").error[0].value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE audit SET owner = 'x' WHERE number = 2", "Line 2"),
        ("DELETE FROM audit WHERE number = 3", "missing"),
        ("DELETE FROM audit_head", "head of the log is missing"),
    ],
)
def test_a_broken_chain_is_said_in_words(change: str, said: str) -> None:
    some_lines()
    with open_database().write() as session:
        session.execute(text(change))
    test = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not test.exception and "is not as it was written" in test.error[0].value
    assert any(said in found.value for found in test.markdown) and len(shown(test)) >= 2
    assert not test.success


def test_a_teacher_sees_only_their_own_lines_and_checks_nothing(anna: Owner) -> None:
    some_lines()
    test = page()
    assert not test.dataframe and not test.button and any("no lines yet" in found.value for found in test.info)
    ClassStore(owner=anna).create("art")
    ClassStore(owner=anna).record_consent("art", "ben", make_consent("his mother"))
    test = page()
    rows = shown(test)
    assert [row["Account"] for row in rows] == ["Anna"] and not test.button and not test.success
    assert test.header[0].value == "What was done with your account"
    for refused in (AuditLog.here(anna).check, AuditLog.here(anna).head):
        with pytest.raises(UsageError, match="administrator"):
            refused()


def test_an_administrator_sees_all_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    some_lines()
    head = Owners().add("Head", "administrator")
    monkeypatch.setattr("fewshot.app.views.settings_audit.visitor", lambda: head)
    test = page()
    assert len(shown(test)) == 3 and "whole" in test.success[0].value


def test_a_log_of_100000_lines_is_read_by_the_page_and_checked_on_a_click() -> None:
    many(100_000)
    asked: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(" ".join(statement.split()))

    try:
        test = page(**{"audit page": 1000})
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    rows = shown(test)
    assert len(rows) == AT_ONCE and rows[0]["Line"] == str(100_002 - 999 * AT_ONCE)
    assert any("Lines 49951 to 50000 of 100002" in found.value for found in test.caption)
    of_the_log = [statement for statement in asked if " FROM audit " in f"{statement} "]
    assert len(of_the_log) >= 2 and all(" LIMIT " in one or "count(" in one for one in of_the_log)
    assert not test.success and any("was not checked on this visit" in found.value for found in test.caption)
    test = AppTest.from_string(SCRIPT, default_timeout=120).run()
    click(test, "Check the log")
    assert "100002 lines" in (test.success or test.error)[0].value


@pytest.mark.parametrize("language", ["de", "hi", "es", "fr"])
def test_every_word_of_it_is_translated(language: str) -> None:
    some_lines()
    english = AuditLog.here(LOCAL_TEACHER).page().rows
    before = LANGUAGE.set(language)
    try:
        rows = AuditLog.here(LOCAL_TEACHER).page().rows
    finally:
        LANGUAGE.reset(before)
    assert [list(row) for row in rows] != [list(row) for row in english]
    assert not {"erased", "consent recorded"} & {word for row in rows for word in row.values()}
