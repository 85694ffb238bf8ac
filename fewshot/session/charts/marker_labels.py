"""Where the words of markers stand above a chart: in rows, so that no word is on another one, and no line on a word."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.session.lesson import Marker

MOST_ROWS = 5
"""Rows of words; markers that would need more of them get numbers, and the words stand in a list below the chart."""
SIZE = 11.5
"""Height of the letters, pixels."""
_LONGEST = 26
_BESIDE = 5
"""Pixels between a line and its word."""
_ROOM = 4
"""Pixels between a word and the next line."""


@dataclass(slots=True)
class Label:
    """The label of one marker.

    Attributes:
        second: of the marker.
        words: its text, shortened, or its number.
        at: of its line, pixels.
        left: the word stands on the left of its line.
        row: from below; the line ends there.
    """

    second: float
    words: str
    at: float
    left: bool = False
    row: int = 0

    @property
    def span(self) -> tuple[float, float]:
        """From where to where the word is, pixels."""
        far = _BESIDE + _ROOM + _wide(self.words)
        return (self.at - far, self.at - 1) if self.left else (self.at + 1, self.at + far)

    def over(self, other: Label) -> bool:
        """Whether the words are over each other, in whatever rows."""
        return self.span[0] < other.span[1] and other.span[0] < self.span[1]

    def below(self, other: Label) -> bool:
        """Whether the line is in the place of another label's word, and must end below it."""
        return other is not self and other.span[0] <= self.at <= other.span[1]


def marker_labels(markers: Sequence[Marker], end: float, width: float) -> list[Label]:
    """The labels of markers, in the order of time: words, or numbers from 1 if there is no room for words.

    Args:
        markers: of a lesson.
        end: of the time axis, seconds.
        width: of the chart, pixels.
    """
    ordered = sorted(markers, key=lambda marker: marker.second)
    at = [width * marker.second / max(1.0, end) for marker in ordered]
    texts = [one.text if len(one.text) <= _LONGEST else f"{one.text[: _LONGEST - 1]}…" for one in ordered]
    numbers = [str(number) for number in range(1, len(ordered) + 1)]
    for words in (texts, numbers):
        labels = [Label(one.second, word, x) for one, word, x in zip(ordered, words, at, strict=True)]
        fits = _choose_sides(labels, width)
        _choose_rows(labels)
        if words is numbers or (fits and all(label.row < MOST_ROWS for label in labels)):
            break
    return labels


def _choose_sides(labels: Sequence[Label], width: float) -> bool:
    """Put words to the right of their lines where that is possible. Returns whether all of them fit."""
    for place in range(len(labels) - 1, -1, -1):
        label = labels[place]
        label.left = label.span[1] > width or any(
            label.below(other) and other.below(label) for other in labels[place + 1 :]
        )
    return all(label.span[0] >= 0 for label in labels)


def _choose_rows(labels: Sequence[Label]) -> None:
    """The lowest rows in which every line ends below the words that are in its way."""
    waiting = list(labels)
    done: list[Label] = []
    while waiting:
        # Two labels can be in each other's way only if the chart is narrower than their words.
        label = next((one for one in waiting if not any(other.below(one) for other in waiting)), waiting[0])
        least = max((other.row + 1 for other in done if other.below(label)), default=0)
        taken = {other.row for other in done if other.over(label)}
        label.row = next(row for row in range(least, least + len(labels) + 1) if row not in taken)
        waiting.remove(label)
        done.append(label)


def _wide(words: str) -> float:
    """Pixels of a text in the widest of the usual fonts, about."""
    return sum(SIZE * _share(letter) for letter in words)


def _share(letter: str) -> float:
    """The width of a letter by its height."""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in "mwMW@%…":
        return 0.95
    if letter in "iljtf.,:;!'|() ":
        return 0.38
    return 0.74 if letter.isupper() else 0.62
