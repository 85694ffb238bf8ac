from dataclasses import replace

import numpy as np
import pytest
from small_world_of_people import album_of, made_album, world

from fewshot.errors import UsageError
from fewshot.prototypes.calibration import Thresholds
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import (
    SHOTS,
    Asked,
    allowance_rows,
    ask,
    calibration_of,
    chosen_allowance,
    chosen_reach,
    development,
    honesty_rows,
    reach_rows,
    sensitivity_rows,
)
from fewshot.research.evaluation.made_photos import left_out, made_state, made_takes
from fewshot.research.evaluation.support_draws import Draw

NOBODY = Album(np.zeros((0, 16), np.float32), (), ())


def lenders(neutral: int = 6) -> Album:
    """Three people with many neutral pictures and one of two emotions, as in CK+."""
    return album_of({who: {"neutral": neutral, "happy": 1, "sad": 1} for who in ("a", "b", "c")})


@pytest.mark.parametrize("album", [NOBODY, album_of({"a": {"neutral": 9}}), lenders(neutral=2)])
def test_nobody_to_lend_differences(album):
    with pytest.raises(UsageError, match="fewer shots"):
        made_takes(album, 2, seed=0)


def test_made_photos_differ_as_the_neutral_ones_of_one_other_person_do():
    album, shots = lenders(), 2
    made, draw = made_takes(album, shots, seed=0)
    differences = {
        who: {
            tuple(np.round(album.vectors[i] - album.vectors[j], 4)) for i in kinds["neutral"] for j in kinds["neutral"]
        }
        for who, kinds in album.cells().items()
    }
    assert len(made) == 3 * 3 * (shots + 1)
    for who, asked in draw.queries.items():
        for row in asked:
            assert (
                album.emotions[np.flatnonzero((album.vectors == made.vectors[row]).all(axis=1))[0]]
                == made.emotions[row]
            )
            others = [tuple(np.round(made.vectors[row + step] - made.vectors[row], 4)) for step in (1, 2)]
            givers = [giver for giver, known in differences.items() if set(others) <= known]
            assert len(givers) == 1
            assert givers[0] != who
            assert {row + 1, row + 2} <= set(draw.own[who])
    again, _ = made_takes(album, shots, seed=0)
    np.testing.assert_array_equal(again.vectors, made.vectors)


def test_a_made_state_is_asked_on_real_pictures_alone():
    album = lenders()
    made, draw = made_state(album, "happy", shots=2, seed=0)
    np.testing.assert_array_equal(made.vectors[: len(album)], album.vectors)
    for who, rows in draw.queries.items():
        assert max(rows) < len(album)
        assert len(rows) == 7  # all but the neutral one that is enrolled
        assert [made.emotions[row] for row in draw.own[who]] == ["neutral", "happy", "happy"]
        assert {made.subjects[row] for row in draw.own[who]} == {who}


def test_left_out_asks_everybody_for_every_emotion_once():
    draws, brought = left_out(lenders(), seed=0)
    assert sum(len(rows) for draw in draws for rows in draw.queries.values()) == 9
    assert brought == 2.0
    album = lenders()
    for draw in draws:
        for who, rows in draw.queries.items():
            assert {album.emotions[row] for row in rows}.isdisjoint(album.emotions[row] for row in draw.own[who])


def test_nothing_to_ask():
    population, _ = world()
    with pytest.raises(UsageError, match="No picture"):
        ask(population, NOBODY, [Draw({}, {}, {})], 1.0)


def test_more_photos_never_raise_the_temperature_and_distances_stay():
    population, rng = world()
    album = made_album(population, rng, people=8, takes=7, noise=0.5)
    found = development(population, album)
    none = Thresholds(0.3, 1.2, 0.1)
    calibration = calibration_of(found, none)
    assert calibration.shots == (0.0, pytest.approx(1 / 7), *map(float, SHOTS))
    assert calibration.temperature[0] == 0.3
    assert list(calibration.temperature) == sorted(calibration.temperature, reverse=True)
    assert set(calibration.far) == {1.2}
    assert set(calibration.margin) == {0.1}
    replace(population, calibration=calibration)  # is one that a Population accepts


def test_photos_of_one_laboratory_do_not_make_surer():
    rng = np.random.default_rng(0)

    def asked(wrong: float) -> Asked:
        truth = rng.integers(0, 3, 600)
        seen = np.where(rng.random(600) < wrong, (truth + 1) % 3, truth)
        distances = 1.0 - np.eye(3)[seen] + rng.random((600, 3)) * 0.2
        return Asked(distances, truth, 1.0)

    found = {"left out": asked(0.3), "one neutral photo": asked(0.3)} | {f"made, {n}": asked(0.02) for n in SHOTS}
    calibration = calibration_of(found, Thresholds(9.0, 1.0, 0.1))
    assert set(calibration.temperature) == {9.0}
    # The table still shows what they alone would have given.
    own = {row["readings of CK+"]: row["its own best"] for row in honesty_rows(found, calibration)}
    assert own["made, 1"] < own["left out"] < 9.0


def test_reaching_further_finds_more_and_alarms_more():
    population, rng = world()
    album = made_album(population, rng, people=6, takes=4, person=0.3)
    rows = reach_rows(population, album, shots=2)
    assert [row["reach"] for row in rows] == sorted(row["reach"] for row in rows)
    for column in ("false alarms", "recall"):
        values = [row[column] for row in rows]
        assert values == sorted(values)
    assert rows[0]["recall"] < rows[-1]["recall"]


@pytest.mark.parametrize(("alarms", "expected"), [(0.005, 2.0), (0.02, 4.0), (0.0001, 1.0)])
def test_the_furthest_reach_that_is_allowed(alarms, expected):
    rows = [{"reach": at, "false alarms": rate} for at, rate in ((1.0, 0.001), (2.0, 0.004), (4.0, 0.02))]
    assert chosen_reach(rows, alarms) == expected


def test_an_allowance_helps_what_nobody_brought():
    """The students of this world differ, so what is enrolled attracts their faces, whatever these show."""
    population, rng = world()
    album = made_album(population, rng, people=10, takes=3, camera=0.6, person=0.6)
    rows = allowance_rows(population, album, draws=1)
    left_out = [float(row["all but the one asked; class: all but the one asked"].split(", ")[1]) for row in rows]
    assert left_out[0] < left_out[-1]
    assert [row["allowance"] for row in rows] == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("dearer", "expected"), [(0.0, 0.0), (0.005, 0.5), (1.0, 0.75)])
def test_the_best_allowance_that_is_not_dear(dearer, expected):
    found = ((0.0, 0.950, 0.920), (0.25, 0.949, 0.921), (0.5, 0.947, 0.925), (0.75, 0.940, 0.930), (1.0, 0.9, 0.91))
    rows = [{"allowance": a, "accuracy": plain, "balanced": even} for a, plain, even in found]
    assert chosen_allowance(rows, dearer) == expected


def test_a_variance_that_is_far_off_costs_accuracy_and_every_one_has_its_rows():
    """The students of this world differ, so a population that thinks they hardly do must read them worse."""
    population, rng = world()
    album = made_album(population, rng, people=14, takes=3, camera=0.2, person=1.0, own_way=0.3)
    rows = sensitivity_rows(population, album, factors=(1e-4, 1.0))
    found = {row["variances"]: row for row in rows}
    assert len(rows) == 2 + 2 * 5
    column = "all but the one asked; class: all"
    assert found["student x 0.0001"][column] < found["as estimated"][column]
    assert {name: cell for name, cell in found["student x 1"].items() if name != "variances"} == {
        name: cell for name, cell in found["as estimated"].items() if name != "variances"
    }
