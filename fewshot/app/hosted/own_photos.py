"""A visitor's own photos in the demo: the same picture read without and with photos of this person. In memory only."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fewshot.app.setups import advice_of
from fewshot.classroom.names import emotion_of
from fewshot.classroom.photos import shrink
from fewshot.errors import UsageError
from fewshot.live.sources.base import CapturedFrame
from fewshot.room import Classroom
from fewshot.shared_models import MODELS
from fewshot.translation import together, tr
from fewshot.types import Frame, Reading

YOU = "You"
CONSENT = "the person in the photos, who uploaded them to the demo"
MOST_TAUGHT = 12
"""Photos of one visitor."""
PATIENCE = 20.0
"""Seconds that a photo waits for those of other visitors."""
_SIDE = 1280
"""Pixels of the longer side; faces are not classified better in larger pictures of one person."""

_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Compared:
    """One picture, read twice.

    Attributes:
        without: the reading with other people's photos only.
        taught: the reading with the visitor's photos too; None if nothing was taught, or the face was not recognised.
        faces: how many faces the picture has; the largest one was read.
    """

    without: Reading
    taught: Reading | None
    faces: int


class OwnPhotos:
    """A class in memory with one student, the visitor. No photo is kept but the one to test, which is reduced."""

    def __init__(self) -> None:
        self._with, self._without = Classroom.temporary("Your photos"), Classroom.temporary("Nobody")
        for room in (self._with, self._without):
            room.open_models = MODELS.perception
            room.create()
        self.taught: list[str] = []
        self.test: Frame | None = None

    def teach(self, picture: Frame, state: str) -> None:
        """Learn from one photo.

        Args:
            picture: BGR uint8, shape (height, width, 3).
            state: what it shows: an emotion, or any other word.

        Raises:
            UsageError: there is no usable face, the word cannot be used, or there are too many photos.
        """
        label = emotion_of(state)
        if len(self.taught) >= MOST_TAUGHT:
            raise UsageError(
                tr(
                    "You have taught {number} photos, which is the most here. Forget them to begin again.",
                    number=MOST_TAUGHT,
                )
            )
        with _one_at_a_time():
            result = self._with.enroll_pictures(YOU, [(shrink(picture, _SIDE), label)], consent_by=CONSENT)
        refused = next((photo.reason for photo in result.photos if photo.status == "rejected"), result.problem)
        if refused:
            raise UsageError(tr("The photo was not used: {reason}", reason=refused))
        self.taught.append(label)

    def read(self, picture: Frame) -> Compared:
        """Read a picture without and with what was taught, and keep it reduced, to be read again.

        Raises:
            UsageError: there is no face that can be read.
        """
        self.test = small = shrink(picture, _SIDE)
        with _one_at_a_time():
            without = _readings(self._without, small)
            taught = _readings(self._with, small) if self.taught else ()
        if not without:
            raise UsageError(tr("No face was found in the picture. Choose one that shows a face from the front."))
        place = max(range(len(without)), key=lambda number: _area(without[number]))
        if not without[place].probabilities:
            reasons = together(*without[place].reasons, between=", ")
            raise UsageError(
                tr("The face in the picture cannot be read ({reasons}). Choose another picture.", reasons=reasons)
            )
        same = next((one for one in taught if one.box == without[place].box and one.student == YOU), None)
        return Compared(without[place], same, len(without))

    def advice(self) -> list[str]:
        """What a visitor should know about the models, for example that a weaker detector is used."""
        return advice_of(self._without.perception)


def _readings(room: Classroom, picture: Frame) -> Sequence[Reading]:
    height, width = picture.shape[:2]
    frame = CapturedFrame("picture", 0, 0.0, picture, independent=True, size=(width, height))
    return room.loop().step(frame).result.readings


def _area(reading: Reading) -> float:
    x0, y0, x1, y1 = reading.box
    return (x1 - x0) * (y1 - y0)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _turn.acquire(timeout=PATIENCE):
        raise UsageError(tr("The server of this demo is busy with other visitors. Try again in a minute."))
    try:
        yield
    finally:
        _turn.release()
