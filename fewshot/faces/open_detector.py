"""Opens a face detector by name, or the best one that this machine has."""

from __future__ import annotations

from fewshot.errors import ModelMissing, Note, UsageError
from fewshot.faces.detections import Detector
from fewshot.faces.detectors.cascade import CascadeDetector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.detectors.yunet import YunetDetector
from fewshot.models.files import resolve
from fewshot.translation import later


def open_detector(kind: str = "auto", *, download: bool = True, threads: int | None = None) -> Detector:
    """Open a detector by name.

    Args:
        kind: "scrfd" (InsightFace, non-commercial), "yunet" (MIT), "cascade" (nothing to download), or "auto": SCRFD
            if its file is available, else the cascades, with a ``note`` for the user.
        download: whether a missing model may be downloaded.
        threads: threads for SCRFD's network, see ``open_session``.

    Raises:
        ModelMissing: the file of the chosen detector is missing and cannot be downloaded.
        ModelUnavailable: the file is there but does not load.
        UsageError: there is no such detector.
    """
    if kind == "auto":
        try:
            file = resolve("scrfd_500m", download=download)
        except ModelMissing:
            note = Note(
                later(
                    "The face detector SCRFD is not on this computer and was not downloaded. OpenCV's cascades are "
                    "used instead; they find fewer faces."
                ),
                "To download SCRFD, type: fewshot models pull",
            )
            return CascadeDetector(resolve("landmarks", download=False), note=note)
        return ScrfdDetector(file, threads=threads)
    if kind == "scrfd":
        return ScrfdDetector(resolve("scrfd_500m", download=download), threads=threads)
    if kind == "yunet":
        return YunetDetector(resolve("yunet", download=download))
    if kind == "cascade":
        return CascadeDetector(resolve("landmarks", download=False))
    raise UsageError(later("There is no detector called {kind!r}. Choose auto, scrfd, yunet or cascade.", kind=kind))
