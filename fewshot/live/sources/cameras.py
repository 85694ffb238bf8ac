"""Webcams and network streams as ``NewestFrames``."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from fewshot.addresses import public_address
from fewshot.errors import SourceError
from fewshot.live.sources.capture import (
    READ_TIMEOUT,
    count,
    open_camera,
    open_stream,
    pixel_shape,
    rate,
    square_pixels,
)
from fewshot.live.sources.newest import NewestFrames
from fewshot.live.sources.video import VideoSource
from fewshot.types import Frame

SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt", "rtp")


def open_webcam(index: int) -> NewestFrames:
    """Open the camera with this number.

    Raises:
        SourceError: there is no such camera, or it delivers no picture.
    """
    capture = open_camera(index, sys.platform)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            f"Camera {index} could not be opened. Plug it in, close other programs that use it, or allow access to it "
            "in the system's privacy settings.",
            hint="To use another camera, give its number, for example --source 1.",
        )
    return _newest(f"camera {index}", capture)


def open_url(url: str) -> NewestFrames | VideoSource:
    """Open a network stream. A plain video file at an HTTP address is read like any other file.

    Raises:
        SourceError: there is no answer, or the answer is not a video.
    """
    capture, name = open_stream(url), public_address(url)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            f"No video stream could be opened at {name}. Check that the camera is on, that the network works, and that "
            "a video player can open this address (VLC: Open Network Stream)."
        )
    if url.lower().startswith("http") and count(capture) is not None:
        return VideoSource(Path(name), name, capture)
    return _newest(name, capture)


def _newest(name: str, capture: cv2.VideoCapture) -> NewestFrames:
    shape = pixel_shape(capture)

    def read() -> Frame | None:
        try:
            good, frame = capture.read()
        except cv2.error:  # some drivers raise an error when the cable is pulled
            return None
        return square_pixels(frame, shape) if good and frame is not None and frame.size else None

    return NewestFrames(name, read, capture.release, rate(capture), patience=READ_TIMEOUT + 2)
