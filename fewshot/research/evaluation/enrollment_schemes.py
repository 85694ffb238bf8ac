"""The ways of enrolling a class that are asked about, data set by data set."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.errors import UsageError
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.support_draws import (
    Draw,
    each,
    few_shots,
    leave_one_emotion_out,
    nobody_enrolled,
    only,
    uneven,
)
from fewshot.types import EMOTIONS


@dataclass(frozen=True)
class Scheme:
    """One way.

    Attributes:
        own: what the student who is read brings, in words.
        brought: what each classmate brings.
        draws: the classes, enrolled.
    """

    own: str
    brought: str
    draws: list[Draw]

    @property
    def name(self) -> str:
        """In one line: what the student and the classmates bring."""
        return f"{self.own} | {self.brought}"

    @property
    def words(self) -> dict[str, str]:
        """The columns that say in a table which scheme it is."""
        return {"student brings": self.own, "classmates bring": self.brought}

    @property
    def nobody(self) -> bool:
        """Is nobody enrolled?"""
        return not any(draw.own for draw in self.draws)


def schemes_of(dataset: str, album: Album, draws: int, seed: int) -> list[Scheme]:
    """The schemes of a data set.

    JAFFE has about three takes of every emotion; CFEE one, so an emotion is left out or only neutral is enrolled; CK+
    has several neutral pictures of one recording and one of an emotion.

    Args:
        dataset: "ckplus", "jaffe", "cfee" or "own".
        album: its photos of the seven emotions.
        draws: repeated choices of takes.
        seed: of the choices.

    Raises:
        UsageError: no schemes are known for it.
    """
    made = {"ckplus": _ckplus, "jaffe": _jaffe, "cfee": _cfee, "own": _own}
    if dataset not in made:
        raise UsageError(f"No enrollment schemes for {dataset!r}. Known: {', '.join(made)}.")
    return [Scheme("nothing", "nothing", nobody_enrolled(album)), *made[dataset](album, draws, seed)]


def _jaffe(album: Album, draws: int, seed: int) -> list[Scheme]:
    neutral, odd = only(neutral=1), uneven(3, seed)
    return [
        Scheme("1 neutral", "1 neutral", few_shots(album, neutral, neutral, draws, seed)),
        Scheme("1 neutral", "1 an emotion", few_shots(album, neutral, each(1), draws, seed)),
        Scheme("1 an emotion", "1 an emotion", few_shots(album, each(1), each(1), draws, seed)),
        Scheme("2 an emotion", "2 an emotion", few_shots(album, each(2), each(2), draws, seed)),
        Scheme("7 unlabelled", "7 unlabelled", few_shots(album, each(1), each(1), draws, seed, labelled=False)),
        Scheme("14 unlabelled", "14 unlabelled", few_shots(album, each(2), each(2), draws, seed, labelled=False)),
        Scheme("0 to 3 an emotion", "0 to 3 an emotion", few_shots(album, odd, odd, draws, seed)),
    ]


def _cfee(album: Album, draws: int, seed: int) -> list[Scheme]:
    # One picture an emotion: there is nothing to draw from for the neutral ones, and none is kept back.
    neutral, half = only(neutral=1), uneven(1, seed)
    return [
        Scheme("neutral", "neutral", few_shots(album, neutral, neutral, 1, seed, keep=0)),
        Scheme("neutral", "1 an emotion", few_shots(album, neutral, each(1), 1, seed, keep=0)),
        Scheme("all but the one asked", "1 an emotion", leave_one_emotion_out(album, True, EMOTIONS)),
        Scheme("all but the one asked", "all but the one asked", leave_one_emotion_out(album, False, EMOTIONS)),
        Scheme(
            "0 or 1 an emotion", "0 or 1 an emotion", few_shots(album, half, half, max(1, draws // 3), seed, keep=0)
        ),
    ]


def _ckplus(album: Album, draws: int, seed: int) -> list[Scheme]:
    neutral, odd = only(neutral=1), uneven(3, seed)
    return [
        Scheme("1 neutral", "1 neutral", few_shots(album, neutral, neutral, draws, seed)),
        Scheme("1 neutral", "1 an emotion", few_shots(album, neutral, each(1), draws, seed)),
        Scheme("all but the one asked", "all", leave_one_emotion_out(album, True, EMOTIONS)),
        Scheme("all but the one asked", "all but the one asked", leave_one_emotion_out(album, False, EMOTIONS)),
        Scheme("0 to 3 an emotion", "0 to 3 an emotion", few_shots(album, odd, odd, draws, seed)),
        Scheme("0 to 3, unlabelled", "0 to 3, unlabelled", few_shots(album, odd, odd, draws, seed, labelled=False)),
    ]


def _own(album: Album, draws: int, seed: int) -> list[Scheme]:
    """Whatever these photos allow: those schemes in which somebody brings a photo and has another to be asked about.

    Raises:
        UsageError: there is none.
    """
    neutral = only(neutral=1)
    # Whose only neutral photo is enrolled is asked about all others; it is not held back.
    single = all(len(kinds.get(NEUTRAL, ())) < 2 for kinds in album.cells().values())
    keep = 0 if single else 1
    made = [
        Scheme("1 neutral", "1 neutral", few_shots(album, neutral, neutral, draws, seed, keep)),
        Scheme("1 neutral", "1 an emotion", few_shots(album, neutral, each(1), draws, seed, keep)),
        *(
            Scheme(f"{n} an emotion", f"{n} an emotion", few_shots(album, each(n), each(n), draws, seed))
            for n in (1, 2)
        ),
        Scheme("all but the one asked", "1 an emotion", leave_one_emotion_out(album, True, EMOTIONS)),
    ]
    able = [scheme for scheme in made if any(_tested(draw) for draw in scheme.draws)]
    if not able:
        raise UsageError(
            "Nobody has a photo to enroll and another to be asked about. Add photos: experiments/count_pictures.py "
            "says of whom."
        )
    return able


def _tested(draw: Draw) -> bool:
    return any(rows and draw.own.get(who) for who, rows in draw.queries.items())
