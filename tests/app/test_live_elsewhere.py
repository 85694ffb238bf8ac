"""The page Live shows a lesson that another process runs, from the store."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.app.lesson_room import ROOM
from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database import open_database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import FrameResult, Reading
from tests.app.test_pages import page, words

PEOPLE = ("Asha", "Ben")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.app.warm._load", lambda: None)
    ROOM._lessons.clear()


def lesson(
    owner: Owner = LOCAL_TEACHER, aggregate: bool = False, people: tuple[str, ...] = PEOPLE, alive: bool = True
) -> LessonRecorder:
    """A lesson of which this process's pages know nothing, with everybody happy in its last second."""
    store = ClassStore(owner=owner)
    if not store.exists("physics"):
        store.create("physics")
    store.record_consents("physics", people, make_consent("the parents"))
    lessons = LessonStore(owner=owner)
    number = lessons.create("physics", source="room 3", students=people, aggregate=aggregate)
    recorder = LessonRecorder(lessons, number, people, aggregate, threaded=alive)
    for second in (0.2, 1.2, 2.2):
        readings = tuple(
            Reading(index, (0.0, 0.0, 9.0, 9.0), 0.9, name, 0.9, "happy", 0.8, {"happy": 0.8, "sad": 0.2})
            for index, name in enumerate(people)
        )
        recorder.write(FrameResult("room 3", int(second), second, 100, 100, readings))
    recorder.flush()
    return recorder


def tables(test) -> str:  # type: ignore[no-untyped-def]
    return " ".join(frame.value.to_string() for frame in test.dataframe)


def test_a_lesson_of_another_process_is_offered_and_shown() -> None:
    recorder = lesson()
    test = page("live")
    assert "Running in another program" in words(test) and not test.dataframe
    (button,) = [each for each in test.button if "physics" in each.label and "·" in each.label]
    test = button.click().run()
    assert not test.exception and all(word in tables(test) for word in ("Asha", "happy", "clear"))
    assert "%" not in tables(test)
    recorder.close()
    assert "Running in another program" not in words(page("live"))


def test_nobody_sees_the_lesson_of_another_teacher_or_one_that_is_dead() -> None:
    lesson(Owners().add("Anna"))
    assert "Running in another program" not in words(page("live"))
    recorder = lesson(alive=False)  # it gives no sign of life
    with open_database().write() as session:
        row = session.get(LessonRow, recorder.lesson)
        assert row is not None
        row.heartbeat, row.owner = now() - timedelta(minutes=5), "elsewhere|1|1"
    assert "Running in another program" not in words(page("live"))


@pytest.mark.parametrize(("people", "shown"), [(PEOPLE, False), (("A1", "B1", "C1", "D1", "E1", "F1"), True)])
def test_of_a_lesson_of_counts_nobody_is_named(people: tuple[str, ...], shown: bool) -> None:
    lesson(aggregate=True, people=people)
    test = page("live")
    test = next(each for each in test.button if "physics" in each.label and "·" in each.label).click().run()
    assert bool(test.dataframe) == shown
    assert not any(name in tables(test) + words(test) for name in people)


def test_a_teacher_who_wants_counts_only_sees_no_names() -> None:
    lesson()
    Settings().aggregate_only = True
    test = page("live")
    test = next(each for each in test.button if "physics" in each.label and "·" in each.label).click().run()
    assert "Asha" not in tables(test) + words(test)
    assert LessonStore().lessons()[0].state == "running"
