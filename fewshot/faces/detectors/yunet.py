"""YuNet (Wu et al. 2023, https://doi.org/10.1007/s11633-023-1423-y) in OpenCV: the detector with an MIT licence."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import Note
from fewshot.faces.detections import Detections
from fewshot.types import Frame

_SIDE = 640


class YunetDetector:
    """One pass of YuNet. Its published file accepts only 640x640, so the frame is shrunk into this square.

    Args:
        path: ``face_detection_yunet_2023mar.onnx``.
        threshold: lowest score of a face.
    """

    name = "yunet"
    note: Note | None = None

    def __init__(self, path: Path, threshold: float = 0.6) -> None:
        # Opened from memory: on Windows OpenCV cannot open a path with letters outside the code page.
        model = np.frombuffer(path.read_bytes(), np.uint8)
        nothing = np.zeros(0, np.uint8)
        # It stores its intermediate results, so threads must take turns.
        self._lock = threading.Lock()
        self._network = cv2.FaceDetectorYN.create("onnx", model, nothing, (_SIDE, _SIDE), threshold, 0.4, 1000)

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        height, width = frame.shape[:2]
        scale = _SIDE / max(height, width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        square[: inner[1], : inner[0]] = cv2.resize(frame, inner, interpolation=method)
        with self._lock:
            _, rows = self._network.detect(square)
        # Columns: x, y, width, height, five points (in our order), score.
        rows = np.zeros((0, 15), np.float32) if rows is None else rows
        ratio = np.array([width / inner[0], height / inner[1]], np.float32)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) * np.tile(ratio, 2)
        return Detections.of(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2) * ratio, frame)
