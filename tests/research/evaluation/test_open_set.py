from dataclasses import replace

import numpy as np
import pytest
from small_world_of_people import CLASSES, album_of, made_album, world

from fewshot.errors import UsageError
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.estimators import REACH
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.verdict import Verdict
from fewshot.research.evaluation import open_set
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.new_states import draws_of, measure, outcome, without
from fewshot.research.evaluation.open_set import OpenSet, coverage_plot
from fewshot.research.evaluation.plots import coverage_accuracy
from fewshot.research.evaluation.rejecting import MARGINS, accuracy_at, area, honesty, said, shipped, sweep
from fewshot.research.evaluation.runtime_class import Verdicts, enrolled, together
from fewshot.research.evaluation.support_draws import Draw, each, few_shots

NOBODY = Album(np.zeros((0, 16), np.float32), (), ())


def verdict(best: float, emotion: str | None = "happy", distance: float = 1.0) -> Verdict:
    limits = {"happy": 1.5, "sad": 1.5}
    distances = {"happy": distance, "sad": 2.0}
    return Verdict(emotion, best, {"happy": best, "sad": 1 - best}, "population", distances, limits, margin=0.2)


def read_of(*rows: tuple[str, str, Verdict]) -> Verdicts:
    return Verdicts(*(list(column) for column in zip(*rows, strict=True)))


def test_nobody_is_read_without_queries():
    population, _ = world()
    assert len(enrolled(population, NOBODY, Draw({}, {}, {}))) == 0
    assert len(together([])) == 0


def test_what_is_said_is_the_runtimes_own_word():
    population, rng = world()
    album = made_album(population, rng, people=5, takes=3, noise=0.9)
    (draw,) = few_shots(album, each(1), each(1), 1, seed=0)
    read = enrolled(population, album, draw)
    store = PrototypeStore(population.dimension, 1, population.network)
    for who, rows in draw.own.items():
        store.add(who, album.supports(rows), np.zeros((0, 1), np.float32))
    rows = [row for rows in draw.queries.values() for row in rows]
    expected = Classifier(population, store).read(album.vectors[rows], [album.subjects[row] for row in rows])
    assert read.said == expected
    assert {verdict.prototypes for verdict in read.said} == {"personal"}
    # With nothing moved, the sweep decides as the classifier did.
    assert said(read) == [verdict.emotion for verdict in expected]
    assert None in said(read), "a world in which nothing is rejected tests nothing"


@pytest.mark.parametrize(
    ("margin", "reach", "expected"),
    [
        (None, 1.0, ["happy", "happy", None]),  # the third leads by 0.1 < 0.2
        (0.0, 1.0, ["happy", "happy", "happy"]),
        (0.5, 1.0, ["happy", None, None]),
        (None, 0.5, [None, None, None]),  # 1.0 > 0.75
        (1.01, 1.0, [None, None, None]),
    ],
)
def test_moving_the_thresholds(margin, reach, expected):
    read = read_of(*(("a", "happy", verdict(best)) for best in (0.9, 0.7, 0.55)))
    assert said(read, margin, reach) == expected


def test_coverage_falls_as_the_margin_grows():
    population, rng = world()
    album = made_album(population, rng, people=6, takes=2)
    points = sweep(enrolled(population, album, few_shots(album, each(1), each(1), 1, 0)[0]))
    coverages = [point.coverage for point in points[: len(MARGINS)]]
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[0] > coverages[-1]
    reaching = [point.coverage for point in points[len(MARGINS) :]]
    assert reaching == sorted(reaching)


def test_shipped_thresholds_pinned():
    read = read_of(
        ("a", "happy", verdict(0.9)),
        ("a", "sad", verdict(0.8)),
        ("b", "happy", verdict(0.9)),
        ("b", "happy", verdict(0.5, emotion=None)),
    )
    coverage, accuracy = shipped(read, seed=0, resamples=100)
    assert (coverage.value, accuracy.value) == (pytest.approx(3 / 4), pytest.approx(2 / 3))
    with pytest.raises(UsageError, match="nothing was said"):
        shipped(read_of(("a", "happy", verdict(0.5, emotion=None))), 0, 10)


def test_area_and_accuracy_at_a_coverage_pinned():
    # In the order of their leads: right, wrong, right, right.
    rows = [("happy", 0.95), ("sad", 0.9), ("happy", 0.8), ("happy", 0.7)]
    read = read_of(*(("a", truth, verdict(best)) for truth, best in reversed(rows)))
    assert area(read) == pytest.approx((1 + 1 / 2 + 2 / 3 + 3 / 4) / 4)
    assert accuracy_at(read, 1.0) == 0.75
    assert accuracy_at(read, 0.25) == 1.0
    assert np.isnan(area(Verdicts()))
    assert np.isnan(accuracy_at(Verdicts(), 0.5))


def test_honest_probabilities_have_no_error():
    read = read_of(*(("a", truth, verdict(0.75)) for truth in ("happy", "happy", "happy", "sad")))
    assert honesty(read, ("happy", "sad")).confidence == pytest.approx(0.75)
    always = read_of(*(("a", "happy", verdict(0.6)) for _ in range(30)))
    assert honesty(always, ("happy", "sad")).error == pytest.approx(0.4)


def test_a_population_without_an_emotion():
    population, _ = world()
    ignorant = without(population, "happy")
    assert ignorant.classes == tuple(name for name in CLASSES if name != "happy")
    np.testing.assert_array_equal(ignorant.prototypes, np.delete(population.prototypes, 3, axis=0))
    with pytest.raises(UsageError, match="no 'confused'"):
        without(population, "confused")


def test_who_has_too_few_photos_of_the_state_is_not_in_it():
    album = album_of(
        {"enough": {"happy": 3, "neutral": 1}, "few": {"happy": 2, "neutral": 2}, "no neutral": {"happy": 3}}
    )
    assert draws_of(NOBODY, "happy", 2, 1, 0, keep=1)[0].queries == {}
    (draw,) = draws_of(album, "happy", shots=2, draws=1, seed=0, keep=1)
    assert set(draw.queries) == {"enough"}
    assert [album.emotions[row] for row in draw.own["enough"]].count("happy") == 2
    assert [album.emotions[row] for row in draw.queries["enough"]] == ["happy"]
    (bare,) = draws_of(album, "happy", shots=2, draws=1, seed=0, keep=1, neutral=False)
    assert {album.emotions[row] for row in bare.own["enough"]} == {"happy"}


def test_outcome_pinned():
    def row(who: str, truth: str, emotion: str | None) -> tuple[str, str, Verdict]:
        return who, truth, verdict(0.9, emotion)

    happy = read_of(
        row("a", "happy", "happy"),
        row("a", "happy", None),
        row("a", "sad", "happy"),
        row("a", "neutral", "neutral"),
        row("a", "neutral", "neutral"),
        row("b", "sad", "sad"),
    )
    sad = read_of(row("a", "sad", "sad"), row("a", "happy", "happy"))
    one = outcome([("happy", happy)])
    assert one.recall == {"a": 0.5}
    assert one.false_alarms == {"a": 0.5, "b": 0.0}  # the mean over sad and neutral, not over pictures
    both = outcome([("happy", happy), ("sad", sad)])
    assert both.recall == {"a": 0.75}
    assert both.false_alarms == {"a": 0.25, "b": 0.0}
    assert outcome([]).recall == {}


def test_a_new_state_is_found_with_a_neutral_photo_and_never_named_without():
    population, rng = world()
    population = replace(population, variances=replace(population.variances, within=0.15))
    album = made_album(population, rng, people=8, takes=4, camera=0.2, person=0.3, own_way=0.3, noise=0.3)
    seen = {}
    for neutral in (True, False):
        draws = draws_of(album, "happy", 2, 2, 0, keep=1, neutral=neutral)
        result = outcome([("happy", measure(population, album, "happy", draws))])
        seen[neutral] = np.mean(list(result.recall.values())), np.mean(list(result.false_alarms.values()))
    assert seen[True][0] > 0.7
    assert seen[True][1] < 0.1
    assert seen[False] == (0.0, 0.0)


def test_a_state_that_reaches_nowhere_is_never_named_and_reaching_further_names_more():
    population, rng = world()
    album = made_album(population, rng, people=6, takes=4, person=0.3)
    draws = draws_of(album, "happy", 2, 2, 0, keep=1)
    recalls = []
    for stretch in (0.0, 0.5, 1.0, 100.0):
        result = outcome([("happy", measure(population, album, "happy", draws, stretch))])
        recalls.append(np.mean(list(result.recall.values())))
    assert recalls[0] == 0.0
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0]


@pytest.mark.parametrize("dataset", ["ckplus", "jaffe", "cfee"])
def test_every_data_set_makes_its_tables(dataset):
    population, rng = world()
    album = made_album(population, rng, people=3, takes=3)
    protocol = OpenSet(draws=3, reaches=[1.0, 4.0], resamples=50)
    rows, points = protocol.rejections(population, album, dataset, seed=0)
    assert {row["everybody brings"] for row in rows} == {row["everybody brings"] for row in points}
    assert rows[0]["everybody brings"] == "nothing"
    states, curve = protocol.new_states(population, album, dataset, seed=0)
    assert [row["state"] for row in states].count("each in turn") == 2
    assert [row["reach"] for row in curve] == sorted({1.0, REACH, 4.0})
    assert states[0]["recall"].low <= states[0]["recall"].value


def test_the_plot_of_coverage_shows_every_way_and_where_the_shipped_thresholds_lie(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    drawn = {}

    def draw(curves, marks, title):
        figure = coverage_accuracy(curves, marks, title)
        drawn.update(curves=curves, marks=marks, lines=figure.axes[0].get_lines())
        return figure

    monkeypatch.setattr(open_set, "coverage_accuracy", draw)
    population, rng = world()
    album = made_album(population, rng, people=3, takes=3)
    rows, points = OpenSet(draws=2, resamples=20).rejections(population, album, "jaffe", seed=0)
    coverage_plot(rows, points, "jaffe")(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").is_file()
    assert set(drawn["curves"]) == set(drawn["marks"]) == {row["everybody brings"] for row in rows}
    for coverage, _ in drawn["curves"].values():
        assert list(coverage) == sorted(coverage)
    assert drawn["marks"]["nothing"][0] == pytest.approx(rows[0]["coverage"].value)
