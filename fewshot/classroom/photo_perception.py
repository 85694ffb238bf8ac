"""Perception for single photos."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.faces.detections import Detections, Detector, detect_in_photo
from fewshot.faces.quality import ENROLLMENT_LIMITS, Limits
from fewshot.perception import Perception
from fewshot.types import Frame


@dataclass(slots=True)
class PhotoDetector:
    """A detector that also finds a face which fills the whole photo."""

    inner: Detector
    name: str = ""
    note: str | None = None

    def detect(self, frame: Frame) -> Detections:
        return detect_in_photo(self.inner, frame)


def photo_perception(perception: Perception, limits: Limits = ENROLLMENT_LIMITS) -> Perception:
    """The same chain for photos: what is enrolled goes through what will be seen, with stricter limits."""
    return Perception(PhotoDetector(perception.detector), perception.embedder, perception.recogniser, limits)
