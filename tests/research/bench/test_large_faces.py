"""The measurement puts a face where it says, and counts both ways of looking."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.faces.detections import Detections
from fewshot.research.bench.large_faces import cropped_rows, portrait_rows, scaled
from fewshot.types import Frame


class White:
    """Finds the white rectangle, if something black is around it."""

    name, note = "white", None

    def detect(self, frame: Frame) -> Detections:
        rows, columns = np.nonzero(frame[..., 0] > 200)
        if not len(rows) or rows.min() == 0 or rows.max() == len(frame) - 1:
            return Detections.of([], [], [], frame)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections.of([box], [0.9], np.zeros((1, 5, 2)), frame)


def portrait(folder: Path, name: str) -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[80:120, 80:110] = 255
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), picture)


def test_the_face_has_its_share_of_the_frame(tmp_path: Path) -> None:
    portrait(tmp_path, "1_neutral.png")
    frame = scaled(White(), cv2.imread(str(tmp_path / "1_neutral.png")), (300, 400), 0.5)
    x0, y0, x1, y1 = White().detect(frame).boxes[0]
    assert frame.shape == (300, 400, 3) and y1 - y0 == pytest.approx(150, abs=3)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((200, 150), abs=3)


def test_rows_of_portraits(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures"):
        portrait_rows(White(), tmp_path, 6)
    portrait(tmp_path, "1_neutral.jpg")
    rows = portrait_rows(White(), tmp_path, 6)
    assert len(rows) == 12
    assert (rows[0]["found without margin"], rows[0]["found"]) == ("1 of 1", "1 of 1")
    assert (rows[3]["share"], rows[3]["found without margin"], rows[3]["found"]) == ("110 %", "0 of 1", "1 of 1")


def test_rows_of_mosaics(tmp_path: Path) -> None:
    mosaic = np.zeros((20, 400, 3), np.uint8)
    mosaic[:10] = 255  # forty white tiles, then black ones of which two count
    cv2.imwrite(str(tmp_path / "faces_00.webp"), mosaic, [cv2.IMWRITE_WEBP_QUALITY, 101])
    np.savez(tmp_path / "labels.npz", labels=np.zeros(42, np.int64))
    (row,) = cropped_rows(White(), [tmp_path], 100)
    assert (row["found without margin"], row["found"]) == ("0 of 42", "40 of 42")
