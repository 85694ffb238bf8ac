"""What photos of which kind are worth: press photos, performers, a laboratory; in classes, by paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.population import Population
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.controls import (
    ANOTHER,
    CLASSMATES,
    NO_PHOTO,
    OWN,
    Readings,
    by_subject,
    read_class,
)
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator
from fewshot.research.evaluation.intervals import paired_difference
from fewshot.research.evaluation.protocol_results import Cell, Row
from fewshot.research.evaluation.support_draws import Draw, each, few_shots, only

CLASS_SIZE, SMALL, ALONE = 30, 5, 1
ARMS = (NO_PHOTO, CLASSMATES, ANOTHER, OWN)
ONE_NEUTRAL, ONE_OF_EACH, ALL_BUT_ONE = "1 neutral", "1 of each emotion they have", "all but the tested"
WAYS = (ONE_NEUTRAL, ONE_OF_EACH, ALL_BUT_ONE)
MOST_QUERIES = 4
"""Photos per person that are left out in turn."""
ENOUGH = 20
"""Photos of an emotion for its share in the macro average."""
FEWEST = 5
"""People whose photos show how much people differ."""


@dataclass(frozen=True, eq=False)
class Worth:
    """Readings of one set of people who enrolled in one way.

    Attributes:
        readings: by arm; the same photos in the same order in every arm but ``ANOTHER``.
        photos: row of the album of each reading.
    """

    data: str
    way: str
    readings: dict[str, Readings]


def measure(
    population: Population,
    estimator: EnrollmentEstimator,
    album: Album,
    data: str,
    way: str,
    draws: int,
    seed: int,
    size: int = CLASS_SIZE,
) -> Worth:
    """Enroll classes of about ``size`` people and read the photos that nobody enrolled.

    Args:
        population: of the network that embedded the album.
        estimator: what makes prototypes.
        album: photos of one kind.
        data: name of the album.
        way: one of ``WAYS``.
        draws: how often classes and photos are drawn anew.
        seed: of the draws.
        size: people in a class; who is ``ALONE`` has no classmates, and nobody else to be taken for.
    """
    arms = [NO_PHOTO, OWN] if size == ALONE else list(ARMS)
    found = {arm: Readings() for arm in arms}
    for draw in range(draws):
        for part in classes(album, seed + draw, size):
            for arm, readings in read_class(
                population, estimator, part, enrolled(part, way, seed + draw), arms, others=2, seed=seed + draw
            ).items():
                found[arm].subjects += readings.subjects
                found[arm].truth += readings.truth
                found[arm].predicted += readings.predicted
    return Worth(data, way, found)


def classes(album: Album, seed: int, size: int = CLASS_SIZE) -> list[Album]:
    """The people of an album in random classes of about ``size``."""
    people = np.random.default_rng(seed).permutation(album.people())
    parts = np.array_split(people, max(1, round(len(people) / size)))
    return [album.of_people(part.tolist()) for part in parts]


def enrolled(album: Album, way: str, seed: int) -> list[Draw]:
    """The draws of one way to enroll."""
    if way == ALL_BUT_ONE:
        return _leave_one_photo_out(album, seed)
    if way == ONE_NEUTRAL:
        return few_shots(album, only(neutral=1), only(neutral=1), 1, seed, keep=0)
    return few_shots(album, each(1), each(1), 1, seed, keep=0)


def worth_row(worth: Worth, seed: int = 0, resamples: int = 2000) -> Row:
    """One row of the table: accuracy of every arm, people weighted equally, and differences paired by person."""
    scores = {arm: by_subject(readings) for arm, readings in worth.readings.items() if len(readings)}
    nobody = scores[NO_PHOTO]
    people = sorted(nobody)
    row: dict[str, Cell] = {"data": worth.data, "everybody brings": worth.way, "people": len(people)}
    row["photos read"] = len(worth.readings[NO_PHOTO])
    for arm, name in ((NO_PHOTO, "nobody"), (CLASSMATES, "classmates'"), (ANOTHER, "another's"), (OWN, "own")):
        if arm in scores:
            row[name] = float(np.mean(list(scores[arm].values())))
    for one, other, name in (
        (OWN, NO_PHOTO, "own - nobody"),
        (OWN, CLASSMATES, "own - classmates'"),
        (OWN, ANOTHER, "own - another's"),
        (ANOTHER, CLASSMATES, "another's - classmates'"),
    ):
        if one in scores and other in scores:
            gain = paired_difference(
                [scores[one][who] for who in people], [scores[other][who] for who in people], seed, resamples
            )
            row[name] = gain.signed
    lost, gained = _net(worth)
    row |= {"lose 2 or more": lost, "gain 2 or more": gained}
    row["macro, nobody"], row["macro, own"] = (macro(worth.readings[arm]) for arm in (NO_PHOTO, OWN))
    return row


def macro(readings: Readings) -> float:
    """Mean recall over the emotions with at least ``ENOUGH`` photos; NaN without one."""
    truth, predicted = np.array(readings.truth), np.array(readings.predicted)
    kinds = [kind for kind in np.unique(truth) if (truth == kind).sum() >= ENOUGH]
    return float(np.mean([(predicted[truth == kind] == kind).mean() for kind in kinds])) if kinds else float("nan")


def spread_rows(population: Population, albums: Mapping[str, Album]) -> list[Row]:
    """How much people differ in one photo each of an emotion, and one person's photos of it, as multiples of what the
    population's variances say of one photo (``photo_spread.OWN_WAYS``)."""
    single = population.variances.student + population.variances.interaction + population.variances.within
    rows: list[dict[str, Cell]] = [{"emotion": emotion} for emotion in population.classes]
    for name, album in albums.items():
        u, cells = population.transform(album.vectors).astype(np.float64), album.cells().values()
        for row, emotion in zip(rows, population.classes, strict=True):
            shown = [u[kinds[emotion]] for kinds in cells if emotion in kinds]
            people, several = np.array([photos[0] for photos in shown]), [p for p in shown if len(p) > 1]
            row[f"{name}: people"] = len(shown)
            row[f"{name}: between people"] = _spread(people) / single if len(people) >= FEWEST else "-"
            row[f"{name}: within one"] = float(np.mean([*map(_spread, several)])) / single if several else "-"
    return list(rows)


def _spread(vectors: NDArray[np.float64]) -> float:
    return float(((vectors - vectors.mean(axis=0)) ** 2).sum() / (len(vectors) - 1))


def without_emotion(album: Album, emotion: str) -> Album:
    """The album without the photos of one emotion."""
    return album.rows([row for row, shown in enumerate(album.emotions) if shown != emotion])


def _net(worth: Worth) -> tuple[int, int]:
    """People who lose, and who gain, two photos or more against nobody enrolled."""
    net: dict[str, int] = {}
    before, after = worth.readings[NO_PHOTO], worth.readings[OWN]
    for who, truth, old, new in zip(before.subjects, before.truth, before.predicted, after.predicted, strict=True):
        net[who] = net.get(who, 0) + int(new == truth) - int(old == truth)
    return sum(value <= -2 for value in net.values()), sum(value >= 2 for value in net.values())


def _leave_one_photo_out(album: Album, seed: int) -> list[Draw]:
    everything = album.everything()
    rng = np.random.default_rng(seed)
    order = {who: rng.permutation(rows).tolist() for who, rows in everything.items() if len(rows) > 1}
    made = []
    for turn in range(MOST_QUERIES):
        asked = {who: rows[turn] for who, rows in order.items() if turn < len(rows)}
        own = {who: [row for row in everything[who] if row != asked[who]] for who in asked}
        made.append(Draw(own, everything, {who: [row] for who, row in asked.items()}))
    return made
