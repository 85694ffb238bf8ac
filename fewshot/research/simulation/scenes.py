"""The videos that speed is measured on: a class of 49, the same with strangers, 25 tiles, one webcam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.datasets.subjects import Picture
from fewshot.research.simulation.dataset_writer import classroom_at, write_video
from fewshot.research.simulation.truth import Box, Seat, Segment, Truth
from fewshot.research.simulation.virtual_classroom import GalleryPlan, Settings, tile_boxes
from fewshot.types import Frame

DATASET = "cfee"
CODEC = "h264"

CLASS = "class_49"
STRANGERS = "strangers_49"
HALF = "class_25"
WEBCAM = "webcam_1"

SCENES = {
    CLASS: Settings(seconds=60.0, fps=25.0),
    STRANGERS: Settings(seconds=60.0, fps=25.0, strangers=7, leaving=6, elsewhere=True, seed=1),
    HALF: Settings(columns=5, rows=5, seconds=20.0, fps=25.0),
    WEBCAM: Settings(columns=1, rows=1, width=1280, height=720, seconds=20.0, fps=30.0),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A video on disk.

    Attributes:
        video: the file.
        photos: enrollment photos, <student>/<emotion>/*; None where nobody can be enrolled.
        truth: who is where; None where nothing is known.
        faces: in every frame.
    """

    name: str
    video: Path
    photos: Path | None
    truth: Truth | None
    faces: int


def scene_at(work: Path, shared: Path, name: str, longest: float) -> Scene:
    """The scene ``name`` from the pictures in ``shared``, at most so many seconds long; drawn if it is not there."""
    settings = SCENES[name]
    settings = replace(settings, seconds=min(settings.seconds, longest))
    folder = work / f"{name}_{settings.seconds:g}s"
    truth = classroom_at(folder, shared, DATASET, settings, codec=CODEC)
    faces = settings.columns * settings.rows
    return Scene(name, folder / "video.mp4", folder / "photos" / "neutral", truth, faces)


def made_up_scene(work: Path, name: str, longest: float, portraits: Sequence[tuple[Frame, Box]]) -> Scene:
    """The same gallery of a few portraits again and again: good for speed, of no use for who is who.

    Args:
        portraits: pictures (BGR) and the box of the face in each.

    Raises:
        FewshotError: no portraits.
    """
    settings = replace(SCENES[name], strangers=0, leaving=0, elsewhere=False)
    settings = replace(settings, seconds=min(settings.seconds, longest))
    video = gallery_at(work / f"made_up_{name}_{settings.seconds:g}s", settings, portraits)
    return Scene(name, video, None, None, settings.columns * settings.rows)


def gallery_at(folder: Path, settings: Settings, portraits: Sequence[tuple[Frame, Box]]) -> Path:
    """A video of these portraits, each tile one of them for the whole time; drawn if it is not there.

    Raises:
        FewshotError: no portraits.
    """
    if not portraits:
        raise FewshotError("No portrait to draw a gallery of. Give one at least.")
    video = folder / "video.mp4"
    if not video.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        plan = repeated(settings, len(portraits))
        unfinished = folder / "unfinished.mp4"
        write_video(plan, _picture(portraits), _box(portraits), unfinished, CODEC)
        unfinished.replace(video)
    return video


def repeated(settings: Settings, portraits: int) -> GalleryPlan:
    """A plan in which tile k shows portrait k modulo ``portraits`` from the first frame to the last."""
    pictures = {str(k): Picture("made up", str(k), str(k), "neutral") for k in range(portraits)}
    seats = tuple(
        Seat(tile, f"{number}", False, (Segment(0, settings.frames, "neutral", str(number % portraits)),))
        for number, tile in enumerate(tile_boxes(settings))
    )
    return GalleryPlan(settings, seats, pictures)


def _picture(portraits: Sequence[tuple[Frame, Box]]) -> Callable[[Picture], Frame]:
    return lambda picture: portraits[int(picture.path)][0]


def _box(portraits: Sequence[tuple[Frame, Box]]) -> Callable[[Frame], Box]:
    # The stage asks with the very array it was given.
    boxes = {id(frame): box for frame, box in portraits}
    return lambda frame: boxes[id(frame)]
