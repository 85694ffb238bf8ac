"""Which photos show one person, and whom they resemble: decisions of enrollment on identity vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows


def fitting(vectors: Vectors, known: Vectors, same: float) -> NDArray[np.bool_]:
    """Which new pictures show the student: those linked to the known pictures, or the largest group if none is known.

    Two pictures are linked if their cosine similarity is at least ``same``. A smile and a frown of one person may be
    linked only through a third picture. If no picture is known and the two largest groups have the same size, it is
    not clear which group is the student, and no picture fits.

    Args:
        vectors: unit identity vectors of the new pictures, shape (n, k).
        known: unit identity vectors of pictures enrolled before, shape (m, k); m may be 0.
        same: smallest cosine similarity of two pictures of one person.

    Returns:
        True for each picture that shows the student, shape (n,).
    """
    from scipy.sparse.csgraph import connected_components  # the import takes 0.3 s, and watching does not need it

    everything = np.concatenate([vectors, known]) if len(known) else vectors
    if len(everything) < 2:
        return np.ones(len(vectors), dtype=bool)
    _, groups = connected_components(everything @ everything.T >= same, directed=False)
    if len(known):
        return np.isin(groups[: len(vectors)], groups[len(vectors) :])
    sizes = np.bincount(groups)
    if (sizes == sizes.max()).sum() > 1:
        return np.zeros(len(vectors), dtype=bool)
    return np.asarray(groups == sizes.argmax())


def most_alike(vectors: Vectors, keys: list[str], references: Vectors) -> tuple[str, float] | None:
    """The student whose mean reference is nearest to the mean of ``vectors``, and the cosine; None without students.

    Args:
        vectors: unit identity vectors of one person, shape (n, k), n > 0.
        keys: student of each reference, length m.
        references: unit identity vectors, shape (m, k).
    """
    if not keys:
        return None
    mean = unit_rows(vectors.mean(axis=0))
    owners = np.array(keys, dtype=object)
    return max(
        ((key, float(mean @ unit_rows(references[owners == key].mean(axis=0)))) for key in sorted(set(keys))),
        key=lambda pair: pair[1],
    )
