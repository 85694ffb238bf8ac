"""Protocol "closed set": the fixed emotions of FER+ and FER2013, one crop each, beside published networks of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.research.datasets.fer2013 import FERPLUS_CLASSES, Fer2013, load_fer2013
from fewshot.research.evaluation.crops import contact_sheet
from fewshot.research.evaluation.fer import (
    CHOOSING,
    FRAMINGS,
    PLURALITY,
    PRIVATE,
    PUBLISHED,
    PUBLISHED_8,
    SHORT,
    FerSplits,
    fer_splits,
    fer_tests,
)
from fewshot.research.evaluation.peers import available, peer_outputs
from fewshot.research.evaluation.plots import confusion as confusion_plot
from fewshot.research.evaluation.plots import embedding_map, pca, written
from fewshot.research.evaluation.plots import reliability as reliability_plot
from fewshot.research.evaluation.protocol_results import Context, Plot, Report, Row, Table
from fewshot.research.evaluation.readers import Reader, class_vectors, runtime_reader
from fewshot.research.evaluation.scores import Reliability, Score, calibrated, reliability, score, temperature_of
from fewshot.research.evaluation.vectors import weights_of

ABOUT = """FER+ test is PrivateTest read by FER+'s votes. *Published rule*: single votes are dropped and the winner
needs more than half (3,136 pictures of 7 emotions, 3,152 with contempt); *plurality*: most votes (3,518). Intervals:
bootstrap over pictures. ECE: expected calibration error over 15 bins of equally many readings, the temperature chosen
on PublicTest without what recurs in PrivateTest. *Framing*: the 48x48 picture as published, or aligned as the live
loop cuts it. *Flip*: the mean of the vectors of the crop and its mirror image. *Chosen*: what PublicTest prefers
(accuracy, without flip), so the headline was fixed before a test was read. *Training prior*: training divides the
frequency of the classes out; a test with the same frequencies may add it again. Peers see the whole 48x48 picture."""


@dataclass(frozen=True, eq=False)
class Line:
    """One reader on one set, with what is needed to plot it, and its surest mistakes (see ``worst_mistakes``)."""

    test: str
    reader: str
    framing: str
    flip: bool
    chosen: bool
    score: Score
    reliability: Reliability
    worst: Sequence[tuple[int, str]] = ()

    def row(self) -> Row:
        """The columns of the table."""
        return {
            "test": self.test,
            "n": self.score.n,
            "reader": self.reader,
            "framing": self.framing,
            "flip": "yes" if self.flip else "no",
            "chosen": "yes" if self.chosen else "",
            "accuracy": self.score.accuracy,
            "macro-F1": self.score.macro_f1,
            "ECE": self.reliability.error,
        }


@dataclass(frozen=True)
class ClosedSet:
    """Reads the fixed test sets with every reader, and with peers.

    Attributes:
        resamples: of the bootstrap over pictures.
        development: use PublicTest in place of every test, during development.
    """

    resamples: int = 5000
    development: bool = False

    def run(self, context: Context) -> Report:
        """Tables and plots of every reader on every set."""
        fer = load_fer2013(context.root / "fer2013")
        splits = fer_splits(context.embedder, fer, context.outputs / "fer2013_prepared.npz", context.cache)
        truths = fer_tests(fer, splits.excluded)
        lines = [
            line
            for test, validation in CHOOSING.items()
            # While developing, plurality would be read on what the published rule is read on.
            if not (self.development and test == PLURALITY)
            for line in self._read(context, splits, validation if self.development else test, test, truths)
        ]
        for line in (line for line in lines if line.chosen and not line.flip):
            sheet = context.outputs / "sheets" / f"closed_set_{SHORT[line.test]}.png"
            contact_sheet([fer.faces[row] for row, _ in line.worst], [words for _, words in line.worst], sheet)
        peers = list(self._peers(context, fer, splits, truths))
        return Report(
            "closed_set",
            "Closed set: seven and eight fixed emotions, one crop",
            ABOUT.replace("\n", " "),
            {"FER2013 PublicTest and FER+ validation": "development", "FER2013 PrivateTest and FER+ test": "test"},
            [
                Table("Our network", [line.row() for line in lines]),
                Table("Networks of others, in the same run", [line.row() for line in peers], "peers"),
            ],
            plots_of(lines) | self._maps(context),
        )

    def _maps(self, context: Context) -> dict[str, Plot]:
        """Where pictures of known people lie, through the whole chain."""
        maps: dict[str, Plot] = {}
        for dataset in ("ckplus",) if self.development else ("ckplus", "jaffe"):
            seen = context.embed(dataset)
            kept = seen.only(seen.found)
            points, shares = pca(kept.vectors)
            maps[f"map_{dataset}"] = written(embedding_map, points, kept.emotions, kept.subjects, shares)
        return maps

    def _read(
        self, context: Context, splits: FerSplits, asked: str, test: str, truths: dict[str, NDArray[np.int64]]
    ) -> list[Line]:
        """Every reader and framing on one test; what to choose is chosen on its validation set."""
        classes = 8 if test == PUBLISHED_8 else 7
        heads = class_vectors(weights_of(context.network), "labels" if test == PRIVATE else "votes")
        readers = heads.readers(classes)
        if classes == 7:
            readers.append(runtime_reader(context.population))
        public, public_truth = splits.at(truths[CHOOSING[test]])

        def right(reader: Reader, framing: str) -> float:
            predicted = reader.logits(splits.plain[framing][public]).argmax(axis=1)
            return float((predicted == public_truth).mean())

        ways = [(reader, framing) for reader in readers for framing in FRAMINGS]
        best = max(ways, key=lambda way: right(*way))
        rows, truth = splits.at(truths[asked])
        lines = []
        for reader, framing in ways:
            for flip in (False, True):
                vectors = (splits.flipped if flip else splits.plain)[framing]
                temperature = temperature_of(reader.logits(vectors[public]), public_truth)
                logits = reader.logits(vectors[rows])
                measured = self._score(context, truth, logits, temperature, classes)
                worst = worst_mistakes(calibrated(logits, temperature), truth, splits.rows[rows])
                lines.append(Line(asked, reader.name, framing, flip, (reader, framing) == best, *measured, worst))
        return lines

    def _score(
        self,
        context: Context,
        truth: NDArray[np.int64],
        logits: NDArray[np.float64],
        temperature: float,
        classes: int,
    ) -> tuple[Score, Reliability]:
        scored = score(truth, logits.argmax(axis=1), classes, context.seed, self.resamples)
        return scored, reliability(calibrated(logits, temperature), truth)

    def _peers(
        self, context: Context, fer: Fer2013, splits: FerSplits, truths: dict[str, NDArray[np.int64]]
    ) -> Iterator[Line]:
        """The peers on the whole pictures, each at the temperature that PublicTest prefers."""
        for peer in available(context.shared):
            outputs, _ = peer_outputs(peer, context.shared, fer.faces[splits.rows], context.cache)
            for test in (PUBLISHED, PRIVATE) if self.development else (PUBLISHED, PLURALITY, PRIVATE):
                public, public_truth = splits.at(truths[CHOOSING[test]])
                asked = CHOOSING[test] if self.development else test
                rows, truth = splits.at(truths[asked])
                temperature = temperature_of(outputs[public], public_truth)
                measured = self._score(context, truth, outputs[rows], temperature, 7)
                yield Line(asked, peer.name, "published", False, False, *measured)


def worst_mistakes(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], rows: NDArray[np.int64], count: int = 40
) -> list[tuple[int, str]]:
    """The pictures that were read wrong with most confidence: their rows, and in words what was shown and read."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    names = FERPLUS_CLASSES
    return [
        (int(rows[i]), f"{names[truth[i]]}\nread {names[predicted[i]]}\n{confidence[i]:.2f}") for i in surest.tolist()
    ]


def plots_of(lines: list[Line]) -> dict[str, Plot]:
    """Confusion of each test, and reliability of all of them, by the chosen reader without flip."""
    chosen = [line for line in lines if line.chosen and not line.flip]
    curves = {SHORT[line.test].replace("_", " "): line.reliability for line in chosen}
    plots: dict[str, Plot] = {"reliability": written(reliability_plot, curves)}
    for line in chosen:
        classes = FERPLUS_CLASSES[: len(line.score.table)]
        title = f"{line.test}: {line.reader}, {line.framing}"
        plots[f"confusion_{SHORT[line.test]}"] = written(confusion_plot, line.score.table, classes, title)
    return plots
