"""Tiles, avatars and the palette: every state has colour, drawn face and word; names cannot break out of the HTML."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from fewshot.app.avatars import avatar, initials
from fewshot.app.board import Bar, BoardView, Tile
from fewshot.app.palette import AWAY, NO_STATE, NOT_READABLE, UNSURE, icon, image, legend, look_of
from fewshot.app.tiles import board_data, sparkline, spoken, tile_html
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
        (tile(), "Asha: happy, 82 % sure"),
        (tile(state=UNSURE, confidence=0.41), "Asha: unsure, 41 % sure"),
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


def test_who_is_not_in_view_has_no_percentage() -> None:
    assert 'class="pct"' in tile_html(tile()) and 'class="pct"' not in tile_html(tile(state=AWAY, confidence=0.9))


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
