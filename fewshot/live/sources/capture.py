"""``cv2.VideoCapture`` without its noise: a user sees one line of ours, not ten of ffmpeg's."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import cv2

OPEN_TIMEOUT = 5.0
"""Seconds a stream may take to answer."""
READ_TIMEOUT = 10.0
"""Seconds a stream or camera may stay silent before it counts as lost."""
FILE_DECODERS, STREAM_DECODERS = 2, 1
"""Threads of ffmpeg's, where it would take one a core. Each works on a frame of its own: two decode 1080p faster than
anybody looks at it, the cores are perception's; and of a stream every further one is a frame of delay."""
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

# Whoever sets one of these wants to see the noise. On import, because ffmpeg's is read once, when the process opens or
# writes its first video.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@functools.cache
def _backend() -> int:
    """ffmpeg where OpenCV has it (all wheels do): other backends guess, and take "%" in a name for a pattern."""
    has_ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends()
    return int(cv2.CAP_FFMPEG if has_ffmpeg else cv2.CAP_ANY)


def open_file(path: Path) -> cv2.VideoCapture:
    """A video file; ``isOpened()`` of the result tells whether it is one."""
    # Absolute, because ffmpeg takes "lesson 10:30.mp4" for a protocol "lesson 10".
    return cv2.VideoCapture(str(path.absolute()), _backend(), [cv2.CAP_PROP_N_THREADS, FILE_DECODERS])


def open_stream(url: str) -> cv2.VideoCapture:
    """A network stream, given up after ``OPEN_TIMEOUT``. RTSP is tried over TCP (no torn pictures), then over UDP."""
    options = [
        *(cv2.CAP_PROP_N_THREADS, STREAM_DECODERS),
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(OPEN_TIMEOUT * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(READ_TIMEOUT * 1000)),
    ]
    stream = cv2.VideoCapture(url, _backend(), options)
    if not stream.isOpened() and url.lower().startswith("rtsp://") and _OPTIONS not in os.environ:
        os.environ[_OPTIONS] = "rtsp_transport;udp"  # OpenCV has no other way to say so
        try:
            stream = cv2.VideoCapture(url, _backend(), options)
        finally:
            del os.environ[_OPTIONS]
    return stream


def open_camera(index: int, platform: str) -> cv2.VideoCapture:
    """A webcam by number, through the system's own interface, asked for 1280x720.

    Args:
        platform: as ``sys.platform``.
    """
    # DirectShow opens in a tenth of the time that Media Foundation, OpenCV's first choice on Windows, needs.
    own = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION, "linux": cv2.CAP_V4L2}.get(platform, cv2.CAP_ANY)
    camera = cv2.VideoCapture(index, own)
    if not camera.isOpened() and platform == "win32":
        camera = cv2.VideoCapture(index, cv2.CAP_MSMF)
    if camera.isOpened():
        # Uncompressed 720p does not fit through USB 2 at more than 10 frames a second.
        camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, 1280)
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, 720)
    return camera


def rate(capture: cv2.VideoCapture) -> float | None:
    """Frames a second as the container or driver tells, None where that is nonsense."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0.1 <= fps <= 1000 else None


def count(capture: cv2.VideoCapture) -> int | None:
    """Frames as the container tells, None where it does not (streams report -9e18)."""
    frames = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(frames) if 0 < frames < 1e9 else None
