"""A state that the population never had: a few photos of it and a neutral one, and it must not swallow the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fewshot.errors import UsageError
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album, Rows
from fewshot.research.evaluation.runtime_class import Verdicts, enrolled, together
from fewshot.research.evaluation.support_draws import Draw, choose, only


@dataclass(frozen=True)
class NewState:
    """How a new state fared, by subject.

    Attributes:
        false_alarms: share of the subject's other pictures that were called by the new state, the mean over what they
            show; every subject who was read.
        recall: share of the new state's other pictures that were found; subjects who have any.
    """

    false_alarms: dict[str, float]
    recall: dict[str, float]


def without(population: Population, emotion: str) -> Population:
    """The population as if it had never heard of an emotion.

    Raises:
        UsageError: it never had.
    """
    if emotion not in population.classes:
        raise UsageError(f"The population has no {emotion!r} to leave out. It has: {', '.join(population.classes)}.")
    kept = [column for column, name in enumerate(population.classes) if name != emotion]
    return replace(
        population,
        classes=tuple(population.classes[column] for column in kept),
        prototypes=population.prototypes[kept],
    )


def draws_of(
    album: Album, state: str, shots: int, draws: int, seed: int, keep: int, neutral: bool = True
) -> list[Draw]:
    """Everybody brings so many photos of the state and one neutral photo, and is read on all their others.

    Args:
        keep: photos of the state that are left to be asked about; who has fewer than ``shots + keep`` is not in it.
        neutral: False leaves the neutral photo out of what is enrolled.
    """
    cells = {
        who: kinds
        for who, kinds in album.cells().items()
        if len(kinds.get(state, [])) >= shots + keep and len(kinds.get(NEUTRAL, [])) >= 1
    }
    made = []
    for draw in range(draws):
        mine = choose(album, only(**{NEUTRAL: 1, state: shots}), draw, seed, 0)
        own: dict[str, Rows] = {who: mine[who] for who in cells}
        queries = {
            who: [row for kind in kinds.values() for row in kind if row not in own[who]] for who, kinds in cells.items()
        }
        if not neutral:
            own = {who: [row for row in rows if album.emotions[row] != NEUTRAL] for who, rows in own.items()}
        made.append(Draw(own, own, queries))
    return made


def measure(population: Population, album: Album, state: str, draws: Sequence[Draw], stretch: float = 1.0) -> Verdicts:
    """Read all queries of all draws by the running system, the population without the state if it has it."""
    ignorant = without(population, state) if state in population.classes else population
    return together([enrolled(ignorant, album, draw, stretch=stretch) for draw in draws])


def outcome(read: Sequence[tuple[str, Verdicts]]) -> NewState:
    """False alarms and recall by subject, the mean over the states that stood in the part of the new one.

    Args:
        read: (state, what was read with it) of each.
    """
    alarms: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    for state, verdicts in read:
        called: dict[tuple[str, str], list[float]] = {}
        for who, truth, verdict in zip(verdicts.subjects, verdicts.truth, verdicts.said, strict=True):
            called.setdefault((who, truth), []).append(float(verdict.emotion == state))
        for who in sorted(set(verdicts.subjects)):
            other = [np.mean(hits) for (subject, truth), hits in called.items() if subject == who and truth != state]
            if other:
                alarms.setdefault(who, []).append(float(np.mean(other)))
            if (who, state) in called:
                found.setdefault(who, []).append(float(np.mean(called[who, state])))
    return NewState(*({who: float(np.mean(values)) for who, values in part.items()} for part in (alarms, found)))
