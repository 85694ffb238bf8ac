"""Who brings which photos: every way of enrolling a class that the enrollment protocol asks about.

Takes are drawn so that over the draws each is enrolled as often as any other of its subject and emotion, give or take
one; the order is fixed by the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album, Rows
from fewshot.types import EMOTIONS

Shots = Callable[[str, str, int], int]
"""(subject, emotion, draw) -> how many photos."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One class, enrolled.

    Attributes:
        own: subject -> rows of the album that they bring when it is they who are read.
        brought: subject -> rows that they bring as a classmate of the one who is read.
        queries: subject -> rows to be read, none of them in ``own``; whose queries are empty is not tested.
        labelled: do the photos carry their emotion?
    """

    own: dict[str, Rows]
    brought: dict[str, Rows]
    queries: dict[str, Rows]
    labelled: bool = True


def only(**shots: int) -> Shots:
    """So many photos of these emotions and none of the others."""
    return lambda _subject, emotion, _draw: shots.get(emotion, 0)


def each(shots: int) -> Shots:
    """So many photos of every emotion."""
    return lambda _subject, _emotion, _draw: shots


def uneven(most: int, seed: int) -> Shots:
    """As people bring them: 0 to ``most`` photos, drawn for every subject and emotion anew."""
    return lambda subject, emotion, draw: int(_rng(seed, "how many", subject, emotion, draw).integers(0, most + 1))


def choose(album: Album, shots: Shots, draw: int, seed: int, keep: int = 1) -> dict[str, Rows]:
    """The photos of one draw.

    Args:
        shots: how many of each emotion.
        draw: which one, from 0.
        keep: so many photos of each subject and emotion are never enrolled, to be asked about.

    Returns:
        subject -> rows, for every subject of the album; empty lists are legal.
    """
    chosen: dict[str, Rows] = {}
    for subject, emotions in album.cells().items():
        chosen[subject] = []
        for emotion, rows in emotions.items():
            count = min(shots(subject, emotion, draw), len(rows) - keep)
            # A new order whenever all takes had their turn, so that draws do not repeat.
            order = _rng(seed, "which", subject, emotion, draw // len(rows)).permutation(len(rows))
            places = [(draw + step) % len(rows) for step in range(max(count, 0))]
            chosen[subject] += [rows[order[place]] for place in places]
    return chosen


def few_shots(
    album: Album, own: Shots, brought: Shots, draws: int, seed: int, keep: int = 1, labelled: bool = True
) -> list[Draw]:
    """Repeated draws: everybody enrolls some takes and is read on all their others; who brings nothing is not tested.

    Args:
        own: what the one who is read brings.
        brought: what each classmate brings.
        draws: how many; a multiple of the number of takes uses them all equally often.
        keep: see ``choose``; of the one who is read.
    """
    everything = album.everything()
    made = []
    for draw in range(draws):
        mine, others = choose(album, own, draw, seed, keep), choose(album, brought, draw, seed, 0)
        queries = {
            subject: [row for row in rows if row not in mine[subject]] if mine[subject] else []
            for subject, rows in everything.items()
        }
        made.append(Draw(mine, others, queries, labelled))
    return made


def nobody_enrolled(album: Album) -> list[Draw]:
    """Every picture is asked and nobody brings any."""
    return [Draw({}, {}, album.everything())]


def leave_one_emotion_out(album: Album, class_has_it: bool, emotions: tuple[str, ...]) -> list[Draw]:
    """Each emotion in turn is asked of those who enroll neutral and their others; one draw an emotion.

    Args:
        class_has_it: do the classmates bring photos of the emotion that is left out? A real class would.
        emotions: to leave out; neutral never is.
    """
    cells = album.cells()
    made = []
    for left_out in (emotion for emotion in emotions if emotion != NEUTRAL):
        without = {
            subject: [row for emotion, rows in kinds.items() if emotion != left_out for row in rows]
            for subject, kinds in cells.items()
        }
        queries = {subject: kinds.get(left_out, []) if NEUTRAL in kinds else [] for subject, kinds in cells.items()}
        made.append(Draw(without, album.everything() if class_has_it else without, queries))
    return made


def wrong_labels(emotions: Sequence[str], share: float, rng: np.random.Generator) -> tuple[str, ...]:
    """The emotions with ``share`` of them, drawn at random, replaced by another of the seven."""
    labels = list(emotions)
    for row in rng.choice(len(labels), round(share * len(labels)), replace=False):
        labels[row] = str(rng.choice([emotion for emotion in EMOTIONS if emotion != labels[row]]))
    return tuple(labels)


def _rng(seed: int, *parts: object) -> np.random.Generator:
    # Of the words, not of Python's hash, which differs from run to run.
    return np.random.default_rng([seed, zlib.crc32("/".join(map(str, parts)).encode())])
