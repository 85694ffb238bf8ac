"""Evidence from a class's own photos: does the class effect predict photos that were left out? Do own photos?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.supports import NEUTRAL
from fewshot.types import Vectors

SHARES = (0.0, 0.5, 1.0)
"""How much of the class effect may be used."""
RATES = {NEUTRAL: 0.6, "happy": 0.2}
OTHER_RATE = 0.04
"""How often an emotion is expected in a lesson. A shift that gains on rare emotions and loses on neutral faces does not
help a teacher."""
MISLABELLED = 0.05
"""Share of photos with any label, so that no single photo decides."""


def lesson_rates(classes: Sequence[str]) -> NDArray[np.float64]:
    """Expected share of each emotion in a lesson, shape (k,)."""
    rates: NDArray[np.float64] = np.array([RATES.get(emotion, OTHER_RATE) for emotion in classes])
    return np.asarray(rates / rates.sum(), np.float64)


def lesson_weights(labels: NDArray[np.int64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each photo, so that each emotion with photos counts at its rate in a lesson; sums to 1. Shape (n,)."""
    counts = np.bincount(labels, minlength=len(rates))
    there: NDArray[np.float64] = np.where(counts > 0, rates, 0.0)
    return np.asarray((there / np.maximum(counts, 1))[labels] / there.sum())


def log_likelihood(
    distances: NDArray[np.floating], labels: NDArray[np.int64], temperature: float
) -> NDArray[np.float64]:
    """Log-probability of each label, with a floor for wrong labels: distances of shape (n, k) give shape (n,)."""
    found = softmax(-distances / temperature)[np.arange(len(labels)), labels]
    return np.asarray(np.log((1 - MISLABELLED) * found + MISLABELLED / distances.shape[1]))


def helpful_shares(
    photos: Sequence[Vectors],
    labels: NDArray[np.int64],
    trust: NDArray[np.float64],
    prototypes: NDArray[np.floating],
    shifts: Sequence[NDArray[np.float64]],
    bonuses: Sequence[NDArray[np.float64]],
    rates: NDArray[np.float64],
    temperature: float,
) -> NDArray[np.float64]:
    """How much of the class effect on each emotion predicts the labels of photos that it was not estimated from.

    Leave-one-student-out likelihood, each emotion weighted with its rate in a lesson. First one share for all emotions,
    then each emotion in turn.

    Args:
        photos: u of each student, shape (n_s, d).
        labels: of all photos in that order, shape (n,).
        trust: weight of each photo, shape (n,).
        prototypes: mu_e, shape (k, d).
        shifts: c_e estimated without each student, shape (k, d).
        bonuses: what is subtracted from the distances because of uncertainty, for each student, shape (k,).
        rates: see ``lesson_rates``, shape (k,).
        temperature: of the population without photos.

    Returns:
        Shares out of ``SHARES``, shape (k,); emotions without photos get the share that is best for all together.
    """
    parts = [_parts(u - prototypes[:, None], shift) for u, shift in zip(photos, shifts, strict=True)]
    plain, towards, moved = (np.concatenate(part) for part in zip(*parts, strict=True))
    bonus = np.concatenate([np.tile(one, (len(u), 1)) for u, one in zip(photos, bonuses, strict=True)])
    # |u - mu - s c|^2 for every share s, without computing each distance anew.
    table = [plain - 2 * share * towards + share**2 * moved - share * bonus for share in SHARES]
    weights = lesson_weights(labels, rates) * trust

    def score(places: Sequence[int]) -> float:
        mixed = np.stack([table[place][:, emotion] for emotion, place in enumerate(places)], axis=1)
        return float(weights @ log_likelihood(mixed, labels, temperature))

    kinds = len(prototypes)
    best = max(range(len(SHARES)), key=lambda place: score([place] * kinds))
    chosen = _coordinate_ascent([best] * kinds, sorted(set(labels.tolist())), score)
    return np.array([SHARES[place] for place in chosen])


def _parts(
    residuals: NDArray[np.floating], shift: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """|r|^2, r c and |c|^2 of residuals r of one student's n photos (k, n, d) and a shift c (k, d), each (n, k)."""
    r = residuals.astype(np.float64)
    plain, towards = np.einsum("knd,knd->nk", r, r), np.einsum("knd,kd->nk", r, shift)
    return plain, towards, np.broadcast_to((shift**2).sum(axis=1), plain.shape)


def _coordinate_ascent(start: list[int], emotions: Sequence[int], score: Callable[[Sequence[int]], float]) -> list[int]:
    places, reached = list(start), score(start)
    for _ in range(2):
        for emotion in emotions:
            for place in range(len(SHARES)):
                tried = [*places[:emotion], place, *places[emotion + 1 :]]
                if (found := score(tried)) > reached + 1e-9:
                    places, reached = tried, found
    return places
