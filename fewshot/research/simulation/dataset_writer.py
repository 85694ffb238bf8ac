"""Virtual classrooms on disk: the video, its truth, and the enrollment photos."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from insightface.model_zoo.scrfd import SCRFD
from rich.progress import track

from fewshot.errors import FewshotError, SourceError
from fewshot.research.datasets.subjects import Picture, read_subjects
from fewshot.research.simulation.renderer import draw_classroom, with_faces
from fewshot.research.simulation.truth import Box, Truth
from fewshot.research.simulation.virtual_classroom import GalleryPlan, Settings, plan_classroom
from fewshot.types import Frame

SCRFD_FILE = "models/insightface/models/buffalo_sc/det_500m.onnx"


def scrfd_locator(model: Path) -> Callable[[Frame], Box]:
    """A function that finds the largest face of an original picture, with SCRFD at 640x640."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    detector = SCRFD(str(model), session=session)
    detector.prepare(-1, input_size=(640, 640), det_thresh=0.3)

    def locate(picture: Frame) -> Box:
        # The margin helps where the face fills the picture.
        margin = max(picture.shape[:2]) // 8
        wide = cv2.copyMakeBorder(picture, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        boxes, _ = detector.detect(wide)
        if len(boxes) == 0:
            raise SourceError("No face found in a picture of the dataset. Leave it out of the table.")
        sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        x0, y0, x1, y1 = (float(value) - margin for value in boxes[int(np.argmax(sizes)), :4])
        return x0, y0, x1, y1

    return locate


def picture_loader(root: Path) -> Callable[[Picture], Frame]:
    """A function that reads a picture of the table, BGR."""

    def load(picture: Picture) -> Frame:
        pixels = cv2.imread(str(root / picture.path), cv2.IMREAD_COLOR)
        if pixels is None:
            raise SourceError(f"Cannot read {picture.path}, which the table of pictures names.")
        bgr: Frame = pixels
        return bgr

    return load


def write_photos(plan: GalleryPlan, root: Path, folder: Path) -> None:
    """Enrollment photos as PNG, unchanged otherwise."""
    load = picture_loader(root)
    for mode, students in plan.photos.items():
        for student, emotions in students.items():
            for emotion, pictures in emotions.items():
                target = folder / mode / student / emotion
                target.mkdir(parents=True, exist_ok=True)
                for picture in pictures:
                    cv2.imwrite(str(target / f"{Path(picture.path).stem}.png"), load(picture))


def write_classroom(
    plan: GalleryPlan, root: Path, folder: Path, locate: Callable[[Frame], Box], codec: str = "mp4v"
) -> Truth:
    """Video, truth and photos, into ``folder``.

    Raises:
        SourceError: this machine cannot write a video with that codec.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_photos(plan, root, folder / "photos")
    truth = write_video(plan, picture_loader(root), locate, folder / "video.mp4", codec)
    truth.save(folder / "truth.json")
    return truth


def write_video(
    plan: GalleryPlan, load: Callable[[Picture], Frame], locate: Callable[[Frame], Box], path: Path, codec: str = "mp4v"
) -> Truth:
    """Only the video, and what is true in it. The codec is four letters of OpenCV's, or "h264".

    Raises:
        SourceError: this machine cannot write a video with that codec.
    """
    settings = plan.settings
    writer = _writer(path, settings, codec)
    boxes = []
    try:
        drawn = draw_classroom(plan, load, locate)
        for frame, faces in track(drawn, f"drawing {path.parent.name}", settings.frames, transient=True):
            writer.write(frame)
            boxes.append(faces)
    finally:
        writer.release()
    return with_faces(plan, boxes)


def _writer(path: Path, settings: Settings, codec: str) -> cv2.VideoWriter | H264Video:
    size = (settings.width, settings.height)
    if codec == "h264":
        return H264Video(path, settings.fps, size)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), settings.fps, size)
    if not writer.isOpened():
        raise SourceError(f"Cannot write an MP4 file with the codec {codec}. Try --codec mp4v.")
    return writer


def classroom_at(
    folder: Path, shared: Path, dataset: str, settings: Settings, skip: tuple[str, ...] = (), codec: str = "mp4v"
) -> Truth:
    """The classroom in ``folder``: as it lies there if it was made with the same settings, otherwise made anew."""
    made_with = folder / "plan.json"
    wanted = json.dumps({"dataset": dataset, "skip": skip, "codec": codec, **asdict(settings)})
    if made_with.is_file() and _plan_in(made_with) == json.loads(wanted):
        return Truth.load(folder / "truth.json")
    root = shared / "data"
    pictures = read_subjects(root / "subjects.csv", [dataset])
    pictures = [picture for picture in pictures if picture.student not in skip]
    plan = plan_classroom(pictures, settings)
    # Written last: a folder without it was not finished.
    made_with.unlink(missing_ok=True)
    shutil.rmtree(folder / "photos", ignore_errors=True)
    truth = write_classroom(plan, root, folder, scrfd_locator(shared / SCRFD_FILE), codec)
    made_with.write_text(wanted, encoding="utf-8")
    return truth


def _plan_in(file: Path) -> dict[str, object]:
    """What a finished classroom was made with; a setting that did not exist then had its default."""
    defaults = json.loads(json.dumps({"codec": "mp4v", **asdict(Settings())}))
    return {**defaults, **json.loads(file.read_text(encoding="utf-8"))}


BIT_RATE = 6_000_000
"""Bits a second of a 1920x1080 video: what recorders of screens and meetings are usually set to."""
PRESET = "veryfast"
"""Of libx264: what recorders use while they record."""
KEY_FRAMES = 2.0
"""Seconds between two pictures that are stored whole."""


class H264Video:
    """An MP4 file with one H.264 stream, through PyAV.

    Args:
        path: of the file; one that is there is written over.
        fps: frames a second.
        size: width and height, both even.

    Raises:
        FewshotError: PyAV is not installed, or has no H.264 encoder.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        try:
            import av
        except ImportError as error:
            raise FewshotError("Writing H.264 needs PyAV. Install it (pip install av), or use --codec mp4v.") from error
        self._av: Any = av
        self._file = av.open(str(path), "w")
        try:
            stream: Any = self._file.add_stream("h264", rate=Fraction(fps).limit_denominator(1001))
        except av.error.FFmpegError as error:
            self._file.close()
            raise FewshotError(f"This PyAV cannot encode H.264 ({error}). Use --codec mp4v.") from error
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = round(BIT_RATE * size[0] * size[1] / (1920 * 1080))
        stream.gop_size = round(KEY_FRAMES * fps)
        stream.options = {"preset": PRESET}
        self._stream = stream

    def write(self, frame: Frame) -> None:
        """Append one frame, BGR."""
        picture = self._av.VideoFrame.from_ndarray(frame, format="bgr24")
        self._file.mux(self._stream.encode(picture))

    def release(self) -> None:
        """Finish the file. May be called again."""
        if self._stream is not None:
            self._file.mux(self._stream.encode(None))
            self._file.close()
            self._stream = None
