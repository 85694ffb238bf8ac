"""What video costs beside the reading of faces: decoding, drawing and encoding of frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from fewshot.live.overlay import Overlay
from fewshot.live.sinks import encoders
from fewshot.live.sinks.video import reduced
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading

WARM = 10
NAMES = ("Asha", "José Álvarez", "Wilhelmina Featherstonehaugh", "Владимир", "Ben", "Mary-Jane O'Neill")
Timed = tuple[float, float, float]
"""Of a step in milliseconds: median and 95th percentile of the time it took, mean of what all cores worked."""


def timed(steps: Iterable[object]) -> Timed:
    """The time of the steps, without the first ten."""
    walls, begun, before = [], 0.0, time.perf_counter()
    for index, _ in enumerate(steps):
        now = time.perf_counter()
        walls.append(1000 * (now - before))
        if index + 1 == WARM:
            begun = time.process_time()
        before = time.perf_counter()
    cpu = 1000 * (time.process_time() - begun) / max(1, len(walls) - WARM)
    return float(np.median(walls[WARM:])), float(np.percentile(walls[WARM:], 95)), cpu


def with_opencv(path: Path, threads: int) -> Iterator[Frame]:
    """Frames of a file, shape (height, width, 3), decoded by OpenCV's FFmpeg."""
    video = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
    while (got := video.read())[0]:
        yield np.asarray(got[1], np.uint8)
    video.release()


def with_pyav(path: Path, threads: int, to_bgr: Callable[..., object]) -> Iterator[object]:
    """What ``to_bgr`` makes of each frame of a file that PyAV decodes."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        for picture in file.decode(stream):
            yield to_bgr(picture)


def decoding(path: Path, count: int) -> Iterator[tuple[str, Timed]]:
    """Every way to get BGR frames out of a file."""
    for threads in (1, 2):
        yield f"OpenCV, {threads} thread{'s'[: threads - 1]}", timed(islice(with_opencv(path, threads), count))
    if not encoders.has_h264():
        return
    ways: list[tuple[str, Callable[..., object]]] = [
        ("to_ndarray(bgr24)", lambda picture: picture.to_ndarray(format="bgr24")),
        ("cv2.cvtColor", lambda picture: cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2BGR_I420)),
        ("no conversion", lambda picture: picture),
        ("grey only", lambda picture: np.frombuffer(picture.planes[0], np.uint8)),
    ]
    for name, way in ways:
        yield f"PyAV, 2 threads, {name}", timed(islice(with_pyav(path, 2, way), count))


def encoding(frames: list[Frame], fps: float, folder: Path) -> Iterator[tuple[str, Timed, float]]:
    """Every way to write them, with kilobytes a frame."""
    ways: list[tuple[str, str, str, int | None]] = [
        ("OpenCV, MPEG-4", "a.mp4", "mpeg4", None),
        ("OpenCV, Motion JPEG", "a.avi", "mpeg4", None),
    ]
    if encoders.has_h264():
        presets = (("ultrafast", " (the default)"), ("superfast", ""), ("veryfast", ""))
        ways += [(f"H.264 {preset}{note}", "b.mp4", preset, None) for preset, note in presets]
        ways.append(("H.264 ultrafast, reduced to 720", "b.mp4", "ultrafast", 720))
    chosen = encoders.PRESET
    for name, file, codec, height in ways:
        encoders.PRESET = chosen if codec == "mpeg4" else codec
        first = reduced(frames[0], height)
        size = (first.shape[1] // 2 * 2, first.shape[0] // 2 * 2)
        encoder = encoders.open_encoder(folder / file, fps, size, "mpeg4" if codec == "mpeg4" else "h264")
        took = timed(map(encoder.write, (reduced(frame, height) for frame in frames)))
        encoder.close()
        yield name, took, (folder / file).stat().st_size / len(frames) / 1000
    encoders.PRESET = chosen


def readings(faces: int, size: tuple[int, int], index: int) -> FrameResult:
    """So many faces in a gallery, each with a name, an emotion and a confidence that change from frame to frame."""
    rng = np.random.default_rng([faces, index])
    columns = max(1, int(np.ceil(np.sqrt(faces))))
    width, height = size[0] / columns, size[1] / columns
    found = []
    for face in range(faces):
        x, y = (face % columns + 0.5) * width + rng.normal(0, 1), (face // columns + 0.5) * height
        box = (x - 0.22 * height, y - 0.3 * height, x + 0.22 * height, y + 0.3 * height)
        emotion = (*EMOTIONS, None)[rng.integers(len(EMOTIONS) + 1)]
        student, confidence = f"{NAMES[face % len(NAMES)]} {face}", float(rng.uniform(0.2, 1))
        found.append(Reading(face, box, 0.9, student, 0.7, emotion, confidence, {emotion or "happy": 1.0}))
    return FrameResult("lesson", index, index / 25, *size, tuple(found))


def drawing(frames: list[Frame], pictures: Path | None) -> Iterator[tuple[str, Timed]]:
    """The overlay with no face, one, and many; an example of each is written to the folder ``pictures``."""
    size = (frames[0].shape[1], frames[0].shape[0])
    yield "copy of the frame alone", timed(frame.copy() for frame in frames)
    for faces in (0, 1, 10, 49, 120):
        results, overlay = [readings(faces, size, index) for index in range(len(frames))], Overlay()
        yield (
            f"{faces} face{'' if faces == 1 else 's'}",
            timed(overlay.draw(frame, one) for frame, one in zip(frames, results, strict=True)),
        )
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(pictures / f"overlay_{faces}.png"), overlay.draw(frames[0], results[0]))
