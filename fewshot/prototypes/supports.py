"""The enrolled photos of one student: what every prototype of theirs is derived from, and can be again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances
from fewshot.types import Vectors

NEUTRAL = "neutral"
PROBABLE = 0.5
"""An unlabelled photo counts for an emotion, and as a neutral reference, only if it shows it with this probability."""


@dataclass(frozen=True, eq=False)
class SupportSet:
    """Photos of one student, as vectors.

    Attributes:
        vectors: z of the expression network, not transformed, float32, shape (n, d).
        emotions: what each photo shows, any word; None for an unlabelled one.
        photos: a hash of each file, so that none counts twice.
    """

    vectors: Vectors
    emotions: list[str | None] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", np.asarray(self.vectors, dtype=np.float32))
        if self.vectors.ndim != 2:
            raise DimensionMismatch(f"Support vectors have shape {self.vectors.shape}, expected (photos, dimension).")
        if not len(self.vectors) == len(self.emotions) == len(self.photos):
            raise UsageError(
                f"{len(self.vectors)} vectors, {len(self.emotions)} emotions and {len(self.photos)} photos do not "
                f"describe the same photos. Give one of each a photo."
            )
        if not np.isfinite(self.vectors).all():
            raise UsageError("A support vector is not finite. Embed the photos again.")

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def empty(cls, dimension: int) -> SupportSet:
        return cls(np.zeros((0, dimension), np.float32))

    def plus(self, other: SupportSet) -> SupportSet:
        """Both, in order; a photo that is here already is left out of ``other``."""
        # dict.fromkeys would not do: the first of two equal photos within `other` must stay.
        seen, new = set(self.photos), []
        for row, photo in enumerate(other.photos):
            if photo not in seen:
                new.append(row)
            seen.add(photo)
        return SupportSet(
            np.concatenate([self.vectors, other.vectors[new]]),
            [*self.emotions, *(other.emotions[row] for row in new)],
            [*self.photos, *(other.photos[row] for row in new)],
        )


def emotion_weights(supports: SupportSet, population: Population) -> NDArray[np.float64]:
    """How much each photo counts for each emotion that has a population prototype.

    A labelled photo counts once for its label (not at all if that is a state of the student's own). An unlabelled one
    counts for its most probable emotion, by that probability, if it is at least 0.5, else for none: shared out over
    all emotions, a handful of neutral photos pulled the prototypes of the unlikely ones onto the student's neutral
    face (nine such photos made a student "unsure" in 99 % of the frames).

    Returns:
        Shape (n, k), rows sum to at most 1.
    """
    distances = squared_distances(population.transform(supports.vectors), population.prototypes)
    weights = softmax(-distances / population.calibration.at(0).temperature)
    weights[(weights < PROBABLE) | (weights < weights.max(axis=1, keepdims=True))] = 0.0
    for row, emotion in enumerate(supports.emotions):
        if emotion is not None:
            weights[row] = [float(emotion == known) for known in population.classes]
    return weights


def has_neutral_reference(supports: SupportSet, population: Population) -> bool:
    """Is there a photo that is neutral, by its label or with P(neutral) >= 0.5?"""
    if NEUTRAL not in population.classes or not len(supports):
        return False
    column = emotion_weights(supports, population)[:, population.classes.index(NEUTRAL)]
    return bool((column >= PROBABLE).any())
