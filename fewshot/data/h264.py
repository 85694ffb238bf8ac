"""Writing H.264, which the OpenCV wheels can read but, for its licence, not write."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from fewshot.errors import FewshotError
from fewshot.types import Frame

BIT_RATE = 6_000_000
"""Bits a second of a 1920x1080 video: what recorders of screens and meetings are usually set to."""
PRESET = "veryfast"
"""Of libx264: what recorders use while they record."""
KEY_FRAMES = 2.0
"""Seconds between two pictures that are stored whole."""


class H264Video:
    """An MP4 file with one H.264 stream, through PyAV.

    Args:
        path: of the file; one that is there is written over.
        fps: frames a second.
        size: width and height, both even.

    Raises:
        FewshotError: PyAV is not installed, or has no H.264 encoder.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        try:
            import av
        except ImportError as error:
            raise FewshotError("Writing H.264 needs PyAV. Install it (pip install av), or use --codec mp4v.") from error
        self._av: Any = av
        self._file = av.open(str(path), "w")
        try:
            stream: Any = self._file.add_stream("h264", rate=Fraction(fps).limit_denominator(1001))
        except av.error.FFmpegError as error:
            self._file.close()
            raise FewshotError(f"This PyAV cannot encode H.264 ({error}). Use --codec mp4v.") from error
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = round(BIT_RATE * size[0] * size[1] / (1920 * 1080))
        stream.gop_size = round(KEY_FRAMES * fps)
        stream.options = {"preset": PRESET}
        self._stream = stream

    def write(self, frame: Frame) -> None:
        """Append one frame, BGR."""
        picture = self._av.VideoFrame.from_ndarray(frame, format="bgr24")
        self._file.mux(self._stream.encode(picture))

    def release(self) -> None:
        """Finish the file. May be called again."""
        if self._stream is not None:
            self._file.mux(self._stream.encode(None))
            self._file.close()
            self._stream = None
