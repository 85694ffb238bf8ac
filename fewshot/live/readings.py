"""Builds the reading that is shown and written, from a face, its student and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot.live.sources.base import CapturedFrame
from fewshot.types import Face, Reading

if TYPE_CHECKING:
    from fewshot.prototypes.classifier import Verdict

Match = tuple[str | None, float | None]
"""A student's key and the identity score."""


def size_of(captured: CapturedFrame) -> tuple[int, int]:
    """Width and height of the source's frame, pixels."""
    return captured.size or (captured.frame.shape[1], captured.frame.shape[0])


def reading_of(face: Face, match: Match, verdict: Verdict | None, age: float, captured: CapturedFrame) -> Reading:
    """The reading of one face.

    Args:
        face: the face, with its track.
        match: its student and identity score.
        verdict: None if the face is not readable.
        age: seconds since the crop behind the verdict was embedded.
        captured: the frame that contains the face.
    """
    student, score = match
    person = face.person if student is None else None
    named_by = (face.named_by or "face") if student is not None else ""
    box = _box(face, captured)
    if verdict is None:
        return Reading(
            face.track, box, face.score, student, score, age=age, reasons=face.quality.reasons, person=person,
            named_by=named_by, doubt=face.doubt,
        )  # fmt: skip
    return Reading(
        track=face.track,
        box=box,
        score=face.score,
        student=student,
        identity_score=score,
        emotion=verdict.emotion,
        confidence=verdict.confidence,
        probabilities=verdict.probabilities,
        prototypes=verdict.prototypes,
        age=age,
        person=person,
        named_by=named_by,
        doubt=face.doubt,
    )


def _box(face: Face, captured: CapturedFrame) -> tuple[float, float, float, float]:
    """The face's box in pixels of the source, clipped to it, at least one pixel wide and high."""
    height, width = captured.frame.shape[:2]
    source_width, source_height = size_of(captured)
    x0, y0, x1, y1 = (float(value) for value in face.box)
    x0, x1 = _span(x0 * source_width / width, x1 * source_width / width, source_width)
    y0, y1 = _span(y0 * source_height / height, y1 * source_height / height, source_height)
    return x0, y0, x1, y1


def _span(low: float, high: float, limit: int) -> tuple[float, float]:
    low = min(max(low, 0.0), limit - 1.0)
    return low, min(max(high, low + 1.0), float(limit))
