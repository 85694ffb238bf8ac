"""Plots of the enrollment protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fewshot.protocols.controls import ANOTHER, CLASSMATES, NO_PHOTO, OWN, Readings, by_subject
from fewshot.protocols.gains import PAIRS, SHORT, differences
from fewshot.protocols.intervals import Interval, bootstrap_mean, paired_difference
from fewshot.protocols.plots import accuracy_against_shots, paired_gains, written
from fewshot.protocols.report import Plot
from fewshot.protocols.schemes import Scheme

Found = Mapping[tuple[str, str, str], Readings]
"""By scheme, estimator and control."""

SHOWN = ("1 an emotion | 1 an emotion", "all but the one asked | 1 an emotion", "1 neutral | 1 an emotion")
"""The scheme whose gains are plotted: the first that a data set has."""
SHOTS = {"1 an emotion | 1 an emotion": 1, "2 an emotion | 2 an emotion": 2}


def pairs_read(
    found: Found, scheme: str, estimator: str, pairs: Sequence[tuple[str, str]] = PAIRS
) -> list[tuple[str, str]]:
    """The pairs of which both were read: of a single person there is nobody else's photo."""
    read = {control for name, maker, control in found if (name, maker) == (scheme, estimator)}
    return [pair for pair in pairs if {*pair} <= read]


def plots_of(found: Found, schemes: Sequence[Scheme], dataset: str, seed: int, resamples: int) -> dict[str, Plot]:
    """Gains subject by subject where the class brings photos of every emotion, and accuracy by number of photos."""
    first = next(estimator for _, estimator, _ in found)
    plots: dict[str, Plot] = {}
    named = {scheme.name: scheme for scheme in schemes}
    shown = next((named[name] for name in SHOWN if name in named), None)
    if shown is not None:
        gains: dict[str, list[float]] = {}
        intervals: dict[str, Interval] = {}
        for one, other in pairs_read(found, shown.name, first):
            mine, theirs = differences(found[shown.name, first, one], found[shown.name, first, other])
            name = f"{SHORT[one]} - {SHORT[other]}"
            gains[name] = [a - b for a, b in zip(mine, theirs, strict=True)]
            intervals[name] = paired_difference(mine, theirs, seed, resamples)
        title = f"{dataset}: {shown.own}; classmates: {shown.brought}"
        plots[f"gains_{dataset}"] = written(paired_gains, gains, intervals, title)
    if all((name, first, OWN) in found for name in SHOTS):
        curves: dict[str, dict[int, Interval]] = {}
        alone = (SHOWN[0], first, ANOTHER) not in found
        for control in (OWN,) if alone else (OWN, CLASSMATES, ANOTHER):
            curves[control] = {0: _accuracy(found["nothing | nothing", first, NO_PHOTO], seed, resamples)}
            for name, shots in SHOTS.items():
                curves[control][shots] = _accuracy(found[name, first, control], seed, resamples)
        plots[f"shots_{dataset}"] = written(accuracy_against_shots, curves, f"{dataset}: photos of each emotion")
    return plots


def _accuracy(readings: Readings, seed: int, resamples: int) -> Interval:
    return bootstrap_mean(list(by_subject(readings).values()), seed, resamples)
