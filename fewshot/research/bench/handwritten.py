"""The loop a user writes by hand: InsightFace for the faces, the ``fer`` package's network for each of them.

    python experiments/baselines/handwritten.py outputs/live/class_49_60s/video.mp4 --start 50 --frames 8

What one finds in tutorials: ``FaceAnalysis("buffalo_sc")``, ``get``, then mini_XCEPTION once a face on a grey crop of
64x64, everything with default threads. Timed from the decoded frame to its labels, one frame after the other; prints
the milliseconds of each. The same machine, video and frames as ours: see experiments/benchmark.py.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import onnxruntime
from insightface.app import FaceAnalysis

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def open_models(shared: Path) -> tuple[FaceAnalysis, onnxruntime.InferenceSession]:
    """Detector with recogniser, and the emotion network, as their documentation opens them."""
    with contextlib.redirect_stdout(io.StringIO()):  # InsightFace prints what it loads
        app = FaceAnalysis("buffalo_sc", root=str(shared / "models" / "insightface"))
        app.prepare(ctx_id=-1, det_size=(640, 640))
    emotion = onnxruntime.InferenceSession(
        str(shared / "models" / "peers" / "fer_mini_xception.onnx"), providers=["CPUExecutionProvider"]
    )
    return app, emotion


def read(frame: np.ndarray, app: FaceAnalysis, emotion: onnxruntime.InferenceSession) -> list[tuple[np.ndarray, str]]:
    """Identity vector and emotion of every face in a frame."""
    found = []
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    for face in app.get(frame):
        x0, y0, x1, y1 = np.clip(face.bbox, 0, [*frame.shape[1::-1], *frame.shape[1::-1]]).astype(int)
        crop = cv2.resize(grey[y0:y1, x0:x1], (64, 64)).astype(np.float32) / 127.5 - 1
        probabilities = emotion.run(None, {"gray_pm1": crop[None, None]})[0][0]
        found.append((face.normed_embedding, EMOTIONS[int(probabilities.argmax())]))
    return found


def frames_of(video: str, start: int, count: int) -> list[np.ndarray]:
    """``count`` decoded frames from ``start`` on."""
    capture = cv2.VideoCapture(video)
    frames = []
    for index in range(start + count):
        good, frame = capture.read()
        if not good:
            break
        if index >= start:
            frames.append(frame)
    capture.release()
    return frames


def main() -> None:
    """The command: prints the seconds per frame, and writes them with ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with models/")
    parser.add_argument("--start", type=int, default=50)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    app, emotion = open_models(arguments.shared)
    frames = frames_of(arguments.video, arguments.start, arguments.frames)
    read(frames[0], app, emotion)  # the first call of a network costs more
    told: dict[str, list[float]] = {"ms": [], "faces": []}
    for frame in frames:
        start = perf_counter()
        found = read(frame, app, emotion)
        told["ms"].append(1000 * (perf_counter() - start))
        told["faces"].append(len(found))
    if arguments.out:
        arguments.out.write_text(json.dumps(told), encoding="utf-8")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
