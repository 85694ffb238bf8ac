"""Protocol "episodes": unseen classes, distinguished with a few pictures of other people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import cast

import numpy as np
from rich.progress import track

from fewshot.errors import UsageError
from fewshot.research.evaluation.episode_answers import Answers, answer
from fewshot.research.evaluation.episode_draws import MAJORITY, Pool, Rules, draw_episodes
from fewshot.research.evaluation.estimators import around
from fewshot.research.evaluation.estimators.base import FewShotEstimator
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.peer_population import peer_population
from fewshot.research.evaluation.peers import FACEAPI
from fewshot.research.evaluation.plots import accuracy_against_shots, written
from fewshot.research.evaluation.protocol_results import Cell, Context, Plot, Report, Row, Table
from fewshot.research.evaluation.vectors import Embedded
from fewshot.session.analysis.words import percent

REFERENCE = "CL2N"
"""The estimator that the others are compared with, query by query."""

WAYS = 5

ABOUT = f"""Every episode draws its classes, then pictures of each: supports, and queries that are told apart by them
alone. *Anybody*: pictures are drawn without regard to who is on them, as the published code of CDNet (Zou et al. 2022)
does; one person may be support of one class and query of another. *Other people*: nobody is both. That code draws 16
queries a class, in 5 runs of 1,000 episodes, and keeps the epoch that is best on the pictures it then tests on; here
nothing is chosen on a test set. *Skewed*: {percent(MAJORITY)} of the queries are of one class, as most of a lesson is
neutral. Balanced accuracy is the mean recall of the classes. Intervals: bootstrap over the people who are asked, who
bring all their queries of all episodes; "+- episodes" is 1.96 standard errors over episodes, as few-shot papers print.
Gains over {REFERENCE} are paired by query."""


@dataclass(frozen=True)
class EpisodeSet:
    """A data set with classes to tell apart.

    Attributes:
        name: in tables.
        dataset: as in the table of pictures.
        role: "test" or "development".
        classes: words, or patterns of them ("compound:*").
        ways: classes of an episode; 0: up to ``WAYS``, of those classes that have pictures enough.
        new: of them, those whose recall is reported alone, as patterns; none reports nothing.
        always: classes that are in every episode.
        balanced: with equally many queries of every class?
        skewed: with queries of which most are of one class?
        majority: that class; "" draws one.
    """

    name: str
    dataset: str
    role: str
    classes: Sequence[str]
    ways: int = 5
    new: Sequence[str] = ()
    always: Sequence[str] = ()
    balanced: bool = True
    skewed: bool = False
    majority: str = ""


@dataclass(frozen=True, eq=False)
class Space:
    """Vectors of one network, and the estimators to try on them.

    Attributes:
        name: of the network, in tables.
        seen: pictures in which a face was found.
        estimators: with the network's own b in them.
    """

    name: str
    seen: Embedded
    estimators: Sequence[FewShotEstimator]


@dataclass(frozen=True)
class Episodes:
    """Every estimator on every set, balanced and skewed, with anybody's pictures and with other people's.

    Attributes:
        sets: the classes to distinguish.
        shots: supports a class; those that a set has too few pictures for are left out.
        episodes: of each setting.
        queries: a class.
        skewed_shots: supports a class where queries are skewed.
        slow: classes of estimators that see only the first ``slow_episodes`` of them.
        peers: also by the features of face-api.js.
        development: leave the test sets out.
        resamples: of the bootstrap over people.
    """

    sets: Sequence[EpisodeSet]
    shots: Sequence[int] = (1, 2, 3, 5, 10)
    episodes: int = 2000
    queries: int = 15
    skewed_shots: Sequence[int] = (1, 5)
    slow: Sequence[str] = ("LinearProbe",)
    slow_episodes: int = 500
    peers: bool = True
    development: bool = False
    resamples: int = 2000

    def run(self, context: Context) -> Report:
        """Tables of every estimator in every set's episodes."""
        rows: list[Row] = []
        left_out: list[str] = []
        sets = [one for one in self.sets if one.role == "development" or not self.development]
        for one in sets:
            spaces = self._spaces(context, one)
            for rules in self._rules(one):
                try:
                    able, fit, few = fitting(spaces, rules) if not one.ways else (spaces, rules, "")
                    rows += self.measure(one, able, fit, context.seed)
                except UsageError as error:
                    few = str(error)
                if few:
                    left_out.append(f"{one.name}, {rules.shots} shots: {few}")
        even, skewed = ([row for row in rows if row["queries"] == kind] for kind in ("balanced", "skewed"))
        note = "".join(f"Left out: {reason}\n" for reason in left_out)
        return Report(
            "episodes",
            "Episodes: new classes from a few pictures",
            ABOUT.replace("\n", " "),
            {one.name: one.role for one in sets},
            [
                Table("Equally many queries of every class", even, note=note),
                *([Table("Skewed queries", skewed, "skewed")] if skewed else []),
            ],
            plots_of(even),
        )

    def measure(self, one: EpisodeSet, spaces: Sequence[Space], rules: Rules, seed: int) -> list[Row]:
        """One row a network and estimator, all of them over the same episodes.

        Raises:
            UsageError: the set has too few pictures for these rules.
        """
        first = spaces[0].seen
        pool = Pool.of(first.emotions, first.subjects)
        drawn = list(draw_episodes(pool, rules, self.episodes, rules.generator(seed, one.name)))
        rows: list[Row] = []
        for space in spaces:
            if space.seen.pictures != first.pictures:
                raise UsageError(f"{space.name} and {spaces[0].name} saw different pictures. Clear the cached vectors.")
            answers: dict[str, Answers] = {}
            for estimator in space.estimators:
                some = drawn[: self.slow_episodes] if type(estimator).__name__ in self.slow else drawn
                title = f"{one.name}, {rules.shots} shots, {space.name}, {estimator.name}"
                answers[estimator.name] = answer(estimator, space.seen, pool, track(some, title, transient=True))
            for estimator in space.estimators:
                about: dict[str, Cell] = {
                    "set": one.name,
                    "role": one.role,
                    "ways": rules.ways,
                    "shots": rules.shots,
                    "pictures of": "other people" if rules.strangers else "anybody",
                    "queries": "skewed" if rules.skewed else "balanced",
                    "network": space.name,
                    "estimator": estimator.name,
                    "sees all queries": "yes" if estimator.transductive else "no",
                }
                new = np.array([matches(word, one.new) for word in pool.classes])
                rows.append(about | self._numbers(answers, estimator.name, rules, new, seed))
        return rows

    def _numbers(
        self, answers: dict[str, Answers], name: str, rules: Rules, new: np.ndarray, seed: int
    ) -> dict[str, Cell]:
        mine, reference = answers[name], answers.get(REFERENCE)
        numbers: dict[str, Cell] = {
            "episodes": mine.episodes,
            "balanced accuracy": mine.balanced(seed, self.resamples),
            "+- episodes": mine.over_episodes,
        }
        if rules.skewed:
            numbers["accuracy"] = mine.plain(seed, self.resamples)
        if new.any():
            numbers["recall of the new"] = mine.recall(new, seed, self.resamples)
        if reference is not None and name != REFERENCE:
            numbers[f"gain over {REFERENCE}"] = mine.gain(reference, seed, self.resamples)
        return numbers

    def _rules(self, one: EpisodeSet) -> Iterator[Rules]:
        plain = Rules(one.ways, queries=self.queries, always=tuple(one.always), majority=one.majority)
        for strangers in (False, True) if one.balanced else ():
            for shots in self.shots:
                yield replace(plain, shots=shots, strangers=strangers)
        for shots in self.skewed_shots if one.skewed else ():
            yield replace(plain, shots=shots, strangers=True, skewed=True)

    def _spaces(self, context: Context, one: EpisodeSet) -> list[Space]:
        """Our network first, then the peer's features if asked for.

        Raises:
            UsageError: no estimator is one for episodes.
        """
        wanted = sorted({p.emotion for p in context.pictures(one.dataset, ()) if matches(p.emotion, one.classes)})
        able = [cast(FewShotEstimator, one) for one in context.estimators.values() if hasattr(one, "scores")]
        if not able:
            raise UsageError("No estimator here is one for episodes. Use estimator=all or estimator=cl2n.")
        others = []
        if self.peers:
            seen, mean = context.embed_peer(FACEAPI, one.dataset, wanted), peer_population(context, FACEAPI).mean
            quick = [around(estimator, mean) for estimator in able if type(estimator).__name__ not in self.slow]
            others.append(Space(FACEAPI.name, seen.only(seen.found), quick))
        backbone = any(estimator.features == "backbone" for estimator in able)
        seen = context.embed(one.dataset, wanted, features=backbone)
        mine = [around(estimator, context.population.mean) for estimator in able]
        return [Space("ours", seen.only(seen.found), mine), *others]


def fitting(spaces: Sequence[Space], rules: Rules) -> tuple[list[Space], Rules, str]:
    """The classes with enough pictures to show and one more to ask about, as many ways as they allow, and in words
    which classes were left out.

    Raises:
        UsageError: there are not two such classes.
    """
    emotions = spaces[0].seen.emotions
    counts = {word: emotions.count(word) for word in sorted(set(emotions))}
    able = [word for word, count in counts.items() if count > rules.shots]
    if len(able) < 2:
        raise UsageError(f"{len(able)} of {len(counts)} classes have more than {rules.shots} pictures; two are needed.")
    kept = np.array([word in able for word in emotions])
    few = ", ".join(f"{word} ({count})" for word, count in counts.items() if word not in able)
    spaces = [replace(space, seen=space.seen.only(kept)) for space in spaces]
    return spaces, replace(rules, ways=min(WAYS, len(able))), f"too few pictures of {few}." if few else ""


def matches(word: str, patterns: Sequence[str]) -> bool:
    """Whether a word is one of these, or fits one of these patterns ("compound:*")."""
    return any(fnmatch(word, pattern) for pattern in patterns)


def plots_of(rows: Sequence[Row]) -> dict[str, Plot]:
    """Accuracy against shots of each set where nobody is both shown and asked: every network and estimator."""
    plots: dict[str, Plot] = {}
    for name in dict.fromkeys(str(row["set"]) for row in rows):
        curves: dict[str, dict[int, Interval]] = {}
        chance = 0.0
        for row in rows:
            accuracy, shots, ways = row["balanced accuracy"], row["shots"], row["ways"]
            if row["set"] != name or row["pictures of"] != "other people":
                continue
            if isinstance(accuracy, Interval) and isinstance(shots, int) and isinstance(ways, int):
                curves.setdefault(f"{row['network']}, {row['estimator']}", {})[shots] = accuracy
                chance = 1 / ways
        if curves:
            title = f"{name}: {round(1 / chance)}-way"
            short = "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()[:2])
            plots[f"shots_{short}"] = written(accuracy_against_shots, curves, title, chance)
    return plots
