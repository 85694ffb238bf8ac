"""What the lessons of a load run show: each one a gallery of people, and one photo of each to enroll.

The first four lessons have nobody in common. Later ones share some people with earlier ones, never all.
"""

from __future__ import annotations

import pickle  # nosec B403: only our own file, see drawn
import shutil
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2

from fewshot.accounts.tokens import Tokens
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import SourceError, UsageError
from fewshot.research.datasets.subjects import Picture, by_student, read_subjects
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator, write_photos
from fewshot.research.simulation.renderer import draw_classroom
from fewshot.research.simulation.virtual_classroom import Settings, plan_classroom
from fewshot.room import Classroom

DATASET = "cfee"
SIDE, FPS, SECONDS = 5, 5.0, 12.0
FACES = SIDE * SIDE
People = list[list[Picture]]
"""The pictures of each person."""
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


def material(shared: Path, work: Path, lessons: int) -> list[Material]:
    """Draw the lessons and enroll their classes in the default database.

    Args:
        shared: folder with ``data`` and ``models``.
        work: folder where drawn lessons are kept for the next run.
        lessons: how many.

    Raises:
        UsageError: there are too few people.
    """
    people, found = _people(shared), list[Material]()
    for number in range(lessons):
        frames, people = drawn(shared, work / f"lesson-{number}", people)
        found.append(_enrolled(f"load {number + 1}", work / f"lesson-{number}" / "photos" / "neutral", frames))
    return found


def drawn(shared: Path, folder: Path, people: People) -> tuple[tuple[bytes, ...], People]:
    """The frames of one lesson, from ``folder`` if they are there; photos to enroll lie beside them.

    Returns:
        JPEG files, and the people in the order in which other lessons take them: those of this one last.

    Raises:
        UsageError: there are too few people.
    """
    kept = folder / "frames.pickle"
    if kept.is_file():
        frames, used = pickle.loads(kept.read_bytes())  # nosec B301: written below
        return tuple(frames), [*people[used:], *people[:used]]
    pictures, used = _seen(shared, people)
    settings = Settings(columns=SIDE, rows=SIDE, width=1280, height=720, seconds=SECONDS, fps=FPS)
    plan = plan_classroom(pictures, settings)
    load = picture_loader(shared / "data")
    shutil.rmtree(folder, ignore_errors=True)
    write_photos(plan, shared / "data", folder / "photos")
    made = []
    for frame, _ in draw_classroom(plan, load, scrfd_locator(shared / SCRFD_FILE)):
        made.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
    kept.write_bytes(pickle.dumps((made, used)))
    return tuple(made), [*people[used:], *people[:used]]


def _seen(shared: Path, people: People) -> tuple[list[Picture], int]:
    """The pictures, with a face that is found, of the first people who fill a lesson, and how many were looked at."""
    load, locate = picture_loader(shared / "data"), scrfd_locator(shared / SCRFD_FILE)
    pictures, full = list[Picture](), 0
    for used, person in enumerate(people, 1):
        good = []
        for picture in person:
            with suppress(SourceError):
                locate(load(picture))
                good.append(picture)
        if len(good) > 1 and any(picture.emotion == "neutral" for picture in good):
            pictures, full = pictures + good, full + 1
        if full == FACES:
            return pictures, used
    raise UsageError(f"There are not enough people in {shared / 'data'} for this many lessons of {FACES} faces.")


def _people(shared: Path) -> People:
    """The pictures of every person who has a neutral one and others."""
    pictures = read_subjects(shared / "data" / "subjects.csv", [DATASET])
    able = {who for who, shown in by_student(pictures).items() if "neutral" in shown and len(shown) > 1}
    kept = sorted((picture for picture in pictures if picture.student in able), key=lambda picture: picture.student)
    return [list(group) for _, group in groupby(kept, key=lambda picture: picture.student)]


def _enrolled(name: str, photos: Path, frames: tuple[bytes, ...]) -> Material:
    room = Classroom.open(name)
    if not room.exists:
        room.enroll_folder(photos, consent_by="the people of the data set")
    tokens = Tokens(room.store.database)
    text, _ = tokens.add(LOCAL_TEACHER, name, {"read", "lesson"}, [name])
    return Material(name, frozenset(room.students), frames, text)
