"""What a running lesson asks of the store, and how little of it."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.app.memory import SoFar
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.session.lesson_rows import OpenedReadings
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

NAMES = ("Asha", "Ben")


class Asked(LessonStore):
    """Remembers from which second on somebody asked."""

    def __init__(self) -> None:
        super().__init__()
        self.since: list[int] = []

    def opened(self, lesson: int, since: int = 0) -> OpenedReadings:
        self.since.append(since)
        return super().opened(lesson, since)


@pytest.fixture
def notebook() -> LessonRecorder:
    store = ClassStore()
    store.create("7b")
    for name in NAMES:
        store.record_consent("7b", name, make_consent("the parents"))
    lessons = LessonStore()
    return LessonRecorder(lessons, lessons.create("7b", students=NAMES), NAMES, threaded=False)


def write(notebook: LessonRecorder, start: float, stop: float, emotion: str = "sad") -> None:
    labels = list(dict.fromkeys([*EMOTIONS, emotion]))
    shares = {word: 0.7 if word == emotion else 0.3 / (len(labels) - 1) for word in labels}
    for step in range(int(2 * start), int(2 * stop)):
        readings = tuple(
            Reading(track, (0, 0, 9, 9), 0.9, name, 0.8, emotion, 0.7, shares) for track, name in enumerate(NAMES)
        )
        notebook.write(FrameResult("x", step, step / 2, 64, 48, readings))
    notebook.flush()


def same(lesson: int, seen: OpenedReadings) -> bool:
    whole = LessonStore().load(lesson)
    columns = ("second", "student", "emotion", "frames", "readable", "probabilities")
    rows = all(np.array_equal(getattr(seen.readings, name), getattr(whole.readings, name)) for name in columns)
    return rows and (seen.students, seen.labels) == (whole.students, whole.labels)


def test_every_second_is_fetched_once_and_nothing_is_lost(notebook: LessonRecorder) -> None:
    asked = Asked()
    kept = SoFar(asked, notebook.lesson)
    assert len(kept.read().readings) == 0
    for start, stop in ((0, 3.5), (3.5, 4.0), (4.0, 10.0), (10.0, 10.0)):
        write(notebook, start, stop)
        assert same(notebook.lesson, kept.read()), f"after {stop} seconds"
    assert asked.since == [0, 0, 3, 3, 9]
    assert len(kept.read().readings) == 20


def test_what_changes_the_indices_is_read_anew(notebook: LessonRecorder) -> None:
    asked = Asked()
    kept = SoFar(asked, notebook.lesson)
    write(notebook, 0, 3)
    kept.read()
    write(notebook, 3, 5, emotion="confused")
    assert same(notebook.lesson, kept.read()) and asked.since == [0, 2, 0]
    ClassStore().remove_student("7b", "Asha")
    assert same(notebook.lesson, kept.read()) and len(kept.read().readings) == 5
