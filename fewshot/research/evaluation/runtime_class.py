"""A class enrolled and read by the running system itself: its store, its classifier, its reject option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.index import PrototypeSet
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.verdict import Verdict
from fewshot.research.evaluation.album import Album, Rows
from fewshot.research.evaluation.support_draws import Draw


@dataclass(eq=False)
class Verdicts:
    """What was said of each picture; the lists have one length.

    Attributes:
        subjects: whose picture.
        truth: emotion it shows.
        said: what the runtime made of it.
    """

    subjects: list[str] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)
    said: list[Verdict] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.said)

    def add(self, subjects: Sequence[str], truth: Sequence[str], said: Sequence[Verdict]) -> None:
        """Add pictures: whose they are, what they show, and what was said."""
        self.subjects += subjects
        self.truth += truth
        self.said += said


class _ReachingStore(PrototypeStore):
    """A store whose students' own states reach further, or less far, than the runtime lets them."""

    stretch = 1.0

    def prototypes_of(self, student: str | None) -> PrototypeSet | None:
        found = super().prototypes_of(student)
        if found is None or self.stretch == 1.0:
            return found
        rows = tuple(
            row if row.radius is None else replace(row, radius=row.radius * self.stretch) for row in found.rows
        )
        return replace(found, rows=rows)


def enrolled(
    population: Population, album: Album, draw: Draw, asked: dict[str, Rows] | None = None, stretch: float = 1.0
) -> Verdicts:
    """Enroll everybody of a draw with what they bring as the one who is read, and read all queries.

    Args:
        asked: subject -> rows, in place of the draw's queries.
        stretch: of the reach of the students' own states; 1 is as shipped.
    """
    store = _ReachingStore(population.dimension, 1, population.network)
    store.stretch = stretch
    nobodys = np.zeros((0, 1), np.float32)
    for student, rows in draw.own.items():
        if rows:
            store.add(student, album.supports(rows, draw.labelled), nobodys)
    pairs = [(who, row) for who, rows in (draw.queries if asked is None else asked).items() for row in rows]
    read = Verdicts()
    if pairs:
        people, rows = [who for who, _ in pairs], [row for _, row in pairs]
        said = Classifier(population, store).read(album.vectors[rows], people)
        read.add(people, [album.emotions[row] for row in rows], said)
    return read


def together(parts: Sequence[Verdicts]) -> Verdicts:
    """The verdicts of several draws."""
    whole = Verdicts()
    for part in parts:
        whole.add(part.subjects, part.truth, part.said)
    return whole
