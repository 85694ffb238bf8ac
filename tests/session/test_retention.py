"""Retention deletes for good: a first, a large and a doubtful deletion waits for a person."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from fewshot.app.daily import DAY, daily, once, start_daily
from fewshot.cli import app
from fewshot.errors import UsageError
from fewshot.session import lessons as lessons_module
from fewshot.session import settings as settings_module
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings

TODAY = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Clock:
    """What the program takes for the current time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = TODAY
        for module in (lessons_module, settings_module):
            monkeypatch.setattr(module, "now", lambda: self.now)

    def lesson(self, days_ago: float = 0.0) -> int:
        """A lesson that ended; its last sign of life is its own day."""
        from fewshot.database.lesson_tables import LessonRow

        store = LessonStore()
        number = store.create(started=self.now - timedelta(days=days_ago))
        store.end(number)
        with store.database.write() as session:
            session.get(LessonRow, number).heartbeat = self.now - timedelta(days=days_ago)
        return number


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def kept() -> int:
    return len(LessonStore().lessons())


def used(clock: Clock, days: int = 30) -> None:
    """Retention is in use, and has deleted before."""
    clock.lesson(days + 1)
    Settings().retention_days = days
    LessonStore().apply_retention()
    assert kept() == 0


def test_a_clock_months_ahead_deletes_nothing_however_often_it_starts(clock: Clock) -> None:
    used(clock)
    for ago in (0, 3, 8):
        clock.lesson(ago)
    clock.now += timedelta(days=200)
    for _ in range(3):
        clock.lesson()  # the lesson itself is a record with the wrong time
        assert "200 days" in LessonStore().held_back().text
    assert kept() == 6
    clock.now -= timedelta(days=200)
    assert LessonStore().held_back() is None
    LessonStore().apply_retention()
    assert kept() == 6


@pytest.mark.parametrize("ahead", [40, 200, 5000])
def test_also_without_a_note_of_the_last_use_the_newest_record_tells(clock: Clock, ahead: int) -> None:
    Settings().retention_days = 30
    for ago in (0, 5, 9):
        clock.lesson(ago)
    Settings().set("clock_seen", None)
    Settings().set("retention_used", True)
    clock.now += timedelta(days=ahead)
    LessonStore().create()
    LessonStore().create()
    assert kept() == 5 and "clock" in LessonStore().held_back().text


def test_the_first_deletion_of_an_earlier_versions_setting_waits(clock: Clock) -> None:
    clock.lesson(40)
    Settings().set("retention_days", 30)  # as an earlier version wrote it
    clock.lesson()
    assert kept() == 2 and "first deletion" in LessonStore().held_back().text
    assert LessonStore().delete_old() == 1 and kept() == 1 and LessonStore().held_back() is None


def test_choosing_the_days_agrees_to_what_is_too_old_then_and_to_no_more(clock: Clock) -> None:
    for ago in (31, 50, 25):
        clock.lesson(ago)
    Settings().retention_days = 30
    LessonStore().apply_retention()
    assert kept() == 1
    clock.now += timedelta(days=10)
    LessonStore().apply_retention()
    assert kept() == 0  # one lesson, after a few days: what retention is for


def test_saving_the_same_days_again_agrees_to_nothing(clock: Clock) -> None:
    used(clock)
    clock.lesson()
    clock.now += timedelta(days=200)
    Settings().retention_days = 30
    clock.lesson()
    assert kept() == 2


def test_unusually_many_wait(clock: Clock) -> None:
    used(clock)
    for ago in range(12):
        clock.lesson(20 + ago / 12)
    clock.lesson()
    clock.now += timedelta(days=20)
    LessonStore().apply_retention()
    assert kept() == 13 and "12 of 13" in LessonStore().held_back().text
    assert LessonStore().delete_old() == 12 and kept() == 1


@pytest.mark.parametrize("of_the_school", [False, True])
def test_what_was_agreed_while_the_clock_was_ahead_does_not_count_for_later_lessons(
    clock: Clock, of_the_school: bool
) -> None:
    used(clock)
    clock.lesson()
    clock.now += timedelta(days=200)
    assert LessonStore().delete_old() == 1  # somebody believed the clock
    if of_the_school:
        Settings().longest_retention = 30
    clock.now -= timedelta(days=200)
    for _ in range(3):
        clock.lesson()
    clock.now += timedelta(days=400)
    LessonStore().apply_retention()
    assert kept() == 3 and "400 days" in LessonStore().held_back().text


def test_day_by_day_nobody_is_bothered(clock: Clock) -> None:
    used(clock)
    for _ in range(90):
        clock.now += timedelta(days=1)
        clock.lesson()
        assert LessonStore().held_back() is None
    assert kept() in (30, 31)


def test_a_clock_that_went_back_and_forth_again_is_still_noticed(clock: Clock) -> None:
    used(clock)
    clock.now += timedelta(days=200)
    LessonStore().apply_retention()
    clock.now -= timedelta(days=200)
    clock.lesson()
    clock.now += timedelta(days=200)
    clock.lesson()
    assert kept() == 2


def test_the_command_says_what_waits_and_deletes_when_told(clock: Clock) -> None:
    clock.lesson(40)
    Settings().set("retention_days", 30)
    clock.lesson()
    done = CliRunner().invoke(app, ["lessons"])
    assert "fewshot lessons --delete-old" in done.output and "2026-10-11" in done.output
    assert "1 lesson deleted" in CliRunner().invoke(app, ["lessons", "--delete-old"]).output
    assert "No lesson is old enough" in CliRunner().invoke(app, ["lessons", "--delete-old"]).output


def test_without_a_number_of_days_nothing_is_deleted(clock: Clock) -> None:
    Settings().retention_days = None
    clock.lesson(4000)
    with pytest.raises(UsageError, match="Settings, Privacy"):
        LessonStore().delete_old()
    LessonStore().apply_retention()
    assert kept() == 1 and LessonStore().held_back() is None


def test_the_page_asks_and_one_click_deletes(clock: Clock) -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from streamlit.testing.v1 import AppTest

    clock.lesson(40)
    Settings().set("retention_days", 30)
    test = AppTest.from_string("from fewshot.app.views.settings import page\npage()", default_timeout=60).run()
    assert any("Nothing was deleted yet" in warning.value for warning in test.warning)
    next(button for button in test.button if "Delete these old lessons" in button.label).click().run()
    assert kept() == 0 and not test.exception


def test_without_a_choice_lessons_are_kept_for_90_days_and_the_first_deletion_asks(clock: Clock) -> None:
    clock.lesson(100)
    clock.lesson(80)
    once()
    assert kept() == 2 and "first deletion" in LessonStore().held_back().text
    assert LessonStore().delete_old() == 1
    clock.now += timedelta(days=15)
    once()
    assert kept() == 0


def test_who_keeps_all_lessons_loses_none(clock: Clock) -> None:
    Settings().retention_days = None
    clock.lesson(400)
    once()
    assert kept() == 1 and LessonStore().held_back() is None


def test_the_app_looks_once_a_day(clock: Clock) -> None:
    used(clock)
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        clock.lesson(0)
        clock.now += timedelta(days=20)
        return len(waited) == 3

    start_daily(wait).join(timeout=30)
    assert waited == [DAY] * 3 and kept() == 2  # the first of three lessons is deleted when it is 40 days old


def test_its_thread_ends_with_the_app() -> None:
    """Tests start many apps in one process; each left a thread that lived as long as the process."""
    with daily():
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "fewshot daily")
    thread.join(timeout=30)
    assert not thread.is_alive()
