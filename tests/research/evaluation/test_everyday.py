"""What photos are worth: classes, ways to enroll, and the table's rows, on made-up people."""

from __future__ import annotations

import numpy as np
import pytest
from small_world_of_people import world

from fewshot.prototypes.estimators import AdaptiveHierarchical
from fewshot.prototypes.population import Population
from fewshot.research.evaluation import everyday
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.controls import ANOTHER, NO_PHOTO, OWN, Readings
from fewshot.unit_vectors import unit_rows


@pytest.fixture
def population() -> Population:
    return world()[0]


@pytest.fixture
def album(population) -> Album:
    rng = np.random.default_rng(0)
    shown = [("neutral", "neutral", "happy", "happy", "sad")[n % 5] for n in range(50)]
    places = [population.classes.index(emotion) for emotion in shown]
    vectors = unit_rows(population.prototypes[places] + 0.2 * rng.normal(size=(50, 16)) / 4)
    return Album(vectors.astype(np.float32), tuple(f"p{n // 5}" for n in range(50)), tuple(shown))


def test_everybody_is_in_one_class(album):
    parts = everyday.classes(album, seed=1, size=4)
    assert sorted(who for part in parts for who in part.people()) == album.people()
    assert [len(part.people()) for part in parts] in ([5, 5], [4, 3, 3], [4, 4, 2])


@pytest.mark.parametrize(("way", "brought"), [(everyday.ONE_NEUTRAL, 1), (everyday.ONE_OF_EACH, 3)])
def test_nothing_that_is_read_was_enrolled(album, way, brought):
    (draw,) = everyday.enrolled(album, way, seed=0)
    for who, rows in draw.own.items():
        assert len(rows) == brought
        assert not set(rows) & set(draw.queries[who])
        assert len(rows) + len(draw.queries[who]) == 5


def test_all_but_the_tested_leaves_exactly_one_out(album):
    draws = everyday.enrolled(album, everyday.ALL_BUT_ONE, seed=0)
    assert len(draws) == everyday.MOST_QUERIES
    for draw in draws:
        for who, (row,) in draw.queries.items():
            assert sorted([*draw.own[who], row]) == album.everything()[who]
    assert len({draw.queries["p0"][0] for draw in draws}) == everyday.MOST_QUERIES


def test_who_is_alone_has_no_classmates(population, album):
    worth = everyday.measure(population, AdaptiveHierarchical(), album, "made", everyday.ONE_OF_EACH, 1, 0, size=1)
    assert set(worth.readings) == {NO_PHOTO, OWN}
    assert "classmates'" not in everyday.worth_row(worth)


def test_how_much_people_and_photos_differ(population):
    """Ten people with two photos each, as far apart as they are made."""
    rng = np.random.default_rng(1)
    people = np.repeat(rng.normal(size=(10, 1, 16)), 2, axis=1) * 0.1
    centre = 5.0 * population.prototypes[population.classes.index("happy")]
    vectors = unit_rows((centre + people + 0.01 * rng.normal(size=(10, 2, 16))).reshape(20, 16)) + population.mean
    faces = Album(vectors.astype(np.float32), tuple(f"p{n // 2}" for n in range(20)), ("happy",) * 20)
    rows = {row["emotion"]: row for row in everyday.spread_rows(population, {"made": faces})}
    assert rows["happy"]["made: people"] == 10
    assert rows["happy"]["made: between people"] > 20 * rows["happy"]["made: within one"] > 0
    assert (rows["sad"]["made: people"], rows["sad"]["made: between people"]) == (0, "-")


def test_a_row_says_what_was_gained(population, album):
    worth = everyday.measure(population, AdaptiveHierarchical(), album, "made", everyday.ONE_OF_EACH, 1, 0)
    assert worth.readings[NO_PHOTO].truth == worth.readings[OWN].truth
    assert len(worth.readings[ANOTHER]) == 2 * len(worth.readings[OWN])
    row = everyday.worth_row(worth)
    assert (row["people"], row["photos read"]) == (10, 20)
    assert float(row["own"]) > 0.9


def test_who_loses_and_who_gains():
    before = Readings(["a", "a", "a", "b", "b"], ["happy"] * 5, ["happy", "happy", "sad", "sad", "sad"])
    after = Readings(["a", "a", "a", "b", "b"], ["happy"] * 5, ["sad", "sad", "sad", "happy", "happy"])
    row = everyday.worth_row(everyday.Worth("x", "y", {NO_PHOTO: before, OWN: after}))
    assert (row["lose 2 or more"], row["gain 2 or more"]) == (1, 1)
    assert row["nobody"] == pytest.approx((2 / 3 + 0) / 2)
    assert row["own"] == pytest.approx(0.5)


def test_rare_emotions_do_not_count_in_the_macro_average():
    readings = Readings(["a"] * 41, ["happy"] * 20 + ["sad"] * 20 + ["fear"], ["happy"] * 30 + ["sad"] * 11)
    assert everyday.macro(readings) == pytest.approx((1.0 + 0.5) / 2)
    assert np.isnan(everyday.macro(Readings(["a"], ["sad"], ["sad"])))
