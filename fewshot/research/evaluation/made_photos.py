"""Stand-ins for the second photos of an emotion, which CK+ does not have: made-up ones, and emotions left out.

*Made*: the other photos of an emotion are the picture that is asked plus real differences between neutral pictures of
one other person; easier than real, because people hold still better than they repeat an emotion. *Left out*: the
emotion that is asked was never enrolled, only the person's others; harder than real. They bracket the truth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album, Rows
from fewshot.research.evaluation.support_draws import Draw


def made_takes(album: Album, shots: int, seed: int) -> tuple[Album, Draw]:
    """Every picture of an emotion, and one neutral a person, with so many made-up photos beside it.

    The made ones are z + (x_j - x_0): x_0, x_1, ... are neutral pictures of another person, so that they differ from
    the one that is asked, and from each other, as pictures of one person do.

    Returns:
        (album of the real and the made ones; the draw in which the made ones are enrolled and the real ones asked).

    Raises:
        UsageError: nobody has enough neutral pictures to lend their differences.
    """
    rng, lenders = np.random.default_rng(seed), _lenders(album, shots)
    vectors: list[NDArray[np.float32]] = []
    subjects: list[str] = []
    emotions: list[str] = []
    own: dict[str, Rows] = {}
    asked: dict[str, Rows] = {}
    for who, kinds in album.cells().items():
        for emotion, rows in kinds.items():
            row, first = int(rng.choice(rows)), len(vectors)
            vectors += [album.vectors[row], *_like(album, row, shots, lenders, rng)]
            subjects += [who] * (shots + 1)
            emotions += [emotion] * (shots + 1)
            asked.setdefault(who, []).append(first)
            own.setdefault(who, []).extend(range(first + 1, first + 1 + shots))
    made = Album(np.array(vectors, np.float32), tuple(subjects), tuple(emotions))
    return made, Draw(own, own, asked)


def made_state(album: Album, state: str, shots: int, seed: int) -> tuple[Album, Draw]:
    """Whoever shows the state enrolls made-up photos of it and a real neutral one, and is read on all real others.

    Returns:
        (the album with the made photos at its end; the draw).

    Raises:
        UsageError: nobody has enough neutral pictures to lend their differences.
    """
    rng, lenders = np.random.default_rng(seed), _lenders(album, shots)
    vectors, who_of = [album.vectors], list[str]()
    own: dict[str, Rows] = {}
    asked: dict[str, Rows] = {}
    for who, kinds in album.cells().items():
        if state not in kinds or NEUTRAL not in kinds:
            continue
        neutral, first = int(rng.choice(kinds[NEUTRAL])), len(album) + len(who_of)
        vectors.append(_like(album, kinds[state][0], shots, lenders, rng))
        who_of += [who] * shots
        own[who] = [neutral, *range(first, first + shots)]
        asked[who] = [row for rows in kinds.values() for row in rows if row != neutral]
    made = Album(np.concatenate(vectors), album.subjects + tuple(who_of), album.emotions + (state,) * len(who_of))
    return made, Draw(own, own, asked)


def _lenders(album: Album, shots: int) -> dict[str, Rows]:
    """Neutral rows of who has enough of them to make so many photos of somebody else."""
    found = {who: kinds[NEUTRAL] for who, kinds in album.cells().items() if len(kinds.get(NEUTRAL, [])) > shots}
    if len(found) < 2:
        raise UsageError(
            f"{len(found)} people have more than {shots} neutral pictures, and at least 2 must lend theirs. "
            "Use fewer shots."
        )
    return found


def _like(
    album: Album, row: int, shots: int, lenders: dict[str, Rows], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Made-up photos of what a row shows, shape (shots, d)."""
    others = sorted(lenders.keys() - {album.subjects[row]})
    lent = album.vectors[rng.permutation(lenders[others[int(rng.integers(len(others)))]])[: shots + 1]]
    return np.asarray(album.vectors[row] + lent[1:] - lent[0], np.float32)


def left_out(album: Album, seed: int) -> tuple[list[Draw], float]:
    """Every emotion of everybody asked once, with one photo of each of their other emotions enrolled.

    Returns:
        (draws, one an emotion; mean photos an emotion that are enrolled).
    """
    cells, rng = album.cells(), np.random.default_rng(seed)
    one = {who: {emotion: int(rng.choice(rows)) for emotion, rows in kinds.items()} for who, kinds in cells.items()}
    everything = {who: list(kinds.values()) for who, kinds in one.items()}
    draws: list[Draw] = []
    brought: list[int] = []
    for emotion in sorted({emotion for kinds in one.values() for emotion in kinds}):
        own = {who: [row for kind, row in kinds.items() if kind != emotion] for who, kinds in one.items()}
        asked = {who: [kinds[emotion]] if emotion in kinds else [] for who, kinds in one.items()}
        draws.append(Draw(own, everything, asked))
        brought += [len(own[who]) for who, rows in asked.items() if rows]
    return draws, float(np.mean(brought))
