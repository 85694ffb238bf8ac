"""Maps of the embedding (needs matplotlib, extra "dev")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.live.colours import colour_of
from fewshot.research.evaluation.theme import INK, legend_beside, panels_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED_PEOPLE = 12
"""More people than that are coloured, but not named in the legend."""


def pca(vectors: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two directions in which vectors differ most (Pearson 1901).

    Args:
        vectors: shape (n, d), n and d at least 2.

    Returns:
        Coordinates, shape (n, 2), and the share of the variance along each, shape (2,). The sign is fixed: the largest
        entry of each direction is positive.

    Raises:
        UsageError: fewer than two vectors, or dimensions.
    """
    if vectors.ndim != 2 or min(vectors.shape) < 2:
        raise UsageError(f"A map of vectors of shape {vectors.shape}; needed are at least two of two dimensions.")
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    first = directions[:2]
    first = first * np.sign(first[np.arange(2), np.abs(first).argmax(axis=1)])[:, None]
    return centred @ first.T, sizes[:2] ** 2 / max(float((sizes**2).sum()), 1e-12)


def embedding_map(
    points: NDArray[np.floating],
    emotions: Sequence[str],
    people: Sequence[str],
    shares: Sequence[float] | NDArray[np.float64] | None = None,
    title: str = "",
) -> Figure:
    """The embedding in the plane twice: coloured by what is shown, and by who shows it.

    Args:
        points: from ``pca``, shape (n, 2).
        emotions, people: of each point.
        shares: of the variance along each axis.

    Raises:
        UsageError: not one emotion and person a point.
    """
    if not len(points) == len(emotions) == len(people) or not len(points):
        raise UsageError(
            f"{len(points)} points, {len(emotions)} emotions, {len(people)} people. Give one of each a point."
        )
    figure, panels = panels_of(11, 5, columns=2)
    kinds = sorted(set(emotions), key=lambda word: (-Counter(emotions)[word], word))
    who = sorted(set(people))
    palettes = (
        ("by emotion", emotions, {word: _rgb(word) for word in kinds}),
        (f"by person ({len(who)})", people, dict(zip(who, _many(len(who)), strict=True))),
    )
    along = ["", ""] if shares is None else [f", {100 * share:.0f} % of the variance" for share in shares]
    for axes, (name, words, palette) in zip(panels, palettes, strict=True):
        for word, colour in palette.items():
            mine = points[np.array([other == word for other in words])]
            axes.scatter(mine[:, 0], mine[:, 1], s=14, color=[colour], ec=INK, lw=0.25, alpha=0.85, label=word)
        axes.set(title=name, xlabel=f"first direction{along[0]}", ylabel=f"second direction{along[1]}")
        axes.set_xticks([])
        axes.set_yticks([])
        if len(palette) <= NAMED_PEOPLE:
            legend_beside(axes, markerscale=1.6)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _rgb(emotion: str) -> tuple[float, float, float]:
    blue, green, red = colour_of(emotion)
    return red / 255, green / 255, blue / 255


def _many(count: int) -> list[tuple[float, float, float]]:
    """As many colours as there are people, neighbours far apart (golden angle)."""
    from matplotlib.colors import hsv_to_rgb

    hues = (np.arange(count) * 0.618034) % 1
    levels = np.array([0.95, 0.7, 0.5])[np.arange(count) % 3]
    return [tuple(hsv_to_rgb((hue, 0.75, level))) for hue, level in zip(hues, levels, strict=True)]
