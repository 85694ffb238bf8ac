"""Writes the annotated video."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import UsageError
from fewshot.live.overlay import Overlay
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.encoders import SUFFIXES, Codec, Encoder, open_encoder
from fewshot.live.sources.base import Source
from fewshot.live.sources.capture import open_file
from fewshot.types import Frame, FrameResult

RESERVE = 32_000_000
"""Bytes that stay free: OpenCV does not report a full disk, and an mp4 file without space for its index is lost."""

LIVE_RATE = 15.0
"""Frames per second in the video of a live source."""
PICTURE_RATE = 1.0
"""Frames per second in a video of single pictures."""
_LONGEST_GAP, _LONGEST_PAUSE = 60.0, 3600.0
"""Longest time, in seconds, for which a frame of a live source or of a file is repeated."""
_CHECK_EVERY = 30


class AnnotatedVideo:
    """Writes every frame with its readings drawn on it.

    The video has the size of the first frame; frames of another size are fitted into it with black borders. Every frame
    begins at its time in the source, so the video is as long as the source. With PyAV, the frames of a file keep their
    own distances; otherwise, and for a live source, a frame is repeated until the next one. Sources follow each other.

    Args:
        path: .mp4 (or .m4v, .mov, .mkv, .avi); an existing file is overwritten.
        fps: frames per second of a video with a constant rate, and of frames without a time, such as pictures.
        live: the source is live: its video has a constant rate, and times count from its start.
        overlay: draws the readings; sharing it with the window saves half of the drawing.
        codec: see ``open_encoder``.
        height: height of the video in pixels, to make it smaller than the frames: 720 instead of 1080 halves the work.
        from_first: the video of a live source begins with its first frame, not with the start of the source.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        fps: float,
        live: bool = False,
        overlay: Overlay | None = None,
        codec: Codec = "auto",
        height: int | None = None,
        from_first: bool = False,
    ) -> None:
        self.path, self._fps, self._live, self._from_first = Path(path), fps, live, from_first
        self._overlay, self._codec, self._height = overlay or Overlay(), codec, height
        self._writer: Encoder | None = None
        self._size = (0, 0)
        self._latest: Frame | None = None
        self._written, self._begin, self._lasts = 0, 0.0, 1 / fps
        self._before: FrameResult | None = None
        if self.path.suffix.lower() not in SUFFIXES:
            raise OutputError(f"{self.path} is not the name of a video. Use a name that ends in {', '.join(SUFFIXES)}.")
        if not self.path.absolute().parent.is_dir():
            raise OutputError(
                f"{self.path} cannot be written: there is no folder {self.path.absolute().parent}. Create it, or "
                "choose another folder."
            )
        self._check_space()

    @classmethod
    def for_source(
        cls,
        path: str | Path,
        source: Source,
        overlay: Overlay | None = None,
        codec: Codec = "auto",
        height: int | None = None,
        from_first: bool = False,
    ) -> AnnotatedVideo:
        """A video with the frame rate of a source.

        Raises:
            UsageError: ``path`` is the source itself.
            OutputError: the file cannot be written.
        """
        if Path(source.name).is_file() and Path(path).is_file() and Path(path).samefile(source.name):
            raise UsageError(f"{path} is the source itself. Choose another name for the annotated video.")
        if source.live:
            return cls(path, min(source.fps or LIVE_RATE, LIVE_RATE), True, overlay, codec, height, from_first)
        return cls(path, source.fps or PICTURE_RATE, False, overlay, codec, height, from_first)

    def write(self, result: FrameResult, frame: Frame) -> None:
        """Draw the readings on the frame and append it. The video of a live source repeats frames to keep its rate.

        Raises:
            OutputError: the file cannot be written.
        """
        # Reduced before drawing: letters stay sharp, and drawing is faster.
        picture = self._overlay.draw(reduced(frame, self._height), result)
        if self._writer is None:
            self._open(picture)
        picture = letterbox(picture, self._size)
        self._place(result)
        if self._writer is not None and self._writer.any_time and not self._live:
            self._put(picture)
        else:
            self._fill_until(round(self._begin * self._fps))
            if round(self._begin * self._fps) >= self._written:
                self._put(picture)
        self._latest = picture

    def close(self) -> None:
        """Finish the file and check that it can be read.

        Raises:
            OutputError: it cannot be read.
        """
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
        check = open_file(self.path)
        readable = check.isOpened() and check.read()[0]
        check.release()
        if not readable:
            raise OutputError(
                f"{self.path} is not readable after {self._written} frames were written. Check that the disk is not "
                "full, and try again."
            )

    def _open(self, first: Frame) -> None:
        # Colour is stored at half the resolution, so the size must be even.
        self._size = (max(2, first.shape[1] // 2 * 2), max(2, first.shape[0] // 2 * 2))
        self._writer = open_encoder(self.path, self._fps, self._size, self._codec)

    def _place(self, result: FrameResult) -> None:
        """Find when this frame begins in the video, and how long it lasts if it is the last one."""
        before, self._before = self._before, result
        if before is None:
            self._begin = result.time if self._live and not self._from_first else 0.0
        elif result.source == before.source and result.time > before.time:
            gap = result.time - before.time
            self._begin += gap
            self._lasts = min(gap, 1 / self._fps)
        else:  # another source, or a picture: it follows the frame before
            self._begin += self._lasts
            self._lasts = 1 / self._fps

    def _fill_until(self, slot: int) -> None:
        longest = _LONGEST_GAP if self._live else _LONGEST_PAUSE
        for _ in range(min(slot - self._written, round(longest * self._fps))):
            if self._latest is not None:
                self._put(self._latest)

    def _put(self, picture: Frame) -> None:
        if self._written % _CHECK_EVERY == 0:
            self._check_space()
        if self._writer is not None:
            self._writer.write(picture, self._begin, self._lasts)
            self._written += 1

    def _check_space(self) -> None:
        limit = largest_file()
        if limit is not None and self.path.is_file() and self.path.stat().st_size > limit - min(RESERVE, limit // 4):
            raise OutputError(
                f"{self.path}: a file of this session may have at most {limit / 1e6:.1f} MB (ulimit -f). Raise the "
                "limit, or save a shorter part. The part written so far can be watched."
            )
        if shutil.disk_usage(self.path.absolute().parent).free < RESERVE:
            raise OutputError(
                f"{self.path}: the disk is full (less than {RESERVE // 1_000_000} MB free). Free some space or choose "
                "another folder. The part written so far can be watched."
            )


def largest_file() -> int | None:
    """The system's limit for one file of this process, bytes; None without a limit."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def reduced(frame: Frame, height: int | None) -> Frame:
    """The frame shrunk to this height (pixels) if it is higher."""
    if height is None or frame.shape[0] <= height:
        return frame
    size = (max(1, round(frame.shape[1] * height / frame.shape[0])), height)
    # Linear, not area: three times as fast, and there is no visible difference down to half the size.
    way = cv2.INTER_LINEAR if 2 * height >= frame.shape[0] else cv2.INTER_AREA
    return np.asarray(cv2.resize(frame, size, interpolation=way), np.uint8)


def letterbox(picture: Frame, size: tuple[int, int]) -> Frame:
    """Fit a picture into ``size`` (width, height) on black, without stretching; an odd last row or column is cut."""
    height, width = picture.shape[:2]
    if 0 <= width - size[0] <= 1 and 0 <= height - size[1] <= 1:
        return np.ascontiguousarray(picture[: size[1], : size[0]])
    scale = min(size[0] / width, size[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[y : y + inner[1], x : x + inner[0]] = cv2.resize(picture, inner, interpolation=way)
    return canvas
