"""Frames of a lesson that nobody gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.types import EMOTIONS, FrameResult, Reading

BOX = (0.0, 0.0, 10.0, 10.0)


def reading(
    student: str | None,
    emotion: str | None = "happy",
    confidence: float = 0.8,
    track: int = 0,
    state: str | None = None,
    readable: bool = True,
) -> Reading:
    """A face that shows ``emotion`` (None: unsure, half happy, half neutral); ``state`` is one of its own."""
    if not readable:
        return Reading(track, BOX, 0.9, student)
    labels = (*EMOTIONS, *([state] if state else []))
    rest = (1.0 - confidence) / (len(labels) - 1)
    probabilities = {label: confidence if label == (emotion or "happy") else rest for label in labels}
    return Reading(track, BOX, 0.9, student, 0.6, emotion, confidence, probabilities)


def frame(time: float, *readings: Reading, source: str = "camera") -> FrameResult:
    return FrameResult(source, round(time * 10), time, 640, 480, readings)


def everybody(time: float, shown: Mapping[str, str | None]) -> FrameResult:
    """One frame with every student showing something."""
    return frame(time, *(reading(name, emotion, track=i) for i, (name, emotion) in enumerate(shown.items())))


def class_with_consents(name: str, students: Sequence[str]) -> None:
    """A class in the usual store; every student's parents have consented, and nobody has a photo."""
    store = ClassStore()
    store.create(name)
    for student in students:
        store.record_consent(name, student, make_consent("the parents"))
