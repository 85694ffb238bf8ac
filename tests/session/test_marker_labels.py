"""The words of markers above a chart: none is on another one, no line crosses one, and a crowd gets numbers."""

from __future__ import annotations

import random

import pytest

from fewshot.session.charts.marker_labels import MOST_ROWS, Label, marker_labels
from fewshot.session.lesson import Marker

WIDTH, END = 860, 2400
NAMES = (
    "Break",
    "Exercise 3, part a",
    "Hint: 12 of 49 are still or turned away",
    "WWWW MMMM",
    "x",
    "\u0935\u093f\u0930\u093e\u092e",
)


def labels(*marked: tuple[float, str], width: int = WIDTH) -> list[Label]:
    return marker_labels([Marker(number, *one) for number, one in enumerate(marked)], END, width)


def meet(found: list[Label]) -> list[tuple[str, str]]:
    """Words on words, and words that the line of another label goes through."""
    return [
        (one.words, other.words)
        for one in found
        for other in found
        if one is not other
        and ((one.row == other.row and one.over(other)) or (one.below(other) and one.row >= other.row))
    ]


def test_nothing_and_one() -> None:
    assert labels() == []
    (one,) = labels((60, "Welcome"))
    assert (one.words, one.left, one.row) == ("Welcome", False, 0)


def test_close_markers_stand_in_rows_with_the_first_one_on_top() -> None:
    found = labels((600, "Exercise 2"), (610, "Group work"), (670, "Groups of four"), (1500, "Break"))
    assert [one.row for one in found] == [2, 1, 0, 0] and not meet(found)


def test_a_line_does_not_go_through_a_word_in_a_lower_row() -> None:
    """A free place in the lowest row is not enough: the line of the second marker rises to its word above it."""
    found = labels((60, "a short one"), (150, "a long one of many letters"), (300, "Break"))
    assert not meet(found) and found[0].row > found[1].row > found[2].row


def test_words_at_the_end_stand_on_the_left_of_their_lines_and_no_line_goes_through_them() -> None:
    found = labels((2280, "Exercise 3, part a"), (2310, "Exercise 3, part b"), (2390, "The end of it all"))
    assert all(one.left for one in found) and not meet(found)
    assert [one.row for one in found] == [0, 1, 2]


def test_a_long_word_that_points_to_the_end_turns_away_from_the_one_that_comes_back() -> None:
    found = labels((2040, "a long word"), (2100, "The end of it all, and more"))
    assert [one.left for one in found] == [True, True] and not meet(found)


def test_a_crowd_gets_numbers_in_the_order_of_time() -> None:
    crowd = [(600.0 + 3 * number, f"Group {number}") for number in range(9)]
    found = labels(*reversed(crowd), (2300, "Break"))
    assert [one.words for one in found] == [str(number) for number in range(1, 11)] and not meet(found)
    assert [one.second for one in found] == sorted(second for second, _ in (*crowd, (2300, "")))
    assert [one.words for one in labels((10, NAMES[2]), width=60)] == ["1"]  # no word fits
    assert max(one.row for one in labels(*crowd[:MOST_ROWS])) == MOST_ROWS - 1


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_marked_nothing_is_on_a_word(seed: int) -> None:
    drawn = random.Random(seed)
    middle = drawn.uniform(0, END)
    marked = [
        (min(END, max(0.0, drawn.gauss(middle, drawn.choice((20, 200, 2000))))), drawn.choice(NAMES))
        for _ in range(drawn.randint(2, 14))
    ]
    found = labels(*marked)
    assert not meet(found)
    assert all(one.span[0] >= 0 and one.span[1] <= WIDTH + 1 for one in found if len(one.words) > 2)
