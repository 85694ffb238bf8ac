"""What the lessons of a load run show: each one a gallery of other people, and one photo of each to enroll."""

from __future__ import annotations

import pickle  # nosec B403: only our own file, see drawn
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2

from fewshot.accounts.tokens import Tokens
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture, by_student, read_subjects
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator, write_photos
from fewshot.research.simulation.renderer import draw_classroom
from fewshot.research.simulation.virtual_classroom import Settings, plan_classroom
from fewshot.room import Classroom

DATASETS = ("cfee", "ckplus")
SIDE, FPS, SECONDS = 5, 5.0, 12.0
FACES = SIDE * SIDE
QUALITY = 85
"""Of the JPEG files, as a browser makes them."""


@dataclass(frozen=True, slots=True)
class Material:
    """One lesson.

    Attributes:
        classroom: name of the class.
        students: who is shown, all enrolled.
        frames: JPEG files, ``FPS`` per second; they are shown again and again.
        token: opens this class only.
    """

    classroom: str
    students: frozenset[str]
    frames: tuple[bytes, ...]
    token: str = ""


def most_lessons(shared: Path) -> int:
    """How many lessons can show other people each."""
    return len(_people(shared)) // FACES


def material(shared: Path, work: Path, lessons: int) -> list[Material]:
    """Draw the lessons and enroll their classes in the default database.

    Args:
        shared: folder with ``data`` and ``models``.
        work: folder where drawn lessons are kept for the next run.
        lessons: how many.

    Raises:
        UsageError: there are not so many people.
    """
    people = _people(shared)
    if lessons > len(people) // FACES:
        raise UsageError(f"{len(people)} people are enough for {len(people) // FACES} lessons of {FACES} faces.")
    found = []
    for number in range(lessons):
        chosen = people[number * FACES : (number + 1) * FACES]
        frames = drawn(shared, work / f"lesson-{number}", [picture for person in chosen for picture in person])
        found.append(_enrolled(f"load {number + 1}", work / f"lesson-{number}" / "photos" / "neutral", frames))
    return found


def drawn(shared: Path, folder: Path, pictures: list[Picture]) -> tuple[bytes, ...]:
    """The frames of one lesson, from ``folder`` if they are there; photos to enroll lie beside them."""
    kept = folder / "frames.pickle"
    if kept.is_file():
        return tuple(pickle.loads(kept.read_bytes()))  # nosec B301: written below
    settings = Settings(columns=SIDE, rows=SIDE, width=1280, height=720, seconds=SECONDS, fps=FPS)
    plan = plan_classroom(pictures, settings)
    load = picture_loader(shared / "data")
    write_photos(plan, shared / "data", folder / "photos")
    made = []
    for frame, _ in draw_classroom(plan, load, scrfd_locator(shared / SCRFD_FILE)):
        made.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
    kept.write_bytes(pickle.dumps(made))
    return tuple(made)


def _people(shared: Path) -> list[list[Picture]]:
    """The pictures of every person who has a neutral one and others."""
    pictures = read_subjects(shared / "data" / "subjects.csv", DATASETS)
    able = {who for who, shown in by_student(pictures).items() if "neutral" in shown and len(shown) >= 5}
    kept = sorted((picture for picture in pictures if picture.student in able), key=lambda picture: picture.student)
    return [list(group) for _, group in groupby(kept, key=lambda picture: picture.student)]


def _enrolled(name: str, photos: Path, frames: tuple[bytes, ...]) -> Material:
    room = Classroom.open(name)
    if not room.exists:
        room.enroll_folder(photos, consent_by="the people of the data set")
    tokens = Tokens(room.store.database)
    text, _ = tokens.add(LOCAL_TEACHER, name, {"read", "lesson"}, [name])
    return Material(name, frozenset(room.students), frames, text)
