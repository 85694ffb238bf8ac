"""What a program does while it is killed. It tells through a pipe what is finished: nothing of that may be lost."""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Callable
from datetime import date

import numpy as np

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import make_consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

CLASS = "physics"
PUPILS = tuple(f"pupil {number}" for number in range(5))
"""Students of every lesson."""
PHOTOS = 5
"""Photos of every student who is enrolled."""
RATE = 25
"""Frames per second of a lesson."""
NETWORKS = Networks("made-up", "made-up", 16, 16)

TOLD = struct.Struct("<i")
Tell = Callable[[int], object]


def set_up(lessons: LessonStore) -> None:
    """A class whose lessons can be recorded."""
    store = ClassStore(lessons.database)
    store.create(CLASS)
    store.record_consents(CLASS, PUPILS, make_consent("the parents"))


def frame(index: int) -> FrameResult:
    """A frame of a lesson: every student looks happy."""
    share = 0.2 / (len(EMOTIONS) - 1)
    shown = {label: 0.8 if label == "happy" else share for label in EMOTIONS}
    box = (0.0, 0.0, 10.0, 10.0)
    people = tuple(Reading(n, box, 0.9, name, 0.6, "happy", 0.8, shown) for n, name in enumerate(PUPILS))
    return FrameResult("camera", index, index / RATE, 640, 480, people)


def photos(student: str, count: int = PHOTOS, first: int = 0) -> list[Accepted]:
    """Photos of a student as they are stored. Their vectors follow from the name, so that they can be compared."""
    found = []
    for number in range(first, first + count):
        sha256 = hashlib.sha256(f"{student} {number}".encode()).hexdigest()
        numbers = np.random.default_rng(int(sha256[:8], 16)).standard_normal((2, 16)).astype(np.float32)
        numbers /= np.linalg.norm(numbers, axis=1, keepdims=True)
        found.append(
            Accepted(
                student, EMOTIONS[number % 7], sha256, sha256[:16], numbers[0], numbers[1], 90.0, 50.0, date.today()
            )
        )
    return found


def record(lessons: LessonStore, name: str, tell: Tell) -> None:
    """Record a lesson at the speed of life. Tells its number, then how many frames came."""
    kept = LessonRecorder.start(CLASS, PUPILS, title=name, database=lessons.database)
    tell(kept.lesson)
    begun = time.monotonic()
    for index in range(3600 * RATE):
        kept.write(frame(index))
        tell(index + 1)
        time.sleep(max(0.0, begun + (index + 1) / RATE - time.monotonic()))


def enroll(lessons: LessonStore, name: str, tell: Tell) -> None:
    """Enroll one student after the other. Tells how many are enrolled."""
    store, consent = ClassStore(lessons.database), make_consent("the parents")
    for number in range(10_000):
        student = f"{name} {number}"
        store.keep(CLASS, photos(student), {student: consent}, NETWORKS)
        tell(number + 1)


def remove(lessons: LessonStore, name: str, tell: Tell) -> None:
    """Enroll and remove one student after the other. Tells how many are removed."""
    store, consent = ClassStore(lessons.database), make_consent("the parents")
    for number in range(10_000):
        student = f"{name} {number}"
        store.keep(CLASS, photos(student), {student: consent}, NETWORKS)
        store.remove_student(CLASS, student, keep_class=True)
        tell(number + 1)


JOBS: dict[str, Callable[[LessonStore, str, Tell], None]] = {"record": record, "enroll": enroll, "remove": remove}
"""Name -> what a program does until it is killed."""


def through(pipe: int) -> Tell:
    """A function that tells a number to whoever reads the pipe."""
    return lambda number: os.write(pipe, TOLD.pack(number))
