"""Students who for minutes have shown something unlike their own usual in this lesson. Not a ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from fewshot.session.analysis.pace import NOT_A_PACE, WINDOW, compare
from fewshot.session.analysis.words import MINIMUM, percent
from fewshot.session.lesson import Readings
from fewshot.translation import tr
from fewshot.translation.words import emotion_word

LEAST_SHARE = 0.6
LEAST_RISE = 0.35
"""Least share of the window, and least rise above the student's usual, that is worth a teacher's time."""
FALSE_NAMES = 0.1
"""Accepted share of one-hour lessons in which a name appears although everybody is as usual."""
_BOUT = 120.0
_LOOKS = 12
_ROUGH = 0.05
"""Least variance of a share, so that a state that was never shown before is not infinitely rare."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """How one student differs from their own usual.

    Attributes:
        student: the name.
        state: a state that can be relied on.
        share, usual: of the student's readable time, in the window and before it, 0..1.
        since: start of the window, seconds.
        chance: probability of such a name in an hour in which everybody is as usual.
    """

    student: str
    state: str
    share: float
    usual: float
    since: int
    chance: float

    def text_with(self, shown: Callable[[str], str] = str) -> str:
        """The evidence in words; ``shown`` writes the name."""
        return tr(
            "{student}: {state} {share} of the time, usually {usual}", student=shown(self.student),
            state=emotion_word(self.state), share=percent(self.share), usual=percent(self.usual),
        )  # fmt: skip


def unlike_usual(
    readings: Readings,
    now: float,
    labels: Sequence[str],
    students: Sequence[str],
    watch: Sequence[str] | None = None,
    window: int = WINDOW,
) -> list[Unlike]:
    """Students who show a state much more than before in this lesson, in the order of ``students``.

    What the class has in common (the median rise, from five students on) is subtracted first: a hard exercise says
    nothing about one student. Faces stay in a state for a while, so a window of three minutes holds only a few
    independent looks; the spread allows for that. The limit is divided by students, states and looks per hour.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: of the readings.
        students: names by the index of the readings.
        watch: states to compare; None: all but "neutral" and "happy".
        window: seconds.

    Returns:
        At most one entry per student; empty if it is too early.
    """
    compared = compare(readings, now, len(labels), window)
    names = [label for label in labels if (label not in NOT_A_PACE if watch is None else label in watch)]
    if compared is None or len(compared.who) == 0 or not names:
        return []
    columns = [list(labels).index(name) for name in names]
    share, usual = compared.share[:, columns], compared.usual[:, columns]
    rise = share - usual
    common = np.maximum(0, np.median(rise, axis=0)) if len(rise) >= MINIMUM else 0.0
    spread = np.sqrt((usual * (1 - usual) + _ROUGH) * np.minimum(1, _BOUT / compared.seconds[:, None]))
    alone = special.ndtr(-(rise - common) / spread)
    chance = np.minimum(1, alone * rise.size * _LOOKS)
    chance[(share < LEAST_SHARE) | (rise < LEAST_RISE)] = 1
    best = chance.argmin(axis=1)
    found = []
    for row, column in enumerate(best):
        if chance[row, column] <= FALSE_NAMES:
            shares = float(share[row, column]), float(usual[row, column])
            name = students[int(compared.who[row])]
            found.append(Unlike(name, names[column], *shares, int(now) - window, float(chance[row, column])))
    return found
