"""Plots of the protocols, in one theme and without any picture of a face (needs matplotlib, extra "dev").

Every function returns a figure that nothing else holds on to; ``written`` makes of it what a ``Report`` takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import numpy as np
from numpy.typing import ArrayLike

from fewshot.errors import UsageError
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.maps import embedding_map, pca
from fewshot.research.evaluation.scores import Reliability
from fewshot.research.evaluation.theme import (
    COLOURS,
    FAINT,
    INK,
    check_some,
    legend_beside,
    line_looks,
    panels_of,
    stacked,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "accuracy_against_shots",
    "confusion",
    "coverage_accuracy",
    "embedding_map",
    "paired_gains",
    "pca",
    "reliability",
    "written",
]

_Arguments = ParamSpec("_Arguments")


def written(
    draw: Callable[_Arguments, Figure], *args: _Arguments.args, **options: _Arguments.kwargs
) -> Callable[[Path], None]:
    """A plot to be drawn when its file is known: ``Report(plots={"confusion": written(confusion, counts, names)})``."""

    def write(path: Path) -> None:
        draw(*args, **options).savefig(path, dpi=130)

    return write


def accuracy_against_shots(
    curves: Mapping[str, Mapping[int, Interval]], title: str = "", chance: float | None = None
) -> Figure:
    """Accuracy over shots, one line with its 95 % band for each way.

    Args:
        curves: name to shots to accuracy; ways may have been tried with different numbers of shots.
        chance: accuracy of guessing, drawn as a line.
    """
    check_some(curves)
    figure, (axes,) = panels_of(6.5, 4)
    places = {
        shots: place for place, shots in enumerate(sorted({shots for curve in curves.values() for shots in curve}))
    }
    for (name, curve), (colour, style) in zip(curves.items(), line_looks(), strict=False):
        x = [places[shots] for shots in sorted(curve)]
        intervals = [curve[shots] for shots in sorted(curve)]
        axes.fill_between(x, [i.low for i in intervals], [i.high for i in intervals], color=colour, alpha=0.15, lw=0)
        axes.plot(x, [i.value for i in intervals], style, marker="o", ms=4, color=colour, label=name)
    if chance is not None:
        axes.axhline(chance, color=INK, lw=0.8, ls=":", label="chance")
    axes.set(title=title, xlabel="photos of each class (shots)", ylabel="accuracy (band: 95 %)")
    axes.set_xticks(list(places.values()), [str(shots) for shots in places])
    legend_beside(axes)
    return figure


def confusion(counts: ArrayLike, names: Sequence[str], title: str = "") -> Figure:
    """Confusion table: shaded by the share of each row, with share and count in every cell that is not empty.

    Args:
        counts: rows are the truth, shape (k, k).
        names: of the k classes.

    Raises:
        UsageError: counts and names do not belong together.
    """
    table = np.asarray(counts)
    if table.shape != (len(names), len(names)) or not len(names):
        raise UsageError(f"A confusion table of shape {table.shape} and {len(names)} names. Give one name a row.")
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = panels_of(1.6 + 0.75 * len(names), 1.2 + 0.62 * len(names))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(table), strict=True):
        share = shares[row, column]
        words = f"{100 * share:.0f} %\n{table[row, column]}"
        axes.text(column, row, words, ha="center", va="center", fontsize=7.5, color="white" if share > 0.55 else INK)
    axes.set(title=title, xlabel="read as", ylabel="shown")
    axes.set_xticks(range(len(names)), list(names), rotation=35, ha="right")
    axes.set_yticks(range(len(names)), [f"{name} ({total})" for name, total in zip(names, table.sum(1), strict=True)])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return figure


def reliability(curves: Mapping[str, Reliability], title: str = "") -> Figure:
    """Accuracy against confidence in bins of equally many readings; honest probabilities lie on the diagonal."""
    check_some(curves)
    figure, (axes,) = panels_of(4.8, 4.4)
    axes.plot([0, 1], [0, 1], color=INK, lw=0.8, ls=":", label="honest")
    for (name, bins), (colour, style) in zip(curves.items(), line_looks(), strict=False):
        label = f"{name} (ECE {bins.error:.3f})"
        axes.plot(bins.confidence, bins.accuracy, style, marker="o", ms=4, color=colour, label=label)
    axes.set(title=title, xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    legend_beside(axes)
    return figure


def coverage_accuracy(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    marks: Mapping[str, tuple[float, float]] | None = None,
    title: str = "",
) -> Figure:
    """Accuracy of what is named against the share that is, as the reject option becomes stricter (Chow 1970).

    Args:
        curves: name to (coverage, accuracy), each shape (n,).
        marks: where the shipped thresholds lie: a point, by the name of its curve.
    """
    check_some(curves)
    figure, (axes,) = panels_of(5.5, 4)
    for (name, (coverage, accuracy)), (colour, style) in zip(curves.items(), line_looks(), strict=False):
        axes.plot(coverage, accuracy, style, color=colour, label=name)
        if marks and name in marks:
            axes.plot(*marks[name], "o", color=colour, ms=7, mec="white", zorder=3)
    if marks:
        axes.plot([], [], "o", color=INK, ms=7, mec="white", ls="none", label="as shipped")
    axes.set(title=title, xlabel="share of faces that are named", ylabel="accuracy of the names", xlim=(0, 1.01))
    legend_beside(axes)
    return figure


def paired_gains(gains: Mapping[str, Sequence[float]], intervals: Mapping[str, Interval], title: str = "") -> Figure:
    """Differences of accuracy, one dot a subject, and their mean with its 95 % interval.

    Args:
        gains: comparison ("own against classmates") to one difference a subject.
        intervals: of the mean, by the same names.
    """
    check_some(gains)
    figure, (axes,) = panels_of(7, 1.2 + 0.85 * len(gains))
    for place, (name, values) in enumerate(gains.items()):
        # Dots of one value are stacked around the line, in the same way in every run.
        axes.scatter(values, place + stacked(values), s=16, color=COLOURS[0], alpha=0.45, lw=0)
        mean = intervals[name]
        axes.plot([mean.low, mean.high], [place, place], color=COLOURS[1], lw=2.2, solid_capstyle="butt", zorder=3)
        axes.plot(mean.value, place, "D", color=COLOURS[1], ms=6, mec="white", zorder=4)
    axes.axvline(0, color=INK, lw=0.8)
    axes.scatter([], [], s=16, color=COLOURS[0], alpha=0.6, lw=0, label="a subject")
    axes.plot([], [], "D-", color=COLOURS[1], lw=2.2, ms=6, mec="white", label="mean, 95 %")
    axes.set_yticks(range(len(gains)), [f"{name} ({len(values)})" for name, values in gains.items()])
    axes.set(title=title, xlabel="difference of accuracy", ylim=(len(gains) - 0.5, -0.5))
    axes.grid(True, axis="x", color=FAINT, lw=0.6)
    axes.grid(False, axis="y")
    legend_beside(axes)
    return figure
