"""Optimal assignment: pairs of rows and columns with the largest sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def best_pairs(worth: NDArray[np.floating], least: float) -> Pairs:
    """The pairs with the largest total value among pairs worth more than ``least`` (Kuhn 1955).

    Args:
        worth: value of every pair, shape (n, m). The value of a forbidden pair must be so far below ``least`` that no
            sum of other values compensates for it.
        least: a pair must be worth more than this.

    Returns:
        (rows, columns), each of shape (p,), rows in order.
    """
    if not worth.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best = worth.argmax(axis=1)
    rows = np.flatnonzero(worth[np.arange(len(worth)), best] > least)
    columns = best[rows]
    # Usually the best columns of all rows are different, and then no other assignment can be worth more.
    if len(np.unique(columns)) == len(columns):
        return rows, columns
    from scipy.optimize import linear_sum_assignment  # the import takes 0.3 s, and many lessons never need it

    rows, columns = linear_sum_assignment(worth, maximize=True)
    possible = worth[rows, columns] > least
    return rows[possible], columns[possible]
