"""What all plots of the protocols look like (needs matplotlib, extra "dev")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's colours, which colour-blind people can distinguish too; line styles change when they begin again."""
STYLES = ("-", "--", ":")
INK, FAINT = "#333333", "#dddddd"


def panels_of(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of its own, not pyplot's: nothing is left open, and no screen is needed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(1, columns)))
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        axes.tick_params(labelsize=8.5, colors=INK)
        axes.grid(True, axis="y", color=FAINT, lw=0.6)
        axes.set_axisbelow(True)
        axes.title.set_fontsize(10.5)
    return figure, panels


def legend_beside(axes: Axes, markerscale: float = 1.0) -> None:
    """To the right of the axes, where it hides nothing."""
    axes.legend(frameon=False, fontsize=8, markerscale=markerscale, loc="upper left", bbox_to_anchor=(1, 1))


def line_looks() -> Iterator[tuple[str, str]]:
    """Colours, then the same with other line styles, for as many curves as there are."""
    while True:
        yield from ((colour, style) for style in STYLES for colour in COLOURS)


def stacked(values: Sequence[float]) -> NDArray[np.float64]:
    """Vertical places of dots so that equal values do not hide each other, within 0.36 of the line."""
    seen: Counter[float] = Counter()
    places = np.zeros(len(values))
    for index, value in enumerate(values):
        near = round(value, 2)
        step = (seen[near] + 1) // 2 * (-1) ** seen[near]
        seen[near] += 1
        places[index] = step
    return 0.36 * places / max(float(np.abs(places).max()), 4.0) if len(values) else places


def check_some(curves: Mapping[str, object]) -> None:
    """Raises UsageError if there is nothing to plot."""
    if not curves:
        raise UsageError("Nothing to plot. Give at least one named curve.")
