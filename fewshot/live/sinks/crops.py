"""Cuts every face out of every frame and writes it as a picture of its own."""

from __future__ import annotations

import re
from pathlib import Path

import cv2

from fewshot.live.sinks.base import cannot_be_written
from fewshot.private_files import make_private_folder, write_private
from fewshot.types import Frame, FrameResult, Reading

AROUND = 0.2
"""Share of the longer side of the box that is added on every side."""


class FaceCrops:
    """Writes ``<source>_<frame>_<face>.jpg``: square, in the pixels of the frame, face counted from 0 in its frame.

    Args:
        folder: created if it does not exist; pictures of the same name in it are overwritten.

    Attributes:
        written: number of pictures so far.

    Raises:
        OutputError: the folder cannot be made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder, self.written = Path(folder), 0
        self._names: dict[str, str] = {}
        try:
            make_private_folder(self.folder)
        except OSError as error:
            raise cannot_be_written(self.folder, error) from error

    def write(self, result: FrameResult, frame: Frame) -> None:
        """Write the faces of one frame.

        Raises:
            OutputError: a picture cannot be written.
        """
        for number, reading in enumerate(result.readings):
            path = self.folder / f"{self._name(result.source)}_{result.index:06d}_{number:02d}.jpg"
            done, data = cv2.imencode(".jpg", around(reading, result, frame), [cv2.IMWRITE_JPEG_QUALITY, 95])
            if not done:
                raise cannot_be_written(path, "the picture could not be encoded")
            try:
                write_private(path, data.tobytes())
            except OSError as error:
                raise cannot_be_written(path, error) from error
            self.written += 1

    def close(self) -> None:
        """Nothing is held open."""

    def _name(self, source: str) -> str:
        """The source's name without what a file's name cannot hold; a number parts two sources of the same name."""
        if source not in self._names:
            plain = re.sub(r"[^\w.-]+", "_", Path(source).stem, flags=re.UNICODE).strip("._")[:80] or "source"
            plain = plain.encode("utf-8", "replace").decode("utf-8")
            taken, name, number = {one.casefold() for one in self._names.values()}, plain, 2
            while name.casefold() in taken:
                name, number = f"{plain}-{number}", number + 1
            self._names[source] = name
        return self._names[source]


def around(reading: Reading, result: FrameResult, frame: Frame) -> Frame:
    """The square around a face, cut off at the edges of the frame.

    Args:
        reading: its box is in pixels of the source.
        result: of the frame; says how large the source is.
        frame: BGR, which may be a reduced copy of the source's frame.
    """
    height, width = frame.shape[:2]
    across, down = width / result.width, height / result.height
    x0, y0, x1, y1 = (value * scale for value, scale in zip(reading.box, (across, down, across, down), strict=True))
    half = max(x1 - x0, y1 - y0) * (0.5 + AROUND)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = max(0, min(round(x - half), width - 1)), max(0, min(round(y - half), height - 1))
    right, bottom = max(left + 1, min(round(x + half), width)), max(top + 1, min(round(y + half), height))
    return frame[top:bottom, left:right]
