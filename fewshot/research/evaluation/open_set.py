"""Protocol "open set": what is rejected rightly, and states that nobody trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.prototypes.estimators import REACH
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album, faces_found
from fewshot.research.evaluation.enrollment_schemes import schemes_of
from fewshot.research.evaluation.intervals import Interval, bootstrap_mean
from fewshot.research.evaluation.new_states import NewState, draws_of, measure, outcome
from fewshot.research.evaluation.plots import coverage_accuracy, written
from fewshot.research.evaluation.protocol_results import Cell, Context, Plot, Report, Row, Table
from fewshot.research.evaluation.rejecting import accuracy_at, area, honesty, shipped, sweep
from fewshot.research.evaluation.runtime_class import Verdicts, enrolled, together
from fewshot.types import EMOTIONS

BASIC = tuple(emotion for emotion in EMOTIONS if emotion != NEUTRAL)

ABOUT = """Everything is enrolled, read and rejected by the running system's own store, classifier and thresholds.
Reject option: coverage is the share of pictures of which something is said, accuracy is that of what is said. "At 90 %"
is the accuracy of the 90 % whose best probability leads the second by most, and the area is the mean of this over all
coverages; the calibration error (15 equal parts) is that of all pictures before anything is rejected. New states: each
basic emotion in turn is taken from the population and enrolled by every student as a state of their own, with a neutral
photo or without. False alarms are the student's other pictures that are then called by it (mean over what they show,
over states, then over subjects), recall is that of the pictures of it that were not enrolled. CK+ has one picture of an
emotion, so there one photo is enrolled and recall cannot be measured."""


@dataclass(frozen=True)
class OpenSet:
    """The reject option, and every basic emotion as a state the population never had.

    Args:
        datasets: out of "ckplus", "jaffe" and "cfee".
        development: reads CK+ alone: what to use while anything may still be changed.
        draws: repeated choices of the takes that are enrolled.
        shots: photos of a new state.
        reaches: of the curve; the shipped one is always in it.
        resamples: of the bootstrap over subjects.
    """

    datasets: Sequence[str] = ("ckplus", "jaffe", "cfee")
    development: bool = False
    draws: int = 6
    shots: int = 2
    reaches: Sequence[float] = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 1000.0)
    resamples: int = 5000

    def run(self, context: Context) -> Report:
        """Every table of the protocol."""
        rejected: list[Row] = []
        moved: list[Row] = []
        plots: dict[str, Plot] = {}
        faces: list[str] = []
        states: list[Row] = []
        curve: list[Row] = []
        datasets = ["ckplus"] if self.development else list(self.datasets)
        for dataset in datasets:
            seen = context.embed(dataset, ())
            faces.append(faces_found(seen, dataset))
            album = Album.of(seen.pictures, seen.vectors, seen.found)
            rows, points = self.rejections(context.population, album, dataset, context.seed)
            rejected += rows
            moved += points
            plots[f"coverage_{dataset}"] = coverage_plot(rows, points, dataset)
            # CFEE has one picture of an emotion and one neutral: nothing would be left to ask about but other emotions.
            if dataset != "cfee":
                rows, points = self.new_states(context.population, album, dataset, context.seed)
                states += rows
                curve += points
        return Report(
            "open_set",
            "Open set: the right to say nothing, and states nobody trained",
            ABOUT.replace("\n", " "),
            {name: "development" if name == "ckplus" else "test" for name in datasets},
            [
                Table(
                    "The reject option at the shipped thresholds", rejected, note=f"Faces found: {', '.join(faces)}."
                ),
                Table("New states", states, "new_states"),
                Table(f"New states by their reach (shipped: {REACH:g})", curve, "reach"),
                Table("Coverage and accuracy as the thresholds move", moved, "sweep", shown=False),
            ],
            plots,
        )

    def rejections(self, population: Population, album: Album, dataset: str, seed: int) -> tuple[list[Row], list[Row]]:
        """Each way of enrolling at the shipped thresholds, and the same with these moved."""
        rows: list[Row] = []
        points: list[Row] = []
        for scheme in schemes_of(dataset, album, self.draws, seed):
            if scheme.own != scheme.brought:
                continue
            read = together([enrolled(population, album, draw) for draw in scheme.draws])
            what: Row = {"data": dataset, "everybody brings": scheme.own}
            coverage, accuracy = shipped(read, seed, self.resamples)
            rows.append(
                {**what, "readings": len(read), "coverage": coverage, "accuracy of what is said": accuracy}
                | {"accuracy of all": accuracy_at(read, 1.0), "at 90 %": accuracy_at(read, 0.9)}
                | {"at 70 %": accuracy_at(read, 0.7), "at 50 %": accuracy_at(read, 0.5), "area": area(read)}
                | {"calibration error": honesty(read, population.classes).error}
            )
            for point in sweep(read):
                points.append(
                    {**what, "margin": point.margin, "distance": point.reach}
                    | {"coverage": point.coverage, "accuracy": point.accuracy}
                )
        return rows, points

    def new_states(self, population: Population, album: Album, dataset: str, seed: int) -> tuple[list[Row], list[Row]]:
        """All states together and one by one at the shipped reach, then all together by reach."""
        shots, keep = (1, 0) if dataset == "ckplus" else (self.shots, 1)

        def read(neutral: bool = True, reach: float = REACH) -> list[tuple[str, Verdicts]]:
            draws = {state: draws_of(album, state, shots, self.draws, seed, keep, neutral) for state in BASIC}
            return [(word, measure(population, album, word, made, reach / REACH)) for word, made in draws.items()]

        rows: list[Row] = []
        for neutral in (True, False):
            words: dict[str, Cell] = {
                "data": dataset,
                "photos of it": shots,
                "a neutral photo": "yes" if neutral else "no",
            }
            found = read(neutral)
            rows.append({**words, "state": "each in turn", **self._scores(outcome(found), seed)})
            for one in found if neutral else []:
                rows.append({**words, "state": one[0], **self._scores(outcome([one]), seed)})
        points: list[Row] = [
            {"data": dataset, "reach": reach, **self._scores(outcome(read(reach=reach)), seed)}
            for reach in sorted({*self.reaches, REACH})
        ]
        return rows, points

    def _scores(self, state: NewState, seed: int) -> Row:
        alarms = list(state.false_alarms.values())
        scores: Row = {"subjects": len(alarms)}
        if alarms:
            scores = {**scores, "false alarms": bootstrap_mean(alarms, seed, self.resamples)}
        if state.recall:
            scores = {**scores, "recall": bootstrap_mean(list(state.recall.values()), seed, self.resamples)}
        return scores


def coverage_plot(rows: Sequence[Row], points: Sequence[Row], dataset: str) -> Plot:
    """Accuracy over coverage as the margin grows at the shipped distances, one line a way of enrolling."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point["distance"] == 1.0 and _value(point["coverage"]) > 0:
            line = lines.setdefault(str(point["everybody brings"]), [])
            line.append((_value(point["coverage"]), _value(point["accuracy"])))
    curves = {name: tuple(np.array(sorted(line)).T) for name, line in lines.items()}
    marks = {
        str(row["everybody brings"]): (_value(row["coverage"]), _value(row["accuracy of what is said"])) for row in rows
    }
    return written(coverage_accuracy, curves, marks, f"{dataset}: the right to say nothing")


def _value(cell: Cell) -> float:
    return cell.value if isinstance(cell, Interval) else float(cell)
