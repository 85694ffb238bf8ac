"""Who belongs to whom: pairs of rows and columns with the largest sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def best_pairs(worth: NDArray[np.floating], least: float) -> Pairs:
    """As many pairs as can be that are worth more than ``least``, with the largest sum (Kuhn 1955).

    Args:
        worth: of every pair, shape (n, m). Pairs that must not be are worth so much less than ``least`` that no sum
            of others makes up for it.
        least: what a pair must be worth.

    Returns:
        (rows, columns), each of shape (p,), rows in order.
    """
    if not worth.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best = worth.argmax(axis=1)
    rows = np.flatnonzero(worth[np.arange(len(worth)), best] > least)
    columns = best[rows]
    # Nearly always everybody's favourite is somebody else, and then no other pairing can be worth more.
    if len(np.unique(columns)) == len(columns):
        return rows, columns
    from scipy.optimize import linear_sum_assignment  # costs a third of a second, and many a lesson never needs it

    rows, columns = linear_sum_assignment(worth, maximize=True)
    possible = worth[rows, columns] > least
    return rows[possible], columns[possible]
