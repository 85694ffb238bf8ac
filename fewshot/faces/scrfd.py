"""SCRFD (Guo et al. 2021, https://arxiv.org/abs/2105.04714) by insightface's own class: the default detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fewshot.faces.detector import Detections
from fewshot.faces.onnx import open_session
from fewshot.types import Frame

_STRIDE = 32


def input_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Network input (width, height) for a frame: its shape, ``longest`` on the longer side, multiples of 32.

    >>> input_size(1920, 1080, 640), input_size(1080, 1920, 640), input_size(640, 480, 640)
    ((640, 384), (384, 640), (640, 480))
    """
    scale = longest / max(width, height)
    return tuple(max(_STRIDE, -int(-side * scale // _STRIDE) * _STRIDE) for side in (width, height))  # type: ignore[return-value]


class ScrfdDetector:
    """One pass of SCRFD over the frame, shrunk to 640 pixels on its longer side.

    Args:
        path: the .onnx file with landmarks (``det_500m.onnx`` of the pack buffalo_sc).
        longest: longer side of the network's input, pixels, a multiple of 32. 640 finds every face of a 1080p gallery
            of 49; more finds smaller faces and takes longer in proportion to its square.
        threshold: lowest score of a face.
        threads: of ONNX Runtime, see ``open_session``.
    """

    name = "scrfd"
    note: str | None = None

    def __init__(self, path: Path, longest: int = 640, threshold: float = 0.5, threads: int | None = None) -> None:
        from insightface.model_zoo.scrfd import SCRFD

        # static_shape_sessions=False: one session serves every frame size.
        self._network = SCRFD(str(path), session=open_session(path, threads), static_shape_sessions=False)
        self._longest, self._threshold = longest, threshold

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        height, width = frame.shape[:2]
        size = input_size(width, height, self._longest)
        shrink = self._longest / max(width, height)
        if shrink < 0.25:  # insightface shrinks by picking pixels, which breaks the faces of a large photo
            picture = cv2.resize(frame, None, fx=2 * shrink, fy=2 * shrink, interpolation=cv2.INTER_AREA)
        else:
            picture = frame
        found, points = self._network.detect(picture, input_size=size, det_thresh=self._threshold)
        scale = np.array([width / picture.shape[1], height / picture.shape[0]], np.float32)
        return Detections.of(found[:, :4] * np.tile(scale, 2), found[:, 4], points * scale, frame)
