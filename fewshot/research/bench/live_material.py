"""What the live system is measured on: scenes of real pictures or of the sample picture, and photos to enroll."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from fewshot.demo.sample import PEOPLE, sample_picture
from fewshot.research.bench.live_bench import FACES
from fewshot.research.datasets.subjects import by_student, read_subjects
from fewshot.research.simulation.scenes import (
    DATASET,
    SCENES,
    Scene,
    made_up_scene,
    scene_at,
)
from fewshot.research.simulation.truth import Box
from fewshot.types import Frame

STUDENTS, PHOTOS = 50, 5


def portraits() -> list[tuple[Frame, Box]]:
    """The six faces of the sample picture, each with some room around it, and its box."""
    picture = sample_picture()
    height, width = picture.shape[:2]
    cut = []
    for person in PEOPLE:
        x0, y0, x1, y1 = person.box
        room = (x1 - x0) // 2
        left, top, right, bottom = max(0, x0 - room), max(0, y0 - room), min(width, x1 + room), min(height, y1 + room)
        face = (float(x0 - left), float(y0 - top), float(x1 - left), float(y1 - top))
        cut.append((np.ascontiguousarray(picture[top:bottom, left:right]), face))
    return cut


def scenes_for(shared: Path, work: Path, longest: float) -> dict[str, Scene]:
    """All scenes, of real pictures if there are any.

    Args:
        shared: folder that may have ``data``.
        work: folder for the videos.
        longest: of a video, in seconds.
    """
    if (shared / "data" / "subjects.csv").is_file():
        return {name: scene_at(work, shared, name, longest) for name in SCENES}
    print("No pictures in --shared: galleries of the sample picture; nothing is said about names or enrolling.")
    drawn = portraits()
    return {name: made_up_scene(work, name, longest, drawn) for name in FACES}


def photos_to_enroll(shared: Path, folder: Path) -> Path:
    """50 students with 5 photos each, PHOTOS/<student>/<emotion>/<file>."""
    pictures = by_student(read_subjects(shared / "data" / "subjects.csv", [DATASET]))
    able = {student: emotions for student, emotions in pictures.items() if len(emotions) >= PHOTOS}
    shutil.rmtree(folder, ignore_errors=True)
    for student in list(able)[:STUDENTS]:
        for emotion, takes in list(able[student].items())[:PHOTOS]:
            target = folder / student / emotion
            target.mkdir(parents=True)
            shutil.copy(shared / "data" / takes[0].path, target)
    return folder
