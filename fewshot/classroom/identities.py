"""Do the photos of a folder show one person, and is that person somebody else already?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.types import Vectors


def fitting(vectors: Vectors, known: Vectors, same: float) -> NDArray[np.bool_]:
    """Which new pictures show the student: those linked to the known ones by similarity, else the largest group.

    Two pictures are linked if their cosine reaches ``same``; a smile and a frown of one person may be linked through
    a third picture only. If nothing is known and two groups are equally large, nobody can tell which is the student,
    and none fits.

    Args:
        vectors: unit identity vectors of the new pictures, shape (n, k).
        known: those of pictures enrolled before, shape (m, k); m may be 0.
        same: least cosine of two pictures of one person.

    Returns:
        Shape (n,).
    """
    from scipy.sparse.csgraph import connected_components  # costs a third of a second, and watching needs none of it

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
        keys: whose each reference is, length m.
        references: shape (m, k).
    """
    if not keys:
        return None
    mean = _mean(vectors)
    owners = np.array(keys, dtype=object)
    return max(
        ((key, float(mean @ _mean(references[owners == key]))) for key in sorted(set(keys))), key=lambda pair: pair[1]
    )


def _mean(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)
