"""How much one photo is worth: the spread of a class's own photos, beside the variances of the laboratory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.population import Variances
from fewshot.types import Vectors

EXPECTED_EXTRA, EXPECTED_PHOTOS = 0.15, 4.0
"""Before any photo is seen, a class is expected to have this much extra variance, as if measured on so many photos.
On development data CK+ and Taiwanese performers have about 0.0 and press photos 0.3. Who enrolls alone has nobody to
be compared with: what is expected then decides, and everyday photos must not make that person's readings worse."""
OWN_WAYS = {
    "neutral": 0.92,
    "happy": 0.53,
    "surprise": 1.05,
    "sad": 1.3,
    "angry": 1.45,
    "disgust": 1.05,
    "fear": 1.3,
}
"""How much people differ in one photo each of an emotion, as a multiple of s_d^2 + s_g^2 + s_w^2; 1 for other words.
Everybody smiles alike, and everybody is angry in their own way: the same spread of photos means noise in the one and
personality in the other. Between what CK+ and Taiwanese performers show (experiments/results/everyday.md)."""
LEAST_TRUST = 0.3
"""A student's photos of an emotion with less trust than this in total do not measure a spread."""


def extra_variance(
    photos: Sequence[Vectors],
    labels: Sequence[NDArray[np.int64]],
    trust: Sequence[NDArray[np.float64]],
    variances: Variances,
    classes: Sequence[str],
) -> float:
    """Variance between photos of one student and emotion, beyond the shipped s_w^2 (method of moments).

    Everyday photos differ in pose, light and moment; photos of a laboratory do not. Two things show the difference: the
    spread of one emotion's means over different students, which should be s_d^2 + s_g^2 + s_w^2 / n times what
    ``OWN_WAYS`` says of the emotion, and the spread within one student and emotion, which should be s_w^2.

    Args:
        photos: transformed vectors u of each student, shape (n_s, d).
        labels: index of the emotion of each photo, shape (n_s,).
        trust: weight of each photo, 0..1, shape (n_s,).
        variances: of the population.
        classes: the emotions that the labels mean.

    Returns:
        Extra variance, 0 or more; the expected one without photos.
    """
    total, weight = EXPECTED_EXTRA * EXPECTED_PHOTOS, EXPECTED_PHOTOS
    single = variances.student + variances.interaction + variances.within
    for emotion, word in enumerate(classes):
        means, shares = [], []
        for u, label, believed in zip(photos, labels, trust, strict=True):
            w = np.where(label == emotion, believed, 0.0)
            if w.sum() > LEAST_TRUST:
                means.append(w @ u / w.sum())
                shares.append(float((w**2).sum() / w.sum() ** 2))
        if len(means) > 1:
            between, share = _spread(np.array(means)), float(np.mean(shares))
            # A mean of n photos shows only 1/n of the extra variance, so it counts less.
            counts = (len(means) - 1) * share**2
            own = OWN_WAYS.get(word, 1.0) * single - variances.within
            total += ((between - own) / share - variances.within) * counts
            weight += counts
    for u, label in zip(photos, labels, strict=True):
        for emotion in np.unique(label):
            same = u[label == emotion]
            if len(same) > 1:
                # Photos of one student and emotion measure it directly: they count double.
                counts = 2.0 * (len(same) - 1)
                total += (_spread(same) - variances.within) * counts
                weight += counts
    return max(total / weight, 0.0)


def cautious(extra: float) -> float:
    """The extra variance that prototypes are estimated with, larger than the measured one.

    Least squares would use the measured one. A wrong prototype costs more than a useful one gains: most faces of a
    lesson are neutral, and a few misleading photos of a rare emotion attract them. On development data (press photos,
    Taiwanese performers, CK+; classes of 1, 5 and 30) this form keeps the gain of laboratory photos and loses nothing
    on press photos (``experiments/everyday.py``).
    """
    return 16.0 * extra**2


def _spread(vectors: NDArray[np.floating]) -> float:
    return float(((vectors - vectors.mean(axis=0)) ** 2).sum() / (len(vectors) - 1))
