"""Whether a confidence that is shown can be believed: how often readings shown at 80 % or more are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import fit_temperature, softmax
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.everyday import classes, enrolled
from fewshot.research.evaluation.protocol_results import Cell, Row
from fewshot.research.evaluation.runtime_class import Verdicts, together
from fewshot.research.evaluation.runtime_class import enrolled as read_enrolled
from fewshot.research.evaluation.scores import reliability

SURE = 0.8
"""From this confidence on the product calls a reading sure."""
ENOUGH = 100
"""Sure readings of a data set from which on it is judged whether they are right."""
SEEN = 20
"""Sure readings of an emotion, in a data set, from which on it is judged."""
NOBODY = "nobody"


def read_strangers(population: Population, album: Album) -> Verdicts:
    """Every face of an album, classified as the product classifies people who are not enrolled."""
    read = Verdicts()
    read.add(album.subjects, album.emotions, Classifier(population).read(album.vectors, [None] * len(album.subjects)))
    return read


def read_in_classes(population: Population, album: Album, way: str, draws: int, seed: int = 0) -> Verdicts:
    """Photos that nobody enrolled, classified by the product in classes of about 30 people.

    Args:
        album: photos of one kind.
        way: what everybody enrolls; one of ``everyday.WAYS``.
        draws: how often classes and photos are drawn anew.
    """
    parts = [
        read_enrolled(population, part, drawn)
        for draw in range(draws)
        for part in classes(album, seed + draw)
        for drawn in enrolled(part, way, seed + draw)
    ]
    return together(parts)


def outcome(read: Verdicts) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence of each reading, shape (n,), and whether its most probable emotion is right, shape (n,)."""
    best = [max(said.probabilities, key=said.probabilities.__getitem__) for said in read.said]
    confidence = np.array([said.confidence for said in read.said], np.float64)
    return confidence, np.array([one == truth for one, truth in zip(best, read.truth, strict=True)], bool)


def coverage_at(confidence: NDArray[np.float64], right: NDArray[np.bool_], precision: float = SURE) -> float:
    """The largest share of the readings, the surest first, of which at least ``precision`` is right."""
    order = np.argsort(-confidence, kind="stable")
    precise = np.flatnonzero(np.cumsum(right[order]) >= precision * np.arange(1, len(order) + 1) - 1e-9)
    return float((precise[-1] + 1) / len(order)) if len(precise) else 0.0


def honesty_row(data: str, way: str, read: Verdicts) -> Row:
    """One row of the table: how sure the readings are, how right the sure ones are, and what could be reached."""
    confidence, right = outcome(read)
    sure = confidence >= SURE
    names = sorted({name for said in read.said for name in said.probabilities} | set(read.truth))
    table = np.array([[said.probabilities.get(name, 0.0) for name in names] for said in read.said])
    return {
        "data": data,
        "everybody brings": way,
        "faces": len(read),
        "right": float(right.mean()),
        "calibration error": reliability(table, np.array([names.index(truth) for truth in read.truth])).error,
        "shown at 80 % or more": float(sure.mean()),
        "right of these": float(right[sure].mean()) if sure.any() else float("nan"),
        "share with 80 % right": coverage_at(confidence, right),
    }


def emotion_rows(reads: Mapping[str, Verdicts], emotions: Sequence[str]) -> list[Row]:
    """For each emotion and data set: the share that is found, and how right readings at 80 % or more are."""
    rows: list[Row] = []
    for emotion in emotions:
        row: dict[str, Cell] = {"emotion": emotion}
        for data, read in reads.items():
            found, sure, right = of_emotion(read, emotion)
            row[f"{data}: found"] = found
            row[f"{data}: shown, right"] = f"{sure}, {right:.3f}" if sure else "0"
        rows.append(row)
    return rows


def of_emotion(read: Verdicts, emotion: str) -> tuple[float, int, float]:
    """Share of the emotion's faces that is found; sure readings of it, and the share of them that is right (or NaN)."""
    _, right = outcome(read)
    shown = np.array([truth == emotion for truth in read.truth])
    sure = np.array([said.probabilities.get(emotion, 0.0) >= SURE for said in read.said])
    found, precise = (float(right[part].mean()) if part.any() else float("nan") for part in (shown, sure))
    return found, int(sure.sum()), precise


def reliable(reads: Mapping[str, Verdicts], emotions: Sequence[str]) -> tuple[str, ...]:
    """Emotions whose sure readings are right in ``SURE`` of the cases, in every data set that has ``SEEN`` of them.

    At least two data sets must have so many: a single one may be easy.
    """
    kept = []
    for emotion in emotions:
        found = [of_emotion(read, emotion) for read in reads.values()]
        judged = [precise for _, sure, precise in found if sure >= SEEN]
        if len(judged) > 1 and min(judged) >= SURE:
            kept.append(emotion)
    return tuple(kept)


def cautious_temperature(sets: Sequence[tuple[NDArray[np.floating], NDArray[np.integer]]]) -> float:
    """The lowest temperature from the most likely one on with which sure readings are right in every data set.

    Temperatures that are fitted to all sets together (Guo et al. 2017) promise too much on the hardest of them.

    Args:
        sets: squared distances (n, k) and true columns (n,) of each data set; all count the same.
    """
    most = max(len(truth) for _, truth in sets)
    rows = [np.linspace(0, len(truth) - 1e-6, most).astype(int) for _, truth in sets]
    pairs = list(zip(sets, rows, strict=True))
    distances = np.concatenate([part[0][places] for part, places in pairs])
    temperature = fit_temperature(distances, np.concatenate([part[1][places] for part, places in pairs]))
    for candidate in temperature * np.geomspace(1.0, 8.0, 61):
        if all(_believable(distances, truth, float(candidate)) for distances, truth in sets):
            return float(candidate)
    return float(temperature * 8.0)


def _believable(distances: NDArray[np.floating], truth: NDArray[np.integer], temperature: float) -> bool:
    probabilities = softmax(-distances / temperature)
    sure = probabilities.max(axis=1) >= SURE
    right = distances.argmin(axis=1) == truth
    return bool(sure.sum() < ENOUGH or right[sure].mean() >= SURE)
