"""Writes frames to a video file: H.264 if PyAV is installed, else a codec that every OpenCV wheel has."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2

from fewshot.live.sinks.base import OutputError, cannot_be_written
from fewshot.private_files import claim_private
from fewshot.types import Frame

SUFFIXES = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""Container -> codec that every OpenCV wheel can write (they do not contain H.264, because of its licence)."""

Codec = Literal["auto", "h264", "mpeg4"]

PRESET, QUALITY = "ultrafast", 23
"""Settings of libx264. "ultrafast" takes as much time as OpenCV's MPEG-4, and browsers can play it; "superfast" makes
files half as large and takes 1.5 times as long (experiments/results/video.md)."""
TICK = Fraction(1, 90_000)
"""Seconds between two possible times of a frame: all usual frame rates are multiples."""
_BT601 = 5
_MOVIES = (".mp4", ".m4v", ".mov")
_KEYFRAME_SECONDS = 2.0
"""At most this much of a video is lost if the process is killed or the computer loses power."""
_HYBRID_SINCE = (61, 7, 0)
"""Version of libavformat."""


class Encoder(Protocol):
    """A video file being written.

    Attributes:
        codec: name of the codec, for users.
        any_time: whether a frame may begin at any time; if not, all frames last equally long.
    """

    codec: str
    any_time: bool

    def write(self, frame: Frame, time: float | None = None, duration: float | None = None) -> None: ...

    def close(self) -> None: ...


def open_encoder(path: Path, fps: float, size: tuple[int, int], codec: Codec = "auto") -> Encoder:
    """Start a video file; an existing file is overwritten.

    Args:
        path: with a suffix of ``SUFFIXES``.
        fps: frames per second.
        size: width and height in pixels, both even.
        codec: "auto" is "h264" if PyAV is installed (except for .avi), else "mpeg4" (Motion JPEG in .avi).

    Raises:
        OutputError: the file cannot be written, or not with this codec.
    """
    try:
        claim_private(path)
    except OSError as error:
        raise cannot_be_written(path, error) from error
    avi = path.suffix.lower() == ".avi"
    if codec == "h264" or (codec == "auto" and not avi and has_h264()):
        return H264Encoder(path, fps, size)
    return OpenCvEncoder(path, fps, size)


def has_h264() -> bool:
    """Whether PyAV is installed. Its wheels contain libx264 (GPL), so it is an extra and not a dependency."""
    return importlib.util.find_spec("av") is not None


class OpenCvEncoder:
    """MPEG-4 part 2, or Motion JPEG in .avi."""

    any_time = False

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        letters = SUFFIXES[path.suffix.lower()]
        self.codec = {"mp4v": "MPEG-4", "MJPG": "Motion JPEG"}[letters]
        self._writer = cv2.VideoWriter(str(path.absolute()), cv2.VideoWriter.fourcc(*letters), fps, size)
        if not self._writer.isOpened():
            raise OutputError(f"{path} cannot be written. Choose a folder where you may write.")

    def write(self, frame: Frame, _time: float | None = None, _duration: float | None = None) -> None:
        """Append a frame of the video's size; it lasts as long as every other one."""
        self._writer.write(frame)

    def close(self) -> None:
        """Finish the file."""
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
            raise OutputError(
                "H.264 needs PyAV, which is not installed. In the project's folder type: pip install '.[video]', or "
                "choose mpeg4."
            ) from error
        self._av: Any = av
        self._path, self._written, self._rate, self._last = path, 0, fps, -1
        self.any_time = path.suffix.lower() != ".avi"  # this container knows a constant rate only
        try:
            self._file: Any = av.open(str(path.absolute()), "w", options=_container_options(path, av))
            self._stream: Any = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise OutputError(
                f"{path} cannot be written as H.264 ({error}). Choose mpeg4 or another folder."
            ) from error
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": PRESET, "crf": str(QUALITY)}
        # One thread: output has its own thread already, and the other cores are left for perception.
        self._stream.codec_context.thread_count = 1
        if self.any_time:
            self._stream.time_base = self._stream.codec_context.time_base = TICK
        self._stream.codec_context.gop_size = max(1, round(_KEYFRAME_SECONDS * fps))
        # The colour standard that cv2 converts to; without it players assume another one for large pictures.
        self._stream.codec_context.colorspace = _BT601

    def write(self, frame: Frame, time: float | None = None, duration: float | None = None) -> None:
        """Append a frame of the video's size; width and height are even.

        Args:
            frame: BGR, shape (height, width, 3).
            time: when it is shown, seconds; later than the frame before. None: at the constant rate.
            duration: seconds until the next frame, which matters for the last one only. None: at the constant rate.
        """
        # cv2 converts twice as fast as PyAV.
        picture = self._av.VideoFrame.from_ndarray(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
        if self.any_time:
            wanted = round((self._written / self._rate if time is None else time) / TICK)
            self._last = max(wanted, self._last + 1)
            picture.pts, picture.time_base = self._last, TICK
            picture.duration = max(1, round((duration or 1 / self._rate) / TICK))
        else:
            picture.pts = self._written
        self._written += 1
        self._mux(picture)

    def close(self) -> None:
        """Write the frames that are still in the encoder, and finish the file."""
        try:
            if self._written:
                self._mux(None)
        finally:
            try:
                self._file.close()
            except (self._av.error.FFmpegError, OSError) as error:
                raise self._failed(error) from error

    def _failed(self, error: Exception) -> OutputError:
        return OutputError(
            f"Writing {self._path} failed ({error}). Check that the disk is not full, and try again. The part written "
            "so far can be watched."
        )

    def _mux(self, picture: Any) -> None:
        try:
            self._file.mux(self._stream.encode(picture))
        except (self._av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error


def _container_options(path: Path, av: Any) -> dict[str, str]:
    """Options that keep a file playable if the process is killed: a .mp4 file else has its index only at the very end.

    Newer FFmpeg replaces the fragments by a usual index when the file is finished, which more players can read.
    """
    if path.suffix.lower() not in _MOVIES:
        return {"flush_packets": "1"}
    hybrid = av.library_versions["libavformat"] >= _HYBRID_SINCE
    flags = "hybrid_fragmented+frag_keyframe" if hybrid else "frag_keyframe+empty_moov+default_base_moof"
    return {"movflags": flags, "flush_packets": "1"}
