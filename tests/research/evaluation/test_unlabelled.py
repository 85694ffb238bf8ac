"""Adaptation to the faces that a class has shown: shrunk, safe in mostly neutral classes, chosen on other data."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.unlabelled import Adapt, ClassFromPredictions, Offset, Recentred, nothing
from fewshot.research.evaluation.unlabelled_classes import (
    MIXED,
    MOSTLY_NEUTRAL,
    chosen_elsewhere,
    classes_of,
    composed,
    measured,
)
from fewshot.types import EMOTIONS

D = 64
SAFE: list[Adapt] = [Offset(), ClassFromPredictions(strength=0.5)]


@pytest.fixture(scope="module")
def population() -> Population:
    prototypes = 0.7 * np.eye(len(EMOTIONS), D, dtype=np.float32)
    return Population(
        "n-1", EMOTIONS, np.zeros(D), prototypes, Variances(0.05, 0.05, 0.05, 0.05, common=0.2),
        Calibration((0.0,), (0.12,), (1.0,), (0.05,)),
    )  # fmt: skip


def faces(population: Population, neutral: float, shift: float, people: int = 30, each: int = 12) -> Album:
    """Faces around the prototypes, all moved in one direction that no emotion lies in."""
    rng, n = np.random.default_rng(0), people * each
    emotions = ["neutral" if rng.random() < neutral else EMOTIONS[rng.integers(0, 6)] for _ in range(n)]
    z = population.prototypes[[EMOTIONS.index(one) for one in emotions]] + rng.normal(0, 0.8 / np.sqrt(D), (n, D))
    z[:, -1] += shift
    return Album(z.astype(np.float32), tuple(f"s{row // each}" for row in range(n)), tuple(emotions))


@pytest.mark.parametrize("way", SAFE)
def test_what_all_faces_have_in_common_becomes_a_shift(population: Population, way: Adapt) -> None:
    album = faces(population, 0.2, shift=0.6)
    shift = way(population, album.vectors, album.subjects).shift
    assert np.all(shift[:, -1] > 0.1) and np.abs(shift[:, -1]).min() > np.abs(shift[:, 7:-1]).max()


@pytest.mark.parametrize("way", SAFE)
def test_few_faces_shift_less_than_many(population: Population, way: Adapt) -> None:
    album = faces(population, 0.2, shift=0.6)
    few, many = (way(population, album.vectors[:n], album.subjects[:n]).shift[:, -1].mean() for n in (12, 360))
    assert few < many


@pytest.mark.parametrize("way", SAFE)
def test_a_mostly_neutral_class_that_is_like_the_population_loses_nothing(population: Population, way: Adapt) -> None:
    album = faces(population, 0.8, shift=0.0)
    parts = classes_of(album, MOSTLY_NEUTRAL, 30, draws=1)
    assert measured(population, album, parts, nothing, way, None).difference().value >= -0.01
    # The mean of a mostly neutral class is a neutral face: without a neutral direction, nobody is neutral any more.
    assert measured(population, album, parts, nothing, Recentred(), None).difference().value < -0.05


def test_recentring_forgets_b_by_the_number_of_faces(population: Population) -> None:
    seen = np.full((10, D), 0.5, np.float32)
    assert Recentred()(population, seen, ["a"] * 10).mean == pytest.approx(np.full(D, 0.5))
    assert Recentred(prior=30)(population, seen, ["a"] * 10).mean == pytest.approx(np.full(D, 0.125))


def test_the_class_effect_waits_until_enough_faces_look_neutral(population: Population) -> None:
    way = ClassFromPredictions(strength=0.5, least_neutral=0.5)
    for neutral, used in ((0.8, True), (0.1, False)):
        album = faces(population, neutral, shift=0.6)
        assert bool(np.any(way(population, album.vectors, album.subjects).shift)) is used


def test_one_face_of_one_person_is_enough_to_ask(population: Population) -> None:
    album = faces(population, 1.0, shift=0.0)
    for way in (*SAFE, Recentred(), nothing):
        assert np.isfinite(way(population, album.vectors[:1], album.subjects[:1]).shift).all()


def test_classes_have_the_share_of_neutral_faces_and_test_other_faces(population: Population) -> None:
    album = faces(population, 0.5, shift=0.0)
    for kind, share in ((MIXED, 0.25), (MOSTLY_NEUTRAL, 0.8)):
        (part,) = classes_of(album, kind, 30, draws=1)
        assert not set(part.seen) & set(part.tested)
        for rows in (part.seen, part.tested):
            assert np.mean([album.emotions[row] == "neutral" for row in rows]) == pytest.approx(share, abs=0.02)
    calm = [row for row, emotion in enumerate(album.emotions) if emotion == "neutral"]
    assert composed(album, calm, 0.8) == [] and composed(album, [], 0.8) == []


def test_the_first_faces_are_those_that_are_used(population: Population) -> None:
    used: list[int] = []

    def way(of: Population, seen: np.ndarray, whose: list[str]) -> object:
        used.append(len(seen))
        return nothing(of, seen, whose)

    album = faces(population, 0.5, shift=0.0)
    measured(population, album, classes_of(album, MIXED, 30, draws=1), nothing, way, 10)  # type: ignore[arg-type]
    assert used == [10]


@pytest.mark.parametrize(
    ("differences", "chosen"),
    [
        ({}, ""),
        ({"one": {"a": [-0.5, -0.5], "b": [0.02, 0.0]}}, "one"),  # what it does on the data held out has no say
        ({"one": {"a": [0.5], "b": [0.1, -0.006]}, "two": {"a": [0.5], "b": [0.01, -0.004]}}, "two"),
        ({"one": {"a": [0.5], "b": [0.0, -0.004]}}, ""),
    ],
)
def test_a_way_is_chosen_on_other_data(differences: dict[str, dict[str, list[float]]], chosen: str) -> None:
    assert chosen_elsewhere(differences, "a") == chosen
