"""Faces of people who are not enrolled, collected during a lesson: in memory only, grouped by person, and bounded."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from fewshot.app.guest_crops import BEST, Crop, best_crops, good_enough, kept_crops, portrait_of
from fewshot.app.guided import goodness
from fewshot.live.interfaces import Step
from fewshot.types import Face, Reading

MOST_PEOPLE = 60
"""People who are collected at the same time."""
HELD_FOR = 300.0
"""Seconds for which the pictures of a person stay the same while a teacher names the person."""
MOST_TRACKS = 500
"""Tracks of which it is remembered whom they showed."""
LONG_AGO = 60.0
"""Seconds of the lesson after which a person who is out of view makes room for another one, if there are too many."""

Value = TypeVar("Value")

__all__ = ["BEST", "Crop", "Guest", "Guests", "OffersNames"]


class OffersNames(Protocol):
    """Reads the labels of a call (``call_labels.tile_labels.TileLabels``)."""

    offers: bool

    def offer_of(self, track: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Guest:
    """A person who is not enrolled, as a page sees one.

    Attributes:
        number: of the person in this run, from 1.
        last: second of the lesson in which the person was last seen.
        crops: the pictures that are held, the best first; () if none was good enough.
        label: the name on the label of the call below the face; "" if none was read. Like the faces it is in memory
            only, and nothing but an offer to the teacher.
    """

    number: int
    last: float
    crops: tuple[Crop, ...] = field(default=(), repr=False)
    label: str = field(default="", repr=False)

    @property
    def best(self) -> tuple[Crop, ...]:
        """At most three: the sharpest and most frontal ones."""
        return self.crops[:BEST]


class Guests:
    """The people of one lesson who are not enrolled. Off until it is switched on; threads may share it.

    Args:
        clock: monotonic seconds.

    Attributes:
        labels: reads the labels of the call; None if the lesson does not.
    """

    labels: OffersNames | None = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = threading.RLock(), clock
        self._on = self._over = False
        self._ids = itertools.count(1)
        self._last: object = None
        self._forgotten: set[int] = set()
        self._gone_tracks: set[int] = set()
        self._tracks: dict[int, str] = {}
        self._empty()

    def _empty(self) -> None:
        self._people: dict[int, Guest] = {}
        self._same: dict[int, int] = {}
        self._named: set[int] = set()
        self._of_track: dict[int, int] = {}
        self._held: dict[int, float] = {}

    @property
    def on(self) -> bool:
        """Whether faces are collected, or were until the lesson ended."""
        return self._on

    def switch(self, on: bool) -> None:
        """Begin to collect, or stop and forget all faces at once."""
        with self._lock:
            self._on = on and not self._over
            if self.labels is not None:
                self.labels.offers = self._on
            if not self._on:
                self._empty()

    def end(self) -> None:
        """The lesson is over: nothing is collected any more. What was collected stays until ``switch(False)``."""
        with self._lock:
            self._over, self._last = True, None
            self._tracks.clear()
            if self.labels is not None:
                self.labels.offers, self.labels = False, None

    def view(self) -> tuple[Guest, ...]:
        """The people with at least one good picture, by number."""
        with self._lock:
            return tuple(guest for _, guest in sorted(self._people.items()) if guest.crops)

    def unclear(self) -> int:
        """How many people were seen of whom no picture is good enough."""
        with self._lock:
            return sum(not guest.crops for guest in self._people.values())

    def of(self, number: int) -> Guest | None:
        """The person with this number; None if the faces are gone."""
        with self._lock:
            return self._people.get(self._joined(number))

    def hold(self, number: int) -> None:
        """Keep a person's pictures as they are while a teacher looks at them."""
        with self._lock:
            self._held[self._joined(number)] = self._clock() + HELD_FOR

    def release(self, number: int) -> None:
        """The teacher looks no longer: better pictures may come."""
        with self._lock:
            self._held.pop(self._joined(number), None)

    def merge(self, number: int, other: int) -> None:
        """The two are the same person: the first one gets all pictures."""
        with self._lock:
            number, other = self._joined(number), self._joined(other)
            one, two = self._people.get(number), self._people.get(other)
            if number == other or one is None or two is None:
                return
            del self._people[other]
            self._same[other] = number
            self._held.pop(other, None)
            self._people[number] = replace(
                one, last=max(one.last, two.last), crops=best_crops([*one.crops, *two.crops])
            )

    def forget(self, number: int) -> None:
        """This person is not a student: nothing of the person is collected in this lesson any more."""
        with self._lock:
            numbers = self._all_of(number)
            self._forgotten |= numbers
            self._drop(number)

    def name(self, number: int) -> None:
        """This person is enrolled now: the pictures are dropped, and none is collected until the next switching on."""
        with self._lock:
            self._named |= self._all_of(number)
            self._drop(number)

    def gone(self, students: Collection[str]) -> None:
        """Students were removed, or their consent was withdrawn: they are not collected as unknown people."""
        with self._lock:
            tracks = {track for track, student in self._tracks.items() if student in students}
            self._gone_tracks |= tracks
            for number, guest in self._people.items():
                if guest.label in students:
                    self._people[number] = replace(guest, label="")
            for number in {self._of_track[track] for track in tracks & self._of_track.keys()}:
                self.forget(number)

    def take(self, step: Step | None) -> None:
        """Look at one frame with its faces. The same frame twice counts once."""
        if step is None:
            return
        with self._lock:
            if self._over or step.result is self._last:
                return
            self._last = step.result
            for reading, face in zip(step.result.readings, step.faces, strict=True):
                if reading.student is not None:
                    self._recognised(reading.track, reading.student)
                elif not self._on:
                    continue
                elif reading.person is not None:
                    self._collect(step, reading, face, reading.person)

    def _recognised(self, track: int, student: str) -> None:
        """A track has a name. If it had none before, its pictures are of somebody who is enrolled, and are dropped.

        Whom a track showed is noted also while nothing is collected, because a consent may be withdrawn later.
        """
        _note(self._tracks, track, student)
        number = self._of_track.pop(track, None)
        if number is not None and not self._is_held(self._joined(number)):
            self._drop(number)

    def _collect(self, step: Step, reading: Reading, face: Face, person: int) -> None:
        if reading.track in self._gone_tracks:
            self._forgotten.add(person)
        number, second = self._joined(person), step.result.time
        if {number, person} & (self._forgotten | self._named) or not self._place_for(number, second):
            return
        guest = replace(self._people.get(number, Guest(number, second)), last=second)
        _note(self._of_track, reading.track, number)
        label = self.labels.offer_of(reading.track) if self.labels is not None else ""
        if label and not self._is_held(number):
            guest = replace(guest, label=label)
        if not self._is_held(number) and good_enough(face):
            crop = self._better(guest, step, reading, face)
            guest = guest if crop is None else replace(guest, crops=kept_crops(guest.crops, crop))
        self._people[number] = guest

    def _better(self, guest: Guest, step: Step, reading: Reading, face: Face) -> Crop | None:
        """The crop of a face, if it is worth keeping; it is cut only then."""
        suggests = max(reading.probabilities, key=lambda state: reading.probabilities[state], default="")
        empty = Crop(next(self._ids), step.result.time, goodness(face), suggests, b"", b"")
        if empty not in kept_crops(guest.crops, empty):
            return None
        cut = portrait_of(step.frame, face, step.faces)
        return None if cut is None else empty.filled(cut, face.crop)

    def _place_for(self, number: int, second: float) -> bool:
        if number in self._people or len(self._people) < MOST_PEOPLE:
            return True
        oldest = min(self._people.values(), key=lambda guest: guest.last)
        if second - oldest.last < LONG_AGO or self._is_held(oldest.number):
            return False
        self._drop(oldest.number)
        return True

    def _is_held(self, number: int) -> bool:
        return self._held.get(number, 0.0) > self._clock()

    def _joined(self, number: int) -> int:
        while number in self._same:
            number = self._same[number]
        return number

    def _all_of(self, number: int) -> set[int]:
        """All numbers of one person, after "same person twice"."""
        wanted = self._joined(number)
        return {wanted, *(one for one in self._same if self._joined(one) == wanted)}

    def _drop(self, number: int) -> None:
        joined = self._joined(number)
        self._people.pop(joined, None)
        self._held.pop(joined, None)


def _note(table: dict[int, Value], track: int, value: Value) -> None:
    """Remember something about a track, and forget the track that was noted first if there are too many."""
    if track >= 0:
        table.pop(track, None)
        table[track] = value
        if len(table) > MOST_TRACKS:
            del table[next(iter(table))]
