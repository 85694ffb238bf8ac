"""Writes and opens one long lesson, and says how long that took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database.lesson_tables import LessonRow
from fewshot.session.lessons import LessonStore
from fewshot.session.seconds import PersonSecond, Second
from fewshot.session.writing import keep_seconds, student_ids
from fewshot.types import EMOTIONS

CLASS, STUDENTS, SECONDS = "physics", 49, 3000
"""147,000 readings."""

_AT_ONCE = 60


def lesson_cost(folder: Path, seconds: int = SECONDS) -> dict[str, float]:
    """Write a lesson into a new database, and open it.

    Args:
        folder: an empty one.
        seconds: length of the lesson.

    Returns:
        ``rows``; ``write_s`` and ``open_s``: seconds of processor time; ``megabytes`` of the database's files.
    """
    path = folder / "lesson.db"
    lessons = LessonStore.at(f"sqlite:///{path}")
    names = [f"student {number}" for number in range(STUDENTS)]
    store = ClassStore(lessons.database)
    store.create(CLASS)
    store.record_consents(CLASS, names, make_consent("the parents"))
    lesson = lessons.create(CLASS, students=names)
    draw = np.random.default_rng(0)
    content = [_second(number, names, draw) for number in range(seconds)]
    begun = time.process_time()
    for first in range(0, seconds, _AT_ONCE):
        with lessons.database.write() as session:
            row = session.get_one(LessonRow, lesson)
            students = student_ids(session, lesson)
            some = content[first : first + _AT_ONCE]
            keep_seconds(session, row, some, students=students, labels=EMOTIONS, length=float(first + len(some)))
    written = time.process_time() - begun
    lessons.end(lesson)
    lessons.database.close()
    lessons = LessonStore.at(f"sqlite:///{path}")
    begun = time.process_time()
    rows = len(lessons.load(lesson).readings)
    opened = time.process_time() - begun
    lessons.database.close()
    size = sum(part.stat().st_size for part in folder.glob("lesson.db*"))
    return {"rows": rows, "write_s": written, "open_s": opened, "megabytes": size / 1e6}


def _second(number: int, names: list[str], draw: np.random.Generator) -> Second:
    people = []
    for name in names:
        shown = draw.dirichlet(np.ones(len(EMOTIONS))).astype(np.float32)
        best = int(shown.argmax())
        people.append(PersonSecond(name, 25, 25, 25, best, float(shown[best]), shown))
    return Second(number, 25, tuple(people))


if __name__ == "__main__":
    if sys.argv[3] == "plain":
        from fewshot.research.bench.sealing import not_encrypted  # noqa: F401  # takes the encryption away
    print(json.dumps(lesson_cost(Path(sys.argv[1]), int(sys.argv[2]))))
