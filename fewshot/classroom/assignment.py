"""One student is on one face at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.faces.pairing import best_pairs

KEEP = 0.05
"""Head start of the student that a face already has."""


def assign_students(
    scores: NDArray[np.float32], floors: NDArray[np.floating], held: NDArray[np.integer], margin: float
) -> NDArray[np.int64]:
    """The assignment of students to faces with the largest sum of similarities (Kuhn 1955), strangers left out.

    Args:
        scores: cosine of every face to every student, shape (n, m).
        floors: what a face must reach to be a student at all, shape (n,).
        held: the student each face had so far, or -1, shape (n,); it has a small head start.
        margin: by how much the student must lead every other one that is not clearly another face's.

    Returns:
        Index of the student of every face, -1 for a stranger, shape (n,).
    """
    count, students = scores.shape
    if not count:
        return np.zeros(0, np.int64)
    worth = scores.astype(np.float64)
    kept = np.flatnonzero(held >= 0)
    worth[kept, held[kept]] += KEEP
    # A place of his own for everyone as a stranger, worth as much as the least similarity that would do.
    places = np.full((count, count), -1e6)
    np.fill_diagonal(places, floors)
    rows, columns = best_pairs(np.hstack([worth, places]), -1e3)
    chosen = np.full(count, -1)
    chosen[rows] = np.where(columns < students, columns, -1)
    owners = np.full(students, -1)
    owners[chosen[chosen >= 0]] = np.flatnonzero(chosen >= 0)
    taken = np.where(owners >= 0, worth[owners, np.arange(students)], -np.inf)
    # A rival student who is clearly on another face in view is no rival.
    rivals = np.where(taken >= worth + margin, -np.inf, worth)
    named = np.flatnonzero(chosen >= 0)
    lead = worth[named, chosen[named]]
    rivals[named, chosen[named]] = -np.inf
    sure = (lead >= rivals[named].max(axis=1, initial=-np.inf) + margin) & (lead >= np.asarray(floors)[named])
    chosen[named[~sure]] = -1
    return chosen
