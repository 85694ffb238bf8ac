"""Frames into a video file: H.264 where PyAV is installed, else what every OpenCV wheel can write."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2

from fewshot.live.sinks.base import OutputError
from fewshot.types import Frame

SUFFIXES = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""Containers, and the codec in each that every OpenCV wheel can write (H.264 is missing from them for its licence)."""

Codec = Literal["auto", "h264", "mpeg4"]

PRESET, QUALITY = "ultrafast", 23
"""Of libx264. "ultrafast" costs as much time as MPEG-4 does in OpenCV, and plays in browsers; "superfast" makes files
half as large and takes half as long again (experiments/results/video.md)."""
_BT601 = 5


class Encoder(Protocol):
    """A video file being written.

    Attributes:
        codec: what it is written in, for people to read.
    """

    codec: str

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


def open_encoder(path: Path, fps: float, size: tuple[int, int], codec: Codec = "auto") -> Encoder:
    """Start a video file; one that is there is written over.

    Args:
        path: with a suffix of ``SUFFIXES``.
        size: width and height, both even.
        codec: "auto" is "h264" where PyAV is installed (but in .avi), else "mpeg4" (Motion JPEG in .avi).

    Raises:
        OutputError: it cannot be written, or not in this codec.
    """
    avi = path.suffix.lower() == ".avi"
    if codec == "h264" or (codec == "auto" and not avi and has_h264()):
        return H264Encoder(path, fps, size)
    return OpenCvEncoder(path, fps, size)


def has_h264() -> bool:
    """Is there PyAV? Its wheels bring libx264 (GPL), which is why it is an extra and no dependency."""
    return importlib.util.find_spec("av") is not None


class OpenCvEncoder:
    """MPEG-4 part 2, or Motion JPEG in .avi."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        letters = SUFFIXES[path.suffix.lower()]
        self.codec = {"mp4v": "MPEG-4", "MJPG": "Motion JPEG"}[letters]
        self._writer = cv2.VideoWriter(str(path.absolute()), cv2.VideoWriter.fourcc(*letters), fps, size)
        if not self._writer.isOpened():
            raise OutputError(f"{path} cannot be written. Check that the folder may be written to.")

    def write(self, frame: Frame) -> None:
        self._writer.write(frame)

    def close(self) -> None:
        self._writer.release()


class H264Encoder:
    """H.264 through PyAV.

    Raises:
        OutputError: PyAV is not installed or has no such encoder, or the file cannot be written.
    """

    codec = "H.264"

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        try:
            import av
        except ImportError as error:
            raise OutputError('Writing H.264 needs PyAV: pip install "fewshot[video]", or choose mpeg4.') from error
        self._av: Any = av
        self._path, self._written = path, 0
        try:
            self._file: Any = av.open(str(path.absolute()), "w")
            self._stream: Any = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise OutputError(f"{path} cannot be written as H.264 ({error}). Choose mpeg4 or another place.") from error
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": PRESET, "crf": str(QUALITY)}
        # One thread: the others belong to perception, and output has a thread of its own.
        self._stream.codec_context.thread_count = 1
        # What cv2 converts to, said in the file: players guess another standard for large pictures.
        self._stream.codec_context.colorspace = _BT601

    def write(self, frame: Frame) -> None:
        # cv2 converts in half the time that PyAV's scaler needs.
        picture = self._av.VideoFrame.from_ndarray(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
        picture.pts = self._written
        self._written += 1
        self._mux(picture)

    def close(self) -> None:
        try:
            if self._written:
                self._mux(None)
        finally:
            self._file.close()

    def _mux(self, picture: Any) -> None:
        try:
            self._file.mux(self._stream.encode(picture))
        except (self._av.error.FFmpegError, OSError) as error:
            raise OutputError(f"{self._path} cannot be written any further ({error}).") from error
