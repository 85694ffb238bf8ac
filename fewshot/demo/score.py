"""Compares the demo's results with the true answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from fewshot.demo.sample import PEOPLE, Person
from fewshot.faces.boxes import pairwise_iou
from fewshot.types import FrameResult, Reading


@dataclass(slots=True)
class Tally:
    """Frames of one person.

    Attributes:
        frames: number of frames in which the person was in view.
        found: frames with a reading on the face.
        right, wrong, unknown: found frames with the person's name, with another name, without a name.
        emotions: the readings, "unsure" if no emotion was named.
    """

    frames: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    emotions: Counter[str] = field(default_factory=Counter)


def reading_of(box: NDArray[np.floating], readings: tuple[Reading, ...]) -> Reading | None:
    """The reading whose box overlaps ``box``, shape (4,), most, if by at least 0.3 (intersection over union)."""
    overlaps = pairwise_iou(box, np.array([reading.box for reading in readings]))[0]
    best = int(overlaps.argmax()) if readings else -1
    return readings[best] if readings and overlaps[best] >= 0.3 else None


class Scorecard:
    """Counts frame by frame."""

    def __init__(self) -> None:
        self.tallies = {person.name: Tally() for person in PEOPLE}

    def add(self, result: FrameResult, boxes: NDArray[np.floating]) -> None:
        """Count one frame; ``boxes`` are the true ones of ``PEOPLE``, shape (6, 4)."""
        for person, box in zip(PEOPLE, boxes, strict=True):
            tally = self.tallies[person.name]
            tally.frames += 1
            reading = reading_of(box, result.readings)
            if reading is None:
                continue
            tally.found += 1
            tally.emotions[reading.emotion or "unsure"] += 1
            if reading.student is None:
                tally.unknown += 1
            elif reading.student == person.name:
                tally.right += 1
            else:
                tally.wrong += 1

    def is_right(self, person: Person) -> bool:
        """Whether the person never got a wrong name, and was named (or, a guest, found) as expected."""
        tally = self.tallies[person.name]
        return tally.wrong == 0 and (tally.right > tally.frames / 2 if person.enrolled else tally.found > 0)

    def table(self) -> Table:
        """The table for the terminal."""
        table = Table("Person", "Enrolled")
        for column in ("Found", "Own name", "Unknown", "Wrong name"):
            table.add_column(column, justify="right")
        table.add_column("Mostly shown")
        table.add_column("")
        for person in PEOPLE:
            tally = self.tallies[person.name]
            shares = [f"{100 * n / tally.frames:.0f} %" for n in (tally.found, tally.right, tally.unknown, tally.wrong)]
            emotion = tally.emotions.most_common(1)
            table.add_row(
                person.name,
                "yes" if person.enrolled else "no",
                *shares,
                emotion[0][0] if emotion else "-",
                "[green]right[/green]" if self.is_right(person) else "[red]wrong[/red]",
            )
        return table
