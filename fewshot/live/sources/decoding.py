"""Decodes the frames of a video file one by one, each in its own size and with square pixels."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from fewshot.live.sources.capture import FILE_DECODERS, codec_of, open_packets, pixel_shape, square_pixels
from fewshot.live.sources.packet_size import Size, picture_size
from fewshot.types import Frame

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Decoder(Protocol):
    """Gives the frames of one file, in order; None after the last one."""

    stretched: tuple[Size, Size] | None

    def read(self) -> tuple[Frame, float] | None: ...

    def close(self) -> None: ...


def open_decoder(path: Path, capture: cv2.VideoCapture, local: bool = True) -> Decoder:
    """PyAV if it is installed and can read the file, else OpenCV.

    Both give the same pixels. OpenCV stretches all frames to the size that the file names at its beginning, though; a
    recording of a call changes its size when the network is slow or a phone is turned.

    Args:
        path: the video file.
        capture: the same file, opened; the decoder closes it.
        local: whether ``path`` is a file, and not an address.
    """
    if local:
        try:
            return PyAvDecoder(path, capture)
        except (ImportError, OSError, ValueError, IndexError, StopIteration):
            pass  # PyAV is an extra; its errors are an OSError or a ValueError
    return OpenCvDecoder(capture, path if local else None)


class OpenCvDecoder:
    """Frames as OpenCV reads them: all in the size of the first one.

    Args:
        capture: an open capture.
        path: the file, whose packets tell when the size changes; None for an address.

    Attributes:
        stretched: the first and the second size, as soon as a frame was stretched from the one to the other; else None.
    """

    def __init__(self, capture: cv2.VideoCapture, path: Path | None = None) -> None:
        self._capture, self._shape = capture, pixel_shape(capture)
        self._packets = open_packets(path) if path is not None else None
        self._codec = codec_of(capture)
        self._first: Size | None = None
        self.stretched: tuple[Size, Size] | None = None

    def read(self) -> tuple[Frame, float] | None:
        """The next frame, BGR, shape (height, width, 3), and its time stamp in seconds."""
        good, frame = self._capture.read()
        if not good or frame is None or not frame.size:
            return None
        self._watch_size()
        return square_pixels(frame, self._shape), float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def close(self) -> None:
        """Close the file."""
        self._capture.release()
        if self._packets is not None:
            self._packets.release()

    def _watch_size(self) -> None:
        """Look at one packet per frame; OpenCV does not say that it stretches."""
        if self._packets is None or self.stretched is not None:
            return
        good, packet = self._packets.read()
        size = picture_size(packet.tobytes(), self._codec) if good and packet is not None else None
        self._first = self._first or size
        if size is not None and self._first is not None and size != self._first:
            self.stretched = self._first, size


class PyAvDecoder:
    """Frames as PyAV reads them: each in its own size.

    Args:
        path: the video file.
        capture: the same file, opened by OpenCV; closed here once its properties are known.

    Raises:
        ImportError: PyAV is not installed.
        OSError, ValueError: PyAV cannot read the file.
    """

    def __init__(self, path: Path, capture: cv2.VideoCapture) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        logging.getLogger("libav").setLevel(logging.CRITICAL)  # a damaged packet is no news for the user
        self._errors: type[Exception] = av.error.FFmpegError
        self.stretched: tuple[Size, Size] | None = None  # every frame keeps its size
        self._shape = pixel_shape(capture)
        self._turn = _TURNS.get(round(capture.get(cv2.CAP_PROP_ORIENTATION_META)))
        self._converter = VideoReformatter()
        self._file: Any = av.open(str(path.absolute()))
        try:
            self._stream: Any = self._file.streams.video[0]
            self._stream.codec_context.thread_count = FILE_DECODERS
            self._stream.thread_type = "FRAME"
            self._frames = self._decoded()
            self._next: tuple[Frame, float] | None = next(self._frames)
        except BaseException:
            self._file.close()
            raise
        capture.release()

    def read(self) -> tuple[Frame, float] | None:
        """The next frame, BGR, shape (height, width, 3), and its time stamp in seconds."""
        found, self._next = self._next, None
        return found or next(self._frames, None)

    def close(self) -> None:
        """Close the file."""
        self._frames.close()
        self._file.close()

    def _decoded(self) -> Generator[tuple[Frame, float], None, None]:
        start = (self._stream.start_time or 0) * (self._stream.time_base or 1)
        packets = self._file.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except self._errors:  # the end of the file is missing
                packet = None
            if packet is None:
                return
            try:
                pictures = packet.decode()
            except self._errors:  # one damaged packet; the ones after it may be good
                continue
            for picture in pictures:
                try:
                    found = self._shown(picture, start)
                except (self._errors, ValueError, TypeError, ArithmeticError, MemoryError, cv2.error):
                    continue  # a damaged header may name a size or a format that no picture has
                yield found

    def _shown(self, picture: Any, start: Any) -> tuple[Frame, float]:
        # A file without time stamps gives 0 each time, see ``Clock``.
        stamp = picture.pts if picture.pts is not None else picture.dts
        seconds = float(stamp * picture.time_base - start) if stamp is not None else 0.0
        frame = self._in_bgr(picture)
        if self._turn is not None:
            frame = np.asarray(cv2.rotate(frame, self._turn), np.uint8)
        return square_pixels(frame, self._shape), seconds

    def _in_bgr(self, picture: Any) -> Frame:
        if picture.format.name == "bgr24":  # the memory is the decoder's
            return np.asarray(picture.to_ndarray(), np.uint8)
        # The same pixels as to_ndarray(format="bgr24") gives, without a new converter and a copy for every frame.
        converted: Any = self._converter.reformat(picture, format="bgr24")
        plane, height, width = converted.planes[0], converted.height, converted.width
        rows: Frame = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        return rows[:height, : 3 * width].reshape(height, width, 3)
