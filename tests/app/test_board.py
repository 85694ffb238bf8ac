"""The board: latest states, sparklines, mood, and the rule of five."""

from __future__ import annotations

import threading

import pytest

from fewshot.app.board import BARS, BUCKET, FEWEST, Board, states_in
from fewshot.app.palette import AWAY, NOT_READABLE, UNSURE
from fewshot.types import FrameResult, Reading

NAMES = ["Asha", "Ben", "Chidi", "Dana", "Elif", "Finn"]


def reading(
    student: str | None, emotion: str | None = "happy", confidence: float = 0.8, readable: bool = True
) -> Reading:
    shares = {"happy": confidence, "neutral": 1 - confidence} if readable else {}
    return Reading(1, (0, 0, 9, 9), 0.9, student, None, emotion, confidence if readable else None, shares)


def frame(time: float, *readings: Reading) -> FrameResult:
    return FrameResult("x", 0, time, 100, 100, readings)


def tiles(board: Board) -> dict[str, str]:
    return {tile.student: tile.state for tile in board.view().tiles}


def test_nothing_seen_yet() -> None:
    view = Board(NAMES).view()
    assert [tile.state for tile in view.tiles] == [AWAY] * 6 and view.mood == () and view.in_view == 0
    assert Board([]).view().tiles == ()


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (reading("Asha"), "happy"),
        (reading("Asha", "confused"), "confused"),
        (reading("Asha", None), UNSURE),
        (reading("Asha", None, readable=False), NOT_READABLE),
        (reading(None), AWAY),
        (reading("somebody else"), AWAY),
    ],
)
def test_the_state_of_a_tile(one: Reading, state: str) -> None:
    board = Board(NAMES)
    board.add(frame(1.0, one))
    assert tiles(board)["Asha"] == state


def test_who_is_not_seen_any_more_is_not_in_view() -> None:
    board = Board(NAMES)
    board.add(frame(1.0, reading("Asha"), reading("Ben")))
    board.add(frame(2.5, reading("Ben")))
    assert tiles(board)["Asha"] == "happy"  # a short gap is none
    board.add(frame(3.5, reading("Ben")))
    assert tiles(board)["Asha"] == AWAY and tiles(board)["Ben"] == "happy"


def test_of_two_faces_with_one_name_the_surer_counts() -> None:
    board = Board(NAMES)
    board.add(frame(1.0, reading("Asha", "happy", 0.9), reading("Asha", "sad", 0.4)))
    assert tiles(board)["Asha"] == "happy" and board.view().in_view == 1


def test_bars_are_what_was_shown_most_and_gaps_where_nobody_was() -> None:
    board = Board(NAMES)
    for second in range(15):
        board.add(frame(second, *([reading("Asha", "sad", 0.5)] if second < 5 or second >= 10 else [])))
    bars = board.view().tiles[0].bars
    assert [bar.state for bar in bars] == ["sad", AWAY, "sad"] and bars[0].confidence == pytest.approx(0.5)


def test_bars_stay_bounded_and_long_pauses_cost_nothing() -> None:
    board = Board(NAMES)
    board.add(frame(0, reading("Asha")))
    board.add(frame(100_000.0, reading("Asha")))
    assert len(board.view().tiles[0].bars) == BARS
    assert [bar.state for bar in board.view().tiles[0].bars[:-1]] == [AWAY] * (BARS - 1)


def test_mood_is_the_mean_number_of_people_a_state() -> None:
    board = Board(NAMES)
    board.add(frame(0.0, *(reading(name) for name in NAMES)))
    board.add(frame(1.0, *(reading(name, "sad") for name in NAMES)))
    (step,) = board.view().mood
    assert step.people == 6 and step.counts == {"happy": 3.0, "sad": 3.0} and step.second == BUCKET / 2
    assert step.share(["sad"]) == pytest.approx(0.5)


@pytest.mark.parametrize(("seen", "shown"), [(0, 0.0), (FEWEST - 1, 0.0), (FEWEST, float(FEWEST))])
def test_fewer_than_five_people_show_nothing(seen: int, shown: float) -> None:
    board = Board(NAMES)
    board.add(frame(0.0, *(reading(name) for name in NAMES[:seen])))
    (step,) = board.view().mood
    assert step.people == shown and (step.counts == {}) == (shown == 0)


def test_a_class_of_four_has_no_mood() -> None:
    board = Board(NAMES[:4])
    board.add(frame(0.0, *(reading(name) for name in NAMES[:4])))
    assert board.view().mood == ()


def test_without_students_everybody_counts_and_nobody_has_a_tile() -> None:
    board = Board([])
    board.add(frame(0.0, *(reading(None) for _ in range(7))))
    view = board.view()
    assert view.tiles == () and view.in_view == 7 and view.mood[0].people == 7


def test_states_come_in_a_fixed_order() -> None:
    board = Board([])
    board.add(frame(0.0, *(reading(None, emotion) for emotion in ["confused", None, "happy", "angry", "bored"])))
    assert states_in(board.view().mood) == ("angry", "happy", "bored", "confused", UNSURE)


def test_it_may_be_looked_at_while_it_fills() -> None:
    board, stop, seen = Board(NAMES), threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            seen.append(len(board.view().tiles))

    thread = threading.Thread(target=look)
    thread.start()
    for step in range(300):
        board.add(frame(step / 10, *(reading(name) for name in NAMES)))
    stop.set()
    thread.join()
    assert set(seen) == {6}
