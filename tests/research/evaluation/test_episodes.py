"""Episodes: who is drawn, that it is the same again, and what is made of the answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.episode_answers import Answers, answer
from fewshot.research.evaluation.episode_draws import MAJORITY, Episode, Pool, Rules, draw_episodes
from fewshot.research.evaluation.episodes import WAYS, Episodes, EpisodeSet, Space, fitting, matches, plots_of
from fewshot.research.evaluation.estimators import CL2N, Mean
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.vectors import Embedded

KINDS = ("awed", "bored", "calm", "dull", "eager", "fond")


def pool_of(people: int = 12, takes: int = 1) -> Pool:
    """Everybody shows everything, so many times."""
    shown = [(kind, f"p{person:02d}") for person in range(people) for kind in KINDS for _ in range(takes)]
    return Pool.of([kind for kind, _ in shown], [person for _, person in shown])


def episodes_of(pool: Pool, rules: Rules, count: int = 20, seed: int = 0) -> list[Episode]:
    return list(draw_episodes(pool, rules, count, rules.generator(seed, "made")))


@pytest.mark.parametrize(
    "rules",
    [
        Rules(ways=7),
        Rules(shots=12),
        Rules(shots=0),
        Rules(queries=0),
        Rules(always=("angry",)),
        Rules(ways=2, always=KINDS[:3]),
        Rules(shots=11, strangers=True),
    ],
)
def test_what_cannot_be_drawn_is_refused(rules: Rules) -> None:
    with pytest.raises(UsageError):
        episodes_of(pool_of(), rules)


def test_no_pictures_cannot_be_drawn_from() -> None:
    with pytest.raises(UsageError):
        episodes_of(Pool.of([], []), Rules())


@pytest.mark.parametrize("strangers", [False, True])
def test_shape_of_an_episode(strangers: bool) -> None:
    pool = pool_of(people=20)
    for episode in episodes_of(pool, Rules(ways=4, shots=3, queries=5, strangers=strangers)):
        assert len(set(episode.classes)) == 4
        assert np.bincount(episode.support_labels).tolist() == [3] * 4
        assert np.bincount(episode.query_labels).tolist() == [5] * 4
        assert not set(episode.support) & set(episode.query)
        assert (pool.labels[episode.support] == episode.classes[episode.support_labels]).all()
        assert (pool.labels[episode.query] == episode.classes[episode.query_labels]).all()


def test_strangers_are_never_both_shown_and_asked() -> None:
    pool = pool_of(people=14, takes=2)
    both = [
        bool(set(pool.people[episode.support]) & set(pool.people[episode.query]))
        for rules in (Rules(shots=3, strangers=True), Rules(shots=3))
        for episode in episodes_of(pool, rules)
    ]
    assert not any(both[:20]) and all(both[20:])


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    pool, rules = pool_of(), Rules(shots=2)
    queries = [np.concatenate([e.query for e in episodes_of(pool, rules, seed=seed)]).tolist() for seed in (5, 5, 6)]
    assert queries[0] == queries[1] != queries[2]
    # More of them begin with the same ones.
    assert episodes_of(pool, rules, 30)[7].query.tolist() == episodes_of(pool, rules, 8)[7].query.tolist()


def test_all_classes_and_pictures_get_their_turn() -> None:
    pool = pool_of()
    drawn = episodes_of(pool, Rules(), 200)
    assert set(np.concatenate([e.classes for e in drawn])) == set(range(6))
    assert set(np.concatenate([e.support for e in drawn])) == set(range(len(pool.labels)))


def test_some_classes_are_always_there() -> None:
    pool = pool_of()
    assert all(1 in e.classes and 4 in e.classes for e in episodes_of(pool, Rules(ways=3, always=("eager", "bored"))))


@pytest.mark.parametrize("majority", ["", "calm"])
def test_skewed_queries_have_their_share(majority: str) -> None:
    pool = pool_of(people=80)
    for episode in episodes_of(pool, Rules(ways=5, shots=1, strangers=True, skewed=True, majority=majority)):
        counts = np.bincount(episode.query_labels)
        assert counts.max() / counts.sum() == pytest.approx(MAJORITY)
        assert sorted(counts)[:4] == [counts.min()] * 4
        assert not majority or pool.classes[episode.classes[counts.argmax()]] == majority


def test_few_pictures_are_asked_as_far_as_they_go() -> None:
    pool = pool_of(people=4)
    assert np.bincount(episodes_of(pool, Rules(shots=1, queries=15))[0].query_labels).tolist() == [3] * 5


@dataclass(frozen=True)
class Oracle:
    """Answers the class that the first number of a query names, in an episode of all classes."""

    wrong: int = -1
    name: ClassVar[str] = "oracle"
    paper: ClassVar[str] = "none"
    transductive: ClassVar[bool] = False
    features: ClassVar[str] = "embedding"

    def scores(self, support: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
        places = {int(kind): int(label) for kind, label in zip(support[:, 0], labels, strict=True)}
        told = [places[int(kind)] if int(kind) != self.wrong else 0 for kind in queries[:, 0]]
        return np.eye(len(places))[told]


def seen_of(pool: Pool) -> Embedded:
    vectors = np.column_stack([pool.labels, np.ones(len(pool.labels))]).astype(np.float32)
    pictures = [
        Picture("made", str(row), f"{person}", pool.classes[label])
        for row, (label, person) in enumerate(zip(pool.labels, pool.people, strict=True))
    ]
    return Embedded(pictures, vectors, None, np.ones(len(vectors), bool))


def test_answers_of_one_who_knows() -> None:
    pool = pool_of()
    drawn = episodes_of(pool, Rules(ways=6, queries=4))
    found = answer(Oracle(), seen_of(pool), pool, drawn)  # type: ignore[arg-type]
    assert found.balanced(0, 50) == found.plain(0, 50) == Interval(1.0, 1.0, 1.0)
    assert found.episodes == 20 and found.over_episodes == pytest.approx(0.0, abs=1e-12)
    assert found.weights.sum() == pytest.approx(20)


def test_a_class_that_is_always_wrong_costs_its_recall_alone() -> None:
    pool = pool_of()
    drawn = [replace(e, classes=e.classes) for e in episodes_of(pool, Rules(ways=6, queries=4, always=KINDS))]
    found = answer(Oracle(wrong=5), seen_of(pool), pool, drawn)  # type: ignore[arg-type]
    assert found.recall(np.arange(6) == 5, 0, 50).value == 0.0
    assert found.recall(np.arange(6) == 2, 0, 50).value == 1.0
    assert found.balanced(0, 50).value == pytest.approx(5 / 6)
    sure = answer(Oracle(), seen_of(pool), pool, drawn)  # type: ignore[arg-type]
    assert sure.gain(found, 0, 50).value == pytest.approx(1 / 6)


def test_balanced_accuracy_is_no_matter_of_who_is_frequent() -> None:
    hits, labels = np.array([1.0] * 8 + [0.0, 0.0]), np.array([0] * 8 + [1, 1])
    weights = 1.0 / (2 * np.bincount(labels)[labels])
    found = Answers(hits, weights, np.arange(10), labels, np.zeros(10, np.int64))
    assert found.plain(0, 20).value == pytest.approx(0.8) and found.balanced(0, 20).value == pytest.approx(0.5)


def test_backbone_features_have_to_be_there() -> None:
    pool = pool_of()
    wants = Oracle()
    object.__setattr__(wants, "features", "backbone")
    with pytest.raises(UsageError, match="features=True"):
        answer(wants, seen_of(pool), pool, episodes_of(pool, Rules()))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one"):
        answer(Oracle(), seen_of(pool), pool, [])  # type: ignore[arg-type]


def made_world(noise: float) -> Embedded:
    """Classes at the corners of a simplex, people around them."""
    pool, rng = pool_of(people=40), np.random.default_rng(4)
    vectors = np.eye(8)[pool.labels] + noise * rng.normal(size=(len(pool.labels), 8))
    return replace(seen_of(pool), vectors=vectors.astype(np.float32))


def test_rows_of_a_made_up_world() -> None:
    one = EpisodeSet("made", "made", "development", ["*"], new=["f*"], skewed=True)
    protocol = Episodes([one], shots=[1, 5], episodes=60, slow=["Mean"], slow_episodes=25, resamples=100)
    spaces = [Space("ours", made_world(0.3), [Mean(), CL2N(np.zeros(8))]), Space("other", made_world(1.5), [Mean()])]
    rows = [row for rules in protocol._rules(one) for row in protocol.measure(one, spaces, rules, seed=0)]
    assert len(rows) == (2 * 2 + 2) * 3
    by = {
        (r["pictures of"], r["queries"], r["shots"], r["network"], r["estimator"]): r["balanced accuracy"] for r in rows
    }
    few, many, worse = (
        by["other people", "balanced", shots, network, Mean().name]
        for shots, network in ((1, "ours"), (5, "ours"), (5, "other"))
    )
    assert isinstance(few, Interval) and isinstance(many, Interval) and isinstance(worse, Interval)
    assert 0.7 < few.value < many.value <= 1.0 and worse.high < many.low
    assert {row["episodes"] for row in rows if row["estimator"] == "CL2N"} == {60}
    assert {row["episodes"] for row in rows if row["estimator"] == Mean().name} == {25}
    assert all(("gain over CL2N" in row) == (row["estimator"] != "CL2N" and row["network"] == "ours") for row in rows)
    assert set(plots_of(rows)) == {"shots_made"} and plots_of([]) == {}
    again = [row for rules in protocol._rules(one) for row in protocol.measure(one, spaces, rules, seed=0)]
    assert rows == again


def test_different_pictures_are_not_compared() -> None:
    one = EpisodeSet("made", "made", "development", ["*"])
    fewer = made_world(0.3).only(np.arange(100))
    with pytest.raises(UsageError, match="different pictures"):
        Episodes([one], episodes=2).measure(
            one, [Space("ours", made_world(0.3), [Mean()]), Space("other", fewer, [Mean()])], Rules(), 0
        )


@pytest.mark.parametrize(
    ("word", "patterns", "expected"),
    [("", [], False), ("happy", ["happy"], True), ("compound:Awed", ["compound:*"], True), ("sad", ["other:*"], False)],
)
def test_patterns(word: str, patterns: list[str], expected: bool) -> None:
    assert matches(word, patterns) is expected


def space_of(counts: dict[str, int]) -> Space:
    """So many pictures of each word, each of another person."""
    pictures = [Picture("own", f"{word}{n}", f"p{n}", word) for word, count in counts.items() for n in range(count)]
    vectors = np.random.default_rng(0).standard_normal((len(pictures), 4)).astype(np.float32)
    return Space("ours", Embedded(pictures, vectors, None, np.ones(len(pictures), bool)), [CL2N()])


def test_classes_with_too_few_pictures_are_named_and_left_out() -> None:
    spaces, rules, few = fitting([space_of({"awed": 4, "bored": 2, "calm": 3})], Rules(ways=0, shots=2))
    assert sorted(set(spaces[0].seen.emotions)) == ["awed", "calm"] and rules.ways == 2
    assert few == "too few pictures of bored (2)."
    spaces, rules, few = fitting([space_of(dict.fromkeys(KINDS, 3))], Rules(ways=0))
    assert rules.ways == WAYS and few == "" and len(set(spaces[0].seen.emotions)) == len(KINDS)


def test_one_class_cannot_be_told_from_others() -> None:
    with pytest.raises(UsageError, match="two are needed"):
        fitting([space_of({"awed": 4, "bored": 1})], Rules(ways=0, shots=1))
