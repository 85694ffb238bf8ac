"""N-way K-shot episodes over classes that were never trained on: whose pictures are shown, and whose are asked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError

Rows = NDArray[np.int64]
MAJORITY = 0.8
"""Share of the most frequent class where queries are skewed: about what "neutral" has in a lesson."""
_TRIES = 200


@dataclass(frozen=True, eq=False)
class Pool:
    """Pictures to draw from.

    Attributes:
        classes: names, k of them.
        labels: class of each picture, shape (n,).
        people: number of the person on each, shape (n,).
    """

    classes: tuple[str, ...]
    labels: Rows
    people: Rows

    @classmethod
    def of(cls, emotions: Sequence[str], subjects: Sequence[str]) -> Pool:
        """Of words and names, one a picture; classes and people are numbered in alphabetical order."""
        classes, names = sorted(set(emotions)), sorted(set(subjects))
        labels = np.array([classes.index(word) for word in emotions], np.int64)
        return cls(tuple(classes), labels, np.array([names.index(name) for name in subjects], np.int64))


@dataclass(frozen=True, eq=False)
class Episode:
    """One episode.

    Attributes:
        classes: places in ``Pool.classes`` of its n classes, shape (n,).
        support, query: rows of the pool, shapes (n * shots,) and (q,).
        support_labels, query_labels: 0..n-1, in the order of ``classes``.
    """

    classes: Rows
    support: Rows
    query: Rows
    support_labels: Rows
    query_labels: Rows


@dataclass(frozen=True)
class Rules:
    """How episodes are drawn.

    Attributes:
        ways: classes of an episode.
        shots: supports a class.
        queries: queries a class; fewer where a class has no more pictures.
        strangers: is nobody among both supports and queries? Else the same person may show one class as a support and
            another as a query, as in the published protocols.
        skewed: is one class ``MAJORITY`` of the queries?
        always: classes that are in every episode.
        majority: the class that is most of the queries if they are skewed; "" draws one.
    """

    ways: int = 5
    shots: int = 1
    queries: int = 15
    strangers: bool = False
    skewed: bool = False
    always: tuple[str, ...] = ()
    majority: str = ""

    def generator(self, seed: int, name: str) -> np.random.Generator:
        """Random numbers of its own for every set and rule, so that adding one changes no other."""
        text = f"{name} {self.ways} {self.shots} {self.strangers} {self.skewed}"
        return np.random.default_rng([seed, zlib.crc32(text.encode())])


def draw_episodes(pool: Pool, rules: Rules, count: int, rng: np.random.Generator) -> Iterator[Episode]:
    """``count`` episodes, the same ones for the same generator.

    Raises:
        UsageError: the pool has too few classes, or too few pictures of one.
    """
    required = np.array([pool.classes.index(word) for word in _checked(pool, rules)], np.int64)
    others = np.setdiff1d(np.arange(len(pool.classes)), required)
    for _ in range(count):
        drawn = rng.choice(others, rules.ways - len(required), replace=False)
        yield _episode(pool, rules, np.concatenate([required, drawn]), rng)


def _checked(pool: Pool, rules: Rules) -> tuple[str, ...]:
    """The classes of every episode; whether there are enough of them and of their pictures."""
    always = tuple(dict.fromkeys([*rules.always, *([rules.majority] if rules.skewed and rules.majority else [])]))
    unknown = [word for word in always if word not in pool.classes]
    if unknown or len(pool.classes) < rules.ways or len(always) > rules.ways:
        raise UsageError(
            f"{rules.ways}-way episodes with {', '.join(always) or 'no class in all of them'} cannot be drawn from "
            f"{', '.join(pool.classes) or 'no classes'}. Name classes that are there, and no more of them than ways."
        )
    counts = np.bincount(pool.labels, minlength=len(pool.classes))
    if rules.shots < 1 or rules.queries < 1 or counts.min() <= rules.shots:
        least = pool.classes[int(counts.argmin())]
        raise UsageError(
            f"{rules.shots} supports and {rules.queries} queries a class cannot be drawn: {least} has {counts.min()} "
            f"pictures, one more than supports are needed. Ask for fewer shots, or leave the class out."
        )
    return always


def _episode(pool: Pool, rules: Rules, classes: Rows, rng: np.random.Generator) -> Episode:
    support, rest = _split(pool, rules, classes, rng)
    wanted = _wanted(pool, rules, classes, [len(rows) for rows in rest], rng)
    query = [rows[:number] for rows, number in zip(rest, wanted, strict=True)]

    def labels(parts: list[Rows]) -> Rows:
        return np.repeat(np.arange(len(parts)), [len(part) for part in parts])

    return Episode(classes, np.concatenate(support), np.concatenate(query), labels(support), labels(query))


def _split(pool: Pool, rules: Rules, classes: Rows, rng: np.random.Generator) -> tuple[list[Rows], list[Rows]]:
    """Supports of each class, and in random order what may be asked of each.

    Raises:
        UsageError: no division of the people leaves supports and queries of every class.
    """
    of_class = [rng.permutation(np.flatnonzero(pool.labels == label)) for label in classes]
    if not rules.strangers:
        return [rows[: rules.shots] for rows in of_class], [rows[rules.shots :] for rows in of_class]
    everybody = np.unique(pool.people)
    for _ in range(_TRIES):
        shown = rng.random(everybody.max() + 1) < 0.5
        support = [rows[shown[pool.people[rows]]][: rules.shots] for rows in of_class]
        rest = [rows[~shown[pool.people[rows]]] for rows in of_class]
        if all(len(rows) == rules.shots for rows in support) and all(len(rows) for rows in rest):
            return support, rest
    raise UsageError(
        f"{rules.shots} supports a class of people who are not asked cannot be drawn: too few people show "
        f"{', '.join(pool.classes[label] for label in classes)}. Ask for fewer shots."
    )


def _wanted(pool: Pool, rules: Rules, classes: Rows, there: list[int], rng: np.random.Generator) -> list[int]:
    """How many queries of each class: equally many, or one class so many that it is ``MAJORITY`` of all."""
    if not rules.skewed:
        return [min(rules.queries, number) for number in there]
    names = [pool.classes[label] for label in classes]
    most = names.index(rules.majority) if rules.majority else int(rng.integers(rules.ways))
    times = round(MAJORITY / (1 - MAJORITY)) * (rules.ways - 1)
    others = min(number for place, number in enumerate(there) if place != most)
    each = max(1, min(int(MAJORITY * rules.queries * rules.ways), there[most]) // times)
    each = min(each, others)
    return [min(each * times, there[most]) if place == most else each for place in range(rules.ways)]
