"""The support set of one student: the enrolled photos from which all prototypes are computed."""

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
"""An unlabelled photo counts for an emotion, or as a neutral photo, only with at least this probability."""


@dataclass(frozen=True, eq=False)
class SupportSet:
    """Photos of one student, as vectors.

    Attributes:
        vectors: z of the expression network, not transformed, float32, shape (n, d).
        emotions: label of each photo, any word; None for an unlabelled photo.
        photos: hash of each file, so that no photo counts twice.

    Raises:
        DimensionMismatch: the vectors do not have the shape (n, d).
        UsageError: the numbers of vectors, emotions and photos differ, or a vector is not finite.
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
                f"describe the same photos. Give one vector, one emotion and one hash per photo."
            )
        if not np.isfinite(self.vectors).all():
            raise UsageError("A support vector contains numbers that are not finite. Embed the photos again.")

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def empty(cls, dimension: int) -> SupportSet:
        """The support set of a student without photos; ``dimension`` is d."""
        return cls(np.zeros((0, dimension), np.float32))

    def plus(self, other: SupportSet) -> SupportSet:
        """Both sets in order; photos of ``other`` that exist already are left out."""
        # Not dict.fromkeys, because the first of two equal photos in `other` must be kept.
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
    """The weight of each photo for each emotion with a population prototype.

    A labelled photo has weight 1 for its label, and 0 if the label is the student's own state. An unlabelled photo
    counts only for its most probable emotion, with that probability, if it is at least 0.5. It is not divided among all
    emotions: then some neutral photos would move the prototypes of unlikely emotions to the student's neutral face
    (nine such photos made a student "unsure" in 99 % of the frames).

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
    """Whether a photo is neutral, according to its label or with P(neutral) >= 0.5."""
    if NEUTRAL not in population.classes or not len(supports):
        return False
    column = emotion_weights(supports, population)[:, population.classes.index(NEUTRAL)]
    return bool((column >= PROBABLE).any())
