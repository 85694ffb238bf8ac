"""Webcams and network streams as ``NewestFrames``."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

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
from fewshot.translation import later
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
            later(
                "Camera {number} could not be opened. Plug it in, close other programs that use it, or allow "
                "access to it in the system's privacy settings.",
                number=index,
            ),
            hint="To use another camera, give its number, for example --source 1.",
        )
    return _newest(later("camera {number}", number=index), capture)


def list_cameras(most: int = 10) -> list[tuple[int, str]]:
    """Number and name of every camera that answers; "" where the system tells no name.

    Args:
        most: highest number that is tried, where the system has no list of its own.
    """
    if sys.platform.startswith("linux"):
        numbers = sorted(int(path.name[5:]) for path in Path("/dev").glob("video*") if path.name[5:].isdigit())
    else:
        numbers = list(range(most))
    found = []
    for number in numbers:
        capture = open_camera(number, sys.platform)
        answers = capture.isOpened() and capture.grab()
        capture.release()
        if answers:
            found.append((number, _name_of(number)))
        elif not sys.platform.startswith("linux"):
            break  # numbers have no gaps there, and every further one costs a second
    return found


def _name_of(number: int) -> str:
    named = Path(f"/sys/class/video4linux/video{number}/name")
    try:
        return named.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def open_url(url: str) -> NewestFrames | VideoSource:
    """Open a network stream. A plain video file at an HTTP address is read like any other file.

    Raises:
        SourceError: there is no answer, or the answer is not a video.
    """
    capture, name = open_stream(url), public_address(url)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            later(
                "No video stream could be opened at {name}. Check that the camera is on, that the network works, "
                "and that a video player can open this address (VLC: Open Network Stream).",
                name=name,
            )
        )
    if url.lower().startswith("http") and count(capture) is not None:
        return VideoSource(Path(name), name, capture)
    return _newest(name, capture)


def _newest(name: str, capture: cv2.VideoCapture) -> NewestFrames:
    shape = pixel_shape(capture)

    # Some drivers raise an error when the cable is pulled.
    def grab() -> bool:
        try:
            return bool(capture.grab())
        except cv2.error:
            return False

    def retrieve() -> Frame | None:
        try:
            good, frame = capture.retrieve()
        except cv2.error:
            return None
        return square_pixels(np.asarray(frame, np.uint8), shape) if good and frame is not None and frame.size else None

    return NewestFrames(name, grab, retrieve, capture.release, rate(capture), patience=READ_TIMEOUT + 2)
