"""Perception for single photos."""

from __future__ import annotations

from fewshot.faces.any_size import any_size
from fewshot.faces.quality import ENROLLMENT_LIMITS, Limits
from fewshot.perception import Perception


def photo_perception(perception: Perception, limits: Limits = ENROLLMENT_LIMITS) -> Perception:
    """The chain for enrollment photos: the same detector and networks as in a lesson, with stricter limits."""
    return Perception(
        any_size(perception.detector), perception.embedder, perception.recogniser, limits, perception.notes
    )
