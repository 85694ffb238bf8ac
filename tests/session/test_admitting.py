"""A student who is enrolled while a lesson runs: recorded from then on, and not before."""

from __future__ import annotations

import pytest
from made_frames import class_with_consents, everybody

from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.takeover import LessonTaken

NAMES = ["asha", "ben"]


@pytest.fixture
def lessons() -> LessonStore:
    class_with_consents("physics", [*NAMES, "chidi"])
    return LessonStore()


def start(lessons: LessonStore, aggregate: bool = False) -> LessonRecorder:
    lesson = lessons.create("physics", students=NAMES, aggregate=aggregate)
    return LessonRecorder(lessons, lesson, NAMES, aggregate, threaded=False)


def seconds_of(lessons: LessonStore, lesson: int, student: str) -> dict[int, int]:
    """Second -> frames of a student."""
    loaded = lessons.load(lesson)
    if student not in loaded.students:
        return {}
    mine = loaded.readings.student == loaded.students.index(student)
    kept = loaded.readings
    return dict(zip(kept.second[mine].tolist(), kept.frames[mine].tolist(), strict=True))


def test_only_what_comes_after_the_admission_is_the_students(lessons: LessonStore) -> None:
    with start(lessons) as kept:
        for step in range(25):
            if step == 15:
                kept.admit("chidi")
            kept.write(everybody(step / 10, dict.fromkeys([*NAMES, "chidi"], "happy")))
            kept.flush()
    assert seconds_of(lessons, kept.lesson, "chidi") == {1: 5, 2: 5}
    assert seconds_of(lessons, kept.lesson, "asha") == {0: 10, 1: 10, 2: 5}


def test_who_is_not_in_the_class_is_not_admitted_and_twice_is_once(lessons: LessonStore) -> None:
    with start(lessons) as kept:
        for name in ("nobody", "chidi", "chidi", "asha"):
            kept.admit(name)
        kept.write(everybody(0.0, dict.fromkeys([*NAMES, "nobody", "chidi"], "happy")))
    assert lessons.load(kept.lesson).students == ["asha", "ben", "chidi"]
    assert seconds_of(lessons, kept.lesson, "nobody") == {}


@pytest.mark.parametrize("over", ["counts", "closed", "deleted"])
def test_a_lesson_that_must_not_change_stays_as_it_is(lessons: LessonStore, over: str) -> None:
    kept = start(lessons, aggregate=over == "counts")
    kept.write(everybody(0.0, dict.fromkeys(NAMES, "happy")))
    if over == "closed":
        kept.close()
    if over == "deleted":
        lessons.delete(kept.lesson)
    kept.admit("chidi")
    kept.close()
    if over != "deleted":
        assert "chidi" not in lessons.load(kept.lesson).students


def test_who_lost_the_lesson_admits_nobody(lessons: LessonStore) -> None:
    kept = start(lessons)
    other = LessonRecorder.resume(kept.lesson, kept.ticket, threaded=False)
    with pytest.raises(LessonTaken):
        kept.admit("chidi")
    other.close()
    assert "chidi" not in lessons.load(kept.lesson).students


def test_a_consent_that_ends_after_the_admission_ends_the_recording(lessons: LessonStore) -> None:
    with start(lessons) as kept:
        kept.admit("chidi")
        kept.write(everybody(0.0, {"chidi": "happy"}))
        kept.flush()
        ClassStore().withdraw_consent("physics", "chidi")
        kept.write(everybody(5.0, {"chidi": "happy"}))
    assert 5 not in seconds_of(lessons, kept.lesson, "chidi")
