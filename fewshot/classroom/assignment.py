"""One student is on one face at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

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
    worth = scores.astype(np.float64)
    kept = np.flatnonzero(held >= 0)
    worth[kept, held[kept]] += KEEP
    # A place of his own for everyone as a stranger, worth as much as the least similarity that would do.
    strangers = np.repeat(np.asarray(floors, dtype=np.float64)[:, None], count, axis=1)
    rows, columns = linear_sum_assignment(np.hstack([worth, strangers]), maximize=True)
    chosen = np.full(count, -1)
    chosen[rows] = np.where(columns < students, columns, -1)
    owners = np.full(students, -1)
    owners[chosen[chosen >= 0]] = np.flatnonzero(chosen >= 0)
    result = chosen.copy()
    for row in np.flatnonzero(chosen >= 0):
        others = worth[row].copy()
        others[chosen[row]] = -np.inf
        # A rival student who is clearly on another face in view is no rival.
        elsewhere = (owners >= 0) & (owners != row)
        elsewhere[elsewhere] = worth[owners[elsewhere], np.flatnonzero(elsewhere)] >= others[elsewhere] + margin
        others[elsewhere] = -np.inf
        if worth[row, chosen[row]] < others.max(initial=-np.inf) + margin or worth[row, chosen[row]] < floors[row]:
            result[row] = -1
    return result
