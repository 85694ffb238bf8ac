"""Which label lies under each track. The labels are read in a thread of their own: the loop never waits for it."""

from __future__ import annotations

import logging
import threading
import time as clocks
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.call_labels.matching import NameBook
from fewshot.call_labels.written import plain_name
from fewshot.types import Face, Frame

logger = logging.getLogger(__name__)

EVERY, AGAIN = 2.0, 4.0
"""Seconds between two readings of one tile: until its name is known, and afterwards."""
APART = 1.0
"""Seconds between two frames of which labels are read, at least; and twice as long as the last one took."""
AGREE, AGREE_NEAR = 2, 3
"""Readings in a row that must agree; more of them where another student's name is nearly the same."""
STALE = 15.0
"""Seconds for which a name holds while its label cannot be read."""
SURE, SURE_NEAR = 0.8, 0.93
"""Score of a reading that counts, 0..1; and where another student's name is nearly the same."""
IDLE = 5.0
"""Seconds without work after which the thread ends. The next frame starts another one."""
SOMEBODY = ""
"""The label names a student who may not be named: it agrees with nobody's face."""
_FAULTS = 3
"""Errors in a row after which no more labels are read."""
_SCALES = (1.0, 1.25, 1.1, 1.4)
"""A single picture is read in these sizes: a slip of the reader is hardly ever the same in two of them. One more
than the readings that are needed at most, because a tile is not found in every size."""


class Text(NamedTuple):
    """What stands on one tile, and how sure the reader is, 0..1."""

    text: str
    score: float


class ReadsLabels(Protocol):
    """Reads the labels of the tiles in which some of the faces are (``reader.LabelReader``)."""

    def read(
        self, frame: Frame, boxes: Sequence[NDArray[np.floating]], wanted: Sequence[int], /
    ) -> Sequence[Text | None]: ...


@dataclass(slots=True)
class _Track:
    """What the label of one track said so far."""

    asked: float = -np.inf
    student: str | None = None
    agreed: int = 0
    needed: int = AGREE
    last: float = -np.inf
    slipped: bool = False
    offer: str = ""
    offers: int = 0

    @property
    def named(self) -> bool:
        return self.student is not None and self.agreed >= self.needed

    def drop(self) -> None:
        self.student, self.agreed, self.slipped, self.offer, self.offers = None, 0, False, "", 0


class _Job(NamedTuple):
    frame: Frame
    boxes: list[NDArray[np.floating]]
    wanted: list[int]
    tracks: list[tuple[int, _Track]]
    time: float


class TileLabels:
    """The labels of one run. ``see`` and ``student_of`` are called by the loop, the others from any thread.

    A text is compared with the names of the class at once. What is no student's name is dropped there: it is neither
    kept nor logged.

    Args:
        reader: reads the labels.
        wait: ``see`` waits until the labels are read, so that a file gives the same result every time.
        clock: monotonic seconds.

    Attributes:
        offers: also keep, in memory, names that are nobody's of the class, because the teacher collects the faces of
            people who are not enrolled.
    """

    def __init__(self, reader: ReadsLabels, wait: bool = False, clock: Callable[[], float] = clocks.monotonic) -> None:
        self.wait = wait
        self._offers = False
        self._reader, self._clock = reader, clock
        self._book = NameBook(())
        self._names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        self._tracks: dict[int, _Track] = {}
        self._state = threading.Condition()  # protects everything but the reader
        self._reading = threading.Lock()  # protects the reader
        self._job: _Job | None = None
        self._busy = False
        self._next = -np.inf
        self._faults = 0
        self._thread: threading.Thread | None = None

    @property
    def offers(self) -> bool:
        """See the class."""
        return self._offers

    @offers.setter
    def offers(self, on: bool) -> None:
        with self._state:
            self._offers = on
            if not on:
                for track in self._tracks.values():
                    track.offer, track.offers = "", 0

    def names(self, students: Iterable[str], consenting: Collection[str]) -> None:
        """The students of the class now, and those who may be named. Names of all others are dropped at once."""
        given = frozenset(students), frozenset(consenting)
        if given == self._names:
            return
        with self._state:
            self._names, self._book = given, NameBook(given[0], given[1])
            for track in self._tracks.values():
                if track.student not in given[1]:
                    track.drop()

    def see(self, frame: Frame, faces: Sequence[Face], time: float, changed: Collection[int] = ()) -> None:
        """Look at one frame. It returns at once, unless ``wait`` is set.

        Args:
            frame: BGR, shape (height, width, 3); it may change afterwards.
            faces: all faces of the frame.
            time: of the frame, seconds.
            changed: tracks that may show somebody else since the frame before. They lose their names.
        """
        with self._state:
            for number in changed:
                self._tracks.pop(number, None)  # a reading that is on its way is lost with it
            if not self._free():
                return
            due = [number for number, face in enumerate(faces) if face.track >= 0 and self._is_due(face.track, time)]
            if not due:
                return
            tracks = [(faces[number].track, self._tracks.setdefault(faces[number].track, _Track())) for number in due]
            for _, track in tracks:
                track.asked = time
            self._job = _Job(frame.copy(), [face.box.copy() for face in faces], due, tracks, time)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="fewshot labels", daemon=True)
                self._thread.start()
            self._state.notify_all()
            while self.wait and (self._job is not None or self._busy):
                self._state.wait()

    def student_of(self, track: int, time: float) -> str | None:
        """The student whose label lies under a track; ``SOMEBODY`` for one who may not be named; None for no answer."""
        with self._state:
            found = self._tracks.get(track)
            return found.student if found is not None and found.named and time - found.last <= STALE else None

    def offer_of(self, track: int) -> str:
        """A name to offer to the teacher for a track that has none; "" if there is none."""
        with self._state:
            found = self._tracks.get(track)
            if found is None:
                return ""
            return (found.student or "") if found.named else found.offer if found.offers >= AGREE else ""

    def in_picture(self, frame: Frame, faces: Sequence[Face]) -> list[str | None]:
        """The students whose labels lie under the faces of a single picture, read at once; as ``student_of``.

        A picture has no second reading a moment later, so it is read in several sizes, which must agree as readings of
        a video must.

        Args:
            frame: BGR, shape (height, width, 3).
            faces: all faces of it.
        """
        tracks = [_Track() for _ in faces]
        for scale in _SCALES:
            wanted = [place for place, track in enumerate(tracks) if not track.named]
            if not wanted:
                break
            try:
                with self._reading:
                    texts = self._reader.read(_scaled(frame, scale), [scale * face.box for face in faces], wanted)
            except Exception as error:  # the picture is analysed without labels
                logger.warning("the labels of a picture cannot be read: %s", type(error).__name__)
                return [None] * len(faces)
            with self._state:
                for place, text in zip(wanted, texts, strict=True):
                    self._learn(tracks[place], text, 0.0, offers=False)
        return [track.student if track.named else None for track in tracks]

    def forget(self, alive: Collection[int]) -> None:
        """Drop what is known about tracks that ended."""
        with self._state:
            if len(self._tracks) and not self._tracks.keys() <= set(alive):
                self._tracks = {number: track for number, track in self._tracks.items() if number in alive}
            if not alive:
                self._next = -np.inf

    def _free(self) -> bool:
        if self._faults >= _FAULTS or self._job is not None or self._busy:
            return False
        return self.wait or self._clock() >= self._next

    def _is_due(self, number: int, time: float) -> bool:
        track = self._tracks.get(number)
        if track is None or time < track.asked:  # another source may begin at time 0 again
            return True
        return time - track.asked >= (AGAIN if track.named else EVERY)

    def _work(self) -> None:
        while True:
            with self._state:
                if self._job is None and not self._state.wait_for(lambda: self._job is not None, IDLE):
                    self._thread = None
                    return
                job, self._job, self._busy = self._job, None, True
            assert job is not None  # nosec B101: for the type checker
            begun = self._clock()
            try:
                with self._reading:
                    texts = self._reader.read(job.frame, job.boxes, job.wanted)
                fault = None
            except Exception as error:  # a lesson goes on without labels
                texts, fault = [], error
            with self._state:
                self._busy = False
                fault = fault or self._learn_all(job, texts)
                self._next = begun + max(APART, 2 * (self._clock() - begun))
                self._faults = 0 if fault is None else self._faults + 1
                if self._faults == _FAULTS:
                    logger.warning("the labels of the call cannot be read: %s", type(fault).__name__)
                self._state.notify_all()

    def _learn_all(self, job: _Job, texts: Sequence[Text | None]) -> Exception | None:
        """Learn from the texts of one frame. Returns what went wrong: a thread that ends would be waited for."""
        try:
            for (number, track), text in zip(job.tracks, texts, strict=False):
                if self._tracks.get(number) is track:
                    self._learn(track, text, job.time, self._offers)
        except Exception as error:
            return error
        return None

    def _learn(self, track: _Track, text: Text | None, time: float, offers: bool) -> None:
        """Compare one reading with the names; the text itself is not kept, unless ``offers`` keeps it."""
        if text is None or text.score < SURE:
            return
        found = self._book.match(text.text)
        if found is not None and found.near and text.score < SURE_NEAR:
            return
        if found is None and track.student and not track.slipped and self._book.is_slip(text.text, track.student):
            track.slipped = True  # the next one like it is no accident
            return
        if found is None:
            offer = plain_name(text.text) if offers else ""
            times = track.offers + 1 if offer and offer == track.offer else 1
            track.drop()
            track.offer, track.offers = offer, times
            return
        student = found.student if found.may else SOMEBODY
        if track.student != student:
            track.drop()
            track.student = student
        track.agreed, track.slipped = track.agreed + 1, False
        track.needed = AGREE_NEAR if found.near else AGREE
        track.last = time


def _scaled(frame: Frame, scale: float) -> Frame:
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
