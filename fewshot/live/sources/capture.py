"""``cv2.VideoCapture`` without log output: a user sees one line from fewshot, not ten lines from ffmpeg."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import cv2
import numpy as np

from fewshot.types import Frame

OPEN_TIMEOUT = 5.0
"""Seconds to wait for a stream to answer."""
READ_TIMEOUT = 10.0
"""Seconds without a frame after which a stream or camera counts as lost."""
FILE_DECODERS, STREAM_DECODERS = 2, 1
"""Threads of ffmpeg, which would otherwise use one per core. Each thread decodes another frame: two threads decode
1080p faster than it is processed, and the other cores are left for perception. In a stream every additional thread
adds a delay of one frame."""
_USUAL = 61.0
"""Most frames per second of a usual video. A browser's recording names 1000, the number of ticks of its clock."""
_SAMPLE = 120
"""Packets whose times are compared with the frame rate that a file names."""
_NEARLY_SQUARE = 0.02
_LONGEST_PIXEL = 4.0
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

# A user who sets one of these variables wants to see the log. They are set on import, because ffmpeg reads its variable
# only once, when the process opens or writes its first video.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@functools.cache
def _backend() -> int:
    """ffmpeg if OpenCV has it (all wheels do): other backends guess, and take "%" in a name as a pattern."""
    has_ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends()
    return int(cv2.CAP_FFMPEG if has_ffmpeg else cv2.CAP_ANY)


def open_file(path: Path) -> cv2.VideoCapture:
    """Open a video file; ``isOpened()`` of the result tells whether that worked."""
    # An absolute path, because ffmpeg takes "lesson 10:30.mp4" as a protocol "lesson 10".
    return cv2.VideoCapture(str(path.absolute()), _backend(), [cv2.CAP_PROP_N_THREADS, FILE_DECODERS])


def open_stream(url: str) -> cv2.VideoCapture:
    """Open a network stream within ``OPEN_TIMEOUT``. RTSP is tried over TCP (no damaged pictures), then over UDP."""
    options = [
        *(cv2.CAP_PROP_N_THREADS, STREAM_DECODERS),
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(OPEN_TIMEOUT * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(READ_TIMEOUT * 1000)),
    ]
    stream = cv2.VideoCapture(url, _backend(), options)
    if not stream.isOpened() and url.lower().startswith("rtsp://") and _OPTIONS not in os.environ:
        os.environ[_OPTIONS] = "rtsp_transport;udp"  # OpenCV has no other way to choose UDP
        try:
            stream = cv2.VideoCapture(url, _backend(), options)
        finally:
            del os.environ[_OPTIONS]
    return stream


def open_camera(index: int, platform: str) -> cv2.VideoCapture:
    """Open a webcam by number through the system's own interface, with 1280x720 pixels if it supports them.

    Args:
        platform: as ``sys.platform``.
    """
    # DirectShow opens ten times as fast as Media Foundation, which is OpenCV's first choice on Windows.
    own = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION, "linux": cv2.CAP_V4L2}.get(platform, cv2.CAP_ANY)
    camera = cv2.VideoCapture(index, own)
    if not camera.isOpened() and platform == "win32":
        camera = cv2.VideoCapture(index, cv2.CAP_MSMF)
    if camera.isOpened():
        # USB 2 is too slow for uncompressed 720p at more than 10 frames per second.
        camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, 1280)
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, 720)
    return camera


def rate(capture: cv2.VideoCapture) -> float | None:
    """Frames per second as reported by the container or driver; None if the value is not plausible."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0.1 <= fps <= 1000 else None


def count(capture: cv2.VideoCapture) -> int | None:
    """Number of frames as reported by the container; None if it is not known (streams report -9e18)."""
    frames = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(frames) if 0 < frames < 1e9 else None


def open_packets(path: Path) -> cv2.VideoCapture:
    """Open a video file without decoding it: ``read`` gives packets, bytes of shape (1, length)."""
    return cv2.VideoCapture(str(path.absolute()), _backend(), [cv2.CAP_PROP_FORMAT, -1])


def codec_of(capture: cv2.VideoCapture) -> str:
    """The four letters that name the codec, such as "VP80" or "h264"."""
    return int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=False).decode("latin-1")


def measured_rate(path: Path, named: float | None) -> float | None:
    """Frames per second of a file: the rate that it names, corrected with the times of its first frames.

    A recording may name the ticks of its clock, or the mean over a pause. Between two frames with the usual distance
    there should be no third one at this rate, so the higher of two likely values counts.

    Args:
        path: the video file.
        named: the rate that the container names, see ``rate``.
    """
    packets = open_packets(path)
    times: list[float] = []
    while len(times) < _SAMPLE and packets.grab():
        times.append(float(packets.get(cv2.CAP_PROP_POS_MSEC)) / 1000)
    packets.release()
    # The last packets of the sample may be shown later than packets that are not in it.
    gaps = np.diff(np.sort(times))[: -_SAMPLE // 8 if len(times) == _SAMPLE else None]
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return named
    usual = 1 / float(np.median(gaps))
    if named is None or (named > _USUAL and abs(named / usual - 1) > 0.1):
        return usual
    return named if abs(named / usual - 1) < 0.1 else max(named, usual)


def pixel_shape(capture: cv2.VideoCapture) -> float:
    """Width of a pixel divided by its height, in the upright picture; 1 if the source does not say it."""
    wide, high = float(capture.get(cv2.CAP_PROP_SAR_NUM)), float(capture.get(cv2.CAP_PROP_SAR_DEN))
    if wide <= 0 or high <= 0 or not 1 / _LONGEST_PIXEL <= wide / high <= _LONGEST_PIXEL:
        return 1.0
    turned = round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 == 90
    return high / wide if turned else wide / high


def square_pixels(frame: Frame, shape: float) -> Frame:
    """The picture as a player shows it: pixels that are not square are stretched along their longer side.

    Args:
        frame: shape (height, width, 3).
        shape: width of a pixel divided by its height.

    Returns:
        Shape (height, width x shape, 3), or (height / shape, width, 3) if pixels are higher than wide.
    """
    if abs(shape - 1) < _NEARLY_SQUARE:
        return frame
    height, width = frame.shape[:2]
    size = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)
