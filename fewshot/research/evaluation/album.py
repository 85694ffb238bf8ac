"""Photos of people as vectors, with who is on them and what they show: what every protocol with subjects works on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.prototypes.supports import SupportSet
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.vectors import Embedded
from fewshot.types import EMOTIONS, Vectors

Rows = list[int]


@dataclass(frozen=True, eq=False)
class Album:
    """Photos of one data set.

    Attributes:
        vectors: z of a network, not transformed, float32, shape (n, d).
        subjects: who it is, n keys.
        emotions: what each shows, n words.
        enrolled: vectors of the same photos when they are enrolled, shape (n, d), where that takes more care than
            reading them; None for the same.
    """

    vectors: Vectors
    subjects: tuple[str, ...]
    emotions: tuple[str, ...]
    enrolled: Vectors | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2:
            raise DimensionMismatch(f"Vectors of shape {self.vectors.shape}, expected (photos, dimension).")
        if not len(self.vectors) == len(self.subjects) == len(self.emotions):
            raise UsageError(
                f"{len(self.vectors)} vectors, {len(self.subjects)} subjects and {len(self.emotions)} emotions do not "
                f"describe the same photos. Give one of each a photo."
            )
        if self.enrolled is not None and self.enrolled.shape != self.vectors.shape:
            raise DimensionMismatch(
                f"Photos have vectors of shape {self.vectors.shape} as they are read and {self.enrolled.shape} as they "
                "are enrolled. Embed the same ones with the same network."
            )

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def of(
        cls,
        pictures: Sequence[Picture],
        vectors: Vectors,
        found: NDArray[np.bool_],
        emotions: Iterable[str] = EMOTIONS,
        enrolled: Vectors | None = None,
    ) -> Album:
        """The pictures in which a face was found and that show one of ``emotions``.

        Args:
            pictures: n of them, in the order of ``vectors``.
            vectors, enrolled: shape (n, d).
            found: shape (n,).
        """
        wanted = set(emotions)
        kept = [row for row, picture in enumerate(pictures) if found[row] and picture.emotion in wanted]
        return cls(
            np.asarray(vectors[kept], np.float32),
            tuple(pictures[row].subject for row in kept),
            tuple(pictures[row].emotion for row in kept),
            None if enrolled is None else np.asarray(enrolled[kept], np.float32),
        )

    def people(self) -> list[str]:
        """All subjects, sorted."""
        return sorted(set(self.subjects))

    def cells(self) -> dict[str, dict[str, Rows]]:
        """subject -> emotion -> rows, subjects sorted, rows in order."""
        found: dict[str, dict[str, Rows]] = {subject: {} for subject in self.people()}
        for row, (subject, emotion) in enumerate(zip(self.subjects, self.emotions, strict=True)):
            found[subject].setdefault(emotion, []).append(row)
        return found

    def everything(self) -> dict[str, Rows]:
        """subject -> all of their rows."""
        return {subject: [row for rows in kinds.values() for row in rows] for subject, kinds in self.cells().items()}

    def rows(self, chosen: Rows) -> Album:
        """The photos in these rows only."""
        return Album(
            self.vectors[chosen],
            tuple(self.subjects[row] for row in chosen),
            tuple(self.emotions[row] for row in chosen),
            None if self.enrolled is None else self.enrolled[chosen],
        )

    def of_people(self, people: Iterable[str]) -> Album:
        """The photos of these subjects only."""
        wanted = set(people)
        return self.rows([row for row, who in enumerate(self.subjects) if who in wanted])

    def supports(self, rows: Rows, labelled: bool = True) -> SupportSet:
        """These photos as somebody would enroll them, with their labels or without."""
        emotions = [self.emotions[row] if labelled else None for row in rows]
        return SupportSet(
            (self.vectors if self.enrolled is None else self.enrolled)[rows], emotions, [str(row) for row in rows]
        )


def faces_found(seen: Embedded, dataset: str, emotions: Iterable[str] = EMOTIONS) -> str:
    """In how many of the pictures that show one of ``emotions`` a face was found, in words."""
    wanted = set(emotions)
    found = [bool(there) for there, emotion in zip(seen.found, seen.emotions, strict=True) if emotion in wanted]
    return f"{dataset} {sum(found)} of {len(found)}"
