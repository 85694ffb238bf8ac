"""Tiles, avatars and the palette: every state has colour, drawn face and word; names cannot break out of the HTML."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from fewshot.app.avatars import avatar, initials
from fewshot.app.board import Bar, BoardView, Tile
from fewshot.app.palette import AWAY, NO_STATE, NOT_READABLE, UNSURE, icon, image, legend, look_of
from fewshot.app.tiles import board_data, sparkline, spoken, tile_html, tiles_legend
from fewshot.types import EMOTIONS


def tile(student: str = "Asha", state: str = "happy", confidence: float | None = 0.82) -> Tile:
    return Tile(student, state, confidence, 0.0, (Bar("happy", 0.5), Bar(AWAY, 0), Bar(UNSURE, 0.3)))


@pytest.mark.parametrize("state", [*EMOTIONS, "confused", *NO_STATE])
def test_every_state_has_a_face_and_a_word(state: str) -> None:
    assert ElementTree.fromstring(icon(state)).tag == "svg"
    assert state in tile_html(tile(state=state))
    assert "data:image/svg+xml" in image(state)


def test_colours_differ_between_emotions() -> None:
    assert len({look_of(emotion).colour for emotion in EMOTIONS}) == len(EMOTIONS)


def test_ink_is_readable_on_every_colour() -> None:
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for state in (*EMOTIONS, UNSURE, "confused"):
        low, high = sorted((luminance(look_of(state).colour), luminance(look_of(state).ink)))
        assert (high + 0.05) / (low + 0.05) >= 3, state  # WCAG 2.1, 1.4.11: graphics


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (tile(), "Asha: happy, clear, 82 %"),
        (tile(confidence=0.79), "Asha: happy, likely, 79 %"),
        (tile(state=UNSURE, confidence=0.41), "Asha: unsure"),
        (tile(state=NOT_READABLE, confidence=None), "Asha: not readable"),
        (tile(state=AWAY, confidence=None), "Asha: not in view"),
    ],
)
def test_what_a_screen_reader_says(one: Tile, words: str) -> None:
    assert spoken(one) == words


def test_a_name_is_text_and_never_markup() -> None:
    name = '<img src=x onerror="alert(1)">&"'
    for inside in (tile_html(tile(name)), avatar(name), legend((name,))):
        assert "<img src=x" not in inside


@pytest.mark.parametrize(("confidence", "word"), [(1.0, "clear"), (0.799, "clear"), (0.794, "likely"), (0.0, "likely")])
def test_how_sure_is_a_word_and_the_number_shows_on_hover(confidence: float, word: str) -> None:
    one = tile(confidence=confidence)
    assert f'class="sure">{word}<' in tile_html(one) and " %" not in tile_html(one)
    (row,) = board_data(BoardView(0, (one,), 0, 0, ()))["tiles"]
    assert row[5] == f"{100 * confidence:.0f} %"


@pytest.mark.parametrize("state", NO_STATE)
def test_where_no_state_is_named_there_is_neither_word_nor_number(state: str) -> None:
    one = tile(state=state, confidence=0.9)
    assert 'class="sure"' not in tile_html(one) and " %" not in tile_html(one) + spoken(one)
    assert board_data(BoardView(0, (one,), 0, 0, ()))["tiles"][0][5] == ""


def test_the_strip_has_a_legend() -> None:
    words = tiles_legend(("confused", '<img src=x>"'))
    for said in (*EMOTIONS, UNSURE, AWAY, "confused", "3 minutes", "5 seconds", "80 % or more", "A gap"):
        assert said in words
    assert "<img src=x" not in words


def test_sparkline_has_gaps_for_absence() -> None:
    drawn = sparkline((Bar("happy", 1.0), Bar(AWAY, 0), Bar("sad", 0.5)))
    assert drawn.count("<path") == 2 and look_of("happy").colour in drawn and look_of("sad").colour in drawn
    assert "<path" not in sparkline(())


def test_data_for_the_browser_is_json_and_keeps_the_order() -> None:
    view = BoardView(1.0, (tile("Zoe"), tile("Ben", AWAY, None)), 0, 1, ())
    data = json.loads(json.dumps(board_data(view, chosen="Ben")))
    assert [row[0] for row in data["tiles"]] == ["Zoe", "Ben"] and data["chosen"] == "Ben"
    assert [row[2] for row in data["tiles"]] == ["shown", "away"]
    assert board_data(BoardView(0, (), 0, 0, ()))["tiles"] == []


@pytest.mark.parametrize(
    ("name", "expected"), [("", "?"), ("asha", "AS"), ("Anna-Lena Berg", "AB"), ("李 明", "李明"), ("o", "O")]
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_avatars_are_the_same_every_time_and_differ() -> None:
    assert avatar("Asha", drawn=True) == avatar("Asha", drawn=True) != avatar("Ben", drawn=True)
