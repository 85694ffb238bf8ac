"""Frames with people who are not enrolled, and a class that is made up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fewshot.app.lesson_guests import Naming
from fewshot.classroom.consent import make_consent
from fewshot.classroom.enrollment_report import PhotoResult, StudentResult
from fewshot.classroom.roster import Roster, Student
from fewshot.faces.quality import Quality
from fewshot.live.interfaces import Step
from fewshot.types import Face, Frame, FrameResult, Reading

MARK = bytes(range(200, 232))
"""A run of grey levels in every picture of a guest: it must not stand in any file."""


def one(
    person: int | None, *, student: str | None = None, track: int | None = None, state: str = "happy", x: int = 0,
    size: float = 100.0, sharp: float = 0.8, yaw: float = 0.0, read: bool = True,
) -> tuple[Reading, Face]:  # fmt: skip
    """A face in view; ``x`` is how far right it is, in pixels."""
    number = (person or 0) if track is None else track
    quality = Quality(size, sharp, yaw, 0, 0, 120)
    box = np.array([x + 60, 60, x + 160, 160], np.float32)
    crop = np.tile(np.frombuffer(MARK, np.uint8), 112 * 112 // len(MARK)).reshape(112, 112)
    vector = np.ones(4, np.float32) if read else None
    face = Face(box, np.zeros((5, 2), np.float32), 0.9, crop, quality, number, vector, person=person)
    shares = {state: 0.7, "fear": 0.3}
    named = None if student is not None else person
    return Reading(number, (0, 0, 9, 9), 0.9, student, None, state, 0.7, shares, person=named), face


def step(time: float, *people: tuple[Reading, Face]) -> Step:
    frame = np.tile(np.frombuffer(MARK, np.uint8), 320 * 1920 * 3 // len(MARK)).reshape(320, 1920, 3)
    result = FrameResult("x", round(time * 15), time, 1920, 320, tuple(reading for reading, _ in people))
    return Step(result, frame, [face for _, face in people])


def apart(*people: int, **more: Any) -> list[tuple[Reading, Face]]:
    return [one(person, x=place * 400, **more) for place, person in enumerate(people)]


class Room:
    """A class that takes whoever comes, or refuses with ``looks_like``."""

    def __init__(self, *students: str, looks_like: str = "") -> None:
        self.students = {name: Student(name, make_consent("the parents")) for name in students}
        self.looks_like, self.calls = looks_like, list[tuple[str, list[str | None], dict[str, Any]]]()

    def roster(self) -> Roster:
        return Roster("physics", self.students)

    def enroll_pictures(
        self, student: str, pictures: Sequence[tuple[Frame, str | None]], **given: Any
    ) -> StudentResult:
        self.calls.append((student, [shows for _, shows in pictures], given))
        refused = bool(self.looks_like) and not given["looks_like"]
        if not refused:
            self.students.setdefault(student, Student(student, make_consent("the parents")))
        status = "rejected" if refused else "accepted"
        photos = [PhotoResult(__file__, shows, status) for _, shows in pictures]  # type: ignore[arg-type]
        return StudentResult(student, photos, stands=not refused, looks_like=self.looks_like if refused else "")


def called(student: str, shows: dict[int, str | None], by: str | None = "her mother", **more: Any) -> Naming:
    return Naming(student, **({"new": True, "shows": shows, "consent_by": by} | more))
