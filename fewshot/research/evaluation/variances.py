"""How much people, cameras and photos differ: variance components by the method of moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.population import Variances
from fewshot.types import EMOTIONS, Vectors


def estimate_variances(
    vectors: Vectors,
    subjects: Sequence[str],
    emotions: Sequence[str],
    classes: Sequence[str],
    prototypes: Vectors,
    names: Sequence[str] = EMOTIONS,
) -> Variances:
    """Variance components of u = mu_e + c + c'_e + d_s + g_se + noise, from development subjects.

    The expected inner product of two residuals u - mu_e is the sum of the effects the two photos share:

        other student, other emotion    s_0^2                          (what the camera does to all emotions)
        other student, same emotion     s_0^2 + s_c^2
        same student, other emotion     s_0^2 +         s_d^2
        a photo with itself             s_0^2 + s_c^2 + s_d^2 + s_g^2 + s_w^2

    and s_w^2 is what two photos of one student and emotion do not share. Each left side is averaged over students,
    then over emotions or pairs of them, then over classes, so that neither a talkative student nor the many neutral
    photos of a data set outweigh the rest. Negative estimates become 0.

    Args:
        vectors: transformed u, shape (n, d).
        subjects: who is on each photo, n keys, unique across classes.
        emotions: what each shows, n words out of ``names``.
        classes: which class (camera, data set) each was taken in, n keys.
        prototypes: mu_e in the order of ``names``, shape (k, d).
        names: the emotions.

    Raises:
        UsageError: the photos cannot tell: no student has two photos of one emotion, or two emotions, or is alone.
    """
    order = {name: index for index, name in enumerate(names)}
    columns = np.array([order[emotion] for emotion in emotions])
    residuals = vectors.astype(np.float64) - prototypes[columns]
    people, rooms = np.asarray(subjects), np.asarray(classes)
    moments = np.array(
        [_moments(residuals[rooms == room], people[rooms == room], columns[rooms == room]) for room in np.unique(rooms)]
    )
    known = np.isfinite(moments)
    if not known.any(axis=0).all():
        raise UsageError(
            "These photos cannot tell the variances apart. Needed are at least two students with two emotions in "
            "common, and a student with two photos of one emotion."
        )
    common, emotion, person, within, photo = np.where(known, moments, 0.0).sum(axis=0) / known.sum(axis=0)
    effects = (emotion - common, person - common, photo - within - emotion - person + common, within, common)
    return Variances(*(max(float(effect), 0.0) for effect in effects))


def _moments(
    residuals: NDArray[np.float64], people: NDArray[np.str_], columns: NDArray[np.int64]
) -> tuple[float, float, float, float, float]:
    """The five averages of one class; NaN where it has no such pair."""
    kinds, keys = np.unique(columns), np.unique(people)
    sums = np.zeros((len(keys), len(kinds), residuals.shape[1]))
    squares, counts = np.zeros((2, len(keys), len(kinds)))
    where = np.searchsorted(keys, people), np.searchsorted(kinds, columns)
    np.add.at(sums, where, residuals)
    np.add.at(squares, where, (residuals**2).sum(axis=1))
    np.add.at(counts, where, 1.0)
    means = sums / np.maximum(counts, 1.0)[..., None]
    shown = (counts > 0).astype(float)
    same = np.einsum("sed,sfd->ef", means, means)
    both = shown.T @ shown
    others = np.einsum("ed,fd->ef", means.sum(axis=0), means.sum(axis=0)) - same
    pairs = np.outer(shown.sum(axis=0), shown.sum(axis=0)) - both
    off = ~np.eye(len(kinds), dtype=bool)
    # Within cells of at least two photos only, and both terms from the same ones: what a photo shares with itself
    # differs between emotions, and most data sets repeat some emotions only.
    spread = np.where(counts > 1, squares - (sums**2).sum(axis=2) / np.maximum(counts, 1.0), 0.0).sum(axis=0)
    return (
        _average(others[off], pairs[off]),
        _average(np.diag(others), np.diag(pairs)),
        _average(same[off], both[off]),
        _average(spread, np.maximum(counts - 1.0, 0.0).sum(axis=0)),
        _average(squares.sum(axis=0), counts.sum(axis=0)),
    )


def _average(totals: NDArray[np.float64], numbers: NDArray[np.float64]) -> float:
    """Mean over cells of the mean within each; cells without a pair are left out."""
    kept = numbers > 0
    return float((totals[kept] / numbers[kept]).mean()) if kept.any() else float("nan")
