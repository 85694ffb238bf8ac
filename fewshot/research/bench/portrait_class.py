"""The class of real photographs: which people are in it, the sheet that is shipped, and what a correction changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from fewshot.demo.portrait_video import COLUMNS, FPS, SIZE
from fewshot.demo.portraits import CONSENT, HEIGHT, PORTRAITS, STATES, WIDTH
from fewshot.live.sources.base import FrameSource
from fewshot.pictures import read_picture
from fewshot.room import Classroom
from fewshot.types import Frame, Reading

Faces = Mapping[tuple[str, str], Frame]
"""(person, state) -> portrait, shape (240, 320, 3)."""
CUT = (slice(50, 365), slice(30, 450))
"""Rows and columns of a photograph of the set, 480 x 480, that are kept: the head, in the shape of a call's tile."""
CLEARLY = 0.9
"""A smile is read clearly if "happy" has at least this probability."""
AFTER = 5.0
"""Seconds for which a correction is followed."""


def cut(folder: Path, number: str) -> dict[str, Frame]:
    """State -> the portrait of one person of the set, shape (240, 320, 3)."""
    found = {}
    for state in STATES:
        whole = read_picture(folder / f"{number}_{state}.jpg")[CUT]
        found[state] = np.asarray(cv2.resize(whole, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    return found


def numbers_of(folder: Path) -> list[str]:
    """Everybody of the set who has both photographs, as the files are named."""
    return sorted(
        path.name[:3] for path in folder.glob("*_neutral.jpg") if (folder / f"{path.name[:3]}_happy.jpg").exists()
    )


def enrolled(faces: Faces, people: Sequence[str]) -> Classroom:
    """A class in memory of at most twelve people, each with the neutral portrait only."""
    room = Classroom.temporary("portraits")
    with TemporaryDirectory() as folder:
        for person in people:
            target = Path(folder, person, "neutral")
            target.mkdir(parents=True)
            cv2.imwrite(str(target / "1.jpg"), faces[person, "neutral"], [cv2.IMWRITE_JPEG_QUALITY, 95])
        room.enroll_folder(folder, consent_by=CONSENT)
    return room


def still(faces: Faces, people: Sequence[str], state: str) -> Frame:
    """A gallery of at most twelve portraits that all show one state, shape (480, 1920, 3)."""
    canvas = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for place, person in enumerate(people):
        top, left = (place // COLUMNS) * HEIGHT, (place % COLUMNS) * WIDTH
        canvas[top : top + HEIGHT, left : left + WIDTH] = faces[person, state]
    return canvas


def read(room: Classroom, faces: Faces, people: Sequence[str], state: str) -> dict[str, Reading]:
    """Person -> the reading in the person's place; whoever was not found, or got another's name, is left out."""
    (result,) = room.watch(still(faces, people, state))
    found = {}
    for reading in result.readings:
        x, y = (reading.box[0] + reading.box[2]) / 2, (reading.box[1] + reading.box[3]) / 2
        place = int(y // HEIGHT) * COLUMNS + int(x // WIDTH)
        if place < len(people) and reading.student == people[place]:
            found[people[place]] = reading
    return found


def read_all(faces: Faces, people: Sequence[str], seed: int) -> dict[str, dict[str, Reading]]:
    """State -> person -> reading, in classes of twelve drawn with ``seed``."""
    order = [str(person) for person in np.random.default_rng(seed).permutation(list(people))]
    found: dict[str, dict[str, Reading]] = {state: {} for state in STATES}
    for start in range(0, len(order), len(PORTRAITS)):
        some = order[start : start + len(PORTRAITS)]
        room = enrolled(faces, some)
        for state in STATES:
            found[state] |= read(room, faces, some, state)
    return found


def draw(smiles: Mapping[str, Reading], seed: int, number: int = 10) -> list[str]:
    """People whose smile is read clearly, drawn with ``seed``."""
    clear = sorted(one for one, seen in smiles.items() if seen.emotion == "happy" and (seen.confidence or 0) >= CLEARLY)
    return [str(person) for person in np.random.default_rng(seed).choice(clear, number, replace=False)]


def sheet(faces: Faces, people: Sequence[str], target: Path, quality: int = 88) -> int:
    """Write the asset ``fewshot/demo/portraits.jpg``. Returns its size in bytes."""
    rows = [np.hstack([faces[person, state] for person in people]) for state in STATES]
    cv2.imwrite(str(target), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return target.stat().st_size


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction of one smile changed.

    Attributes:
        before: the state that was shown of the smile; "unsure" if none.
        seconds: of the moving picture until "happy" is shown; None if it is not within ``AFTER`` seconds.
        neutral: the state that is then shown of the neutral portrait.
        others: how many other people's portraits, of both states, are shown otherwise than before.
    """

    before: str
    seconds: float | None
    neutral: str
    others: int


def correct(faces: Faces, people: Sequence[str], person: str) -> Corrected:
    """Correct one person's smile to "happy" in a fresh class, while the smile goes on, as a teacher would."""
    room = enrolled(faces, people)
    was = {state: read(room, faces, people, state) for state in STATES}
    before = _shown(was["happy"], person)
    smile = still(faces, people, "happy")
    lesson = room.recorder(source="portraits").lesson
    changed, corrected = None, None
    frames = (smile for _ in range(round((2 + AFTER) * FPS)))
    for step in room.loop().run(FrameSource(frames, FPS)):
        for reading, face in zip(step.result.readings, step.faces, strict=True):
            if reading.student != person or face.expression is None:
                continue
            if corrected is None and step.result.time >= 2:
                room.correct(lesson, person, step.result.time, "happy", face.expression, said=reading.emotion)
                corrected = step.result.time
            elif corrected is not None and changed is None and reading.emotion == "happy":
                changed = step.result.time - corrected
    now = {state: read(room, faces, people, state) for state in STATES}
    others = sum(
        _shown(was[state], other) != _shown(now[state], other)
        for state in STATES
        for other in people
        if other != person
    )
    return Corrected(before, changed, _shown(now["neutral"], person), others)


def _shown(readings: Mapping[str, Reading], person: str) -> str:
    return readings[person].emotion or "unsure" if person in readings else "not found"
