"""What is drawn: something for every reading, in every script, within the picture, and fast enough."""

from __future__ import annotations

import numpy as np
import pytest
from live_fakes import blank, reading, result

from fewshot.live import overlay
from fewshot.live.colours import EMOTION_COLOURS, OWN_STATE, PAPER, UNSURE, Colour, colour_of
from fewshot.live.lettering import fitted_tile, text_tile, transliterate
from fewshot.live.overlay import Overlay
from fewshot.types import EMOTIONS, FrameResult, Reading

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def draw(*readings: Reading, width: int = 640, height: int = 480) -> np.ndarray:
    frame = blank(width, height, value=90)
    drawn = Overlay().draw(frame, FrameResult("a", 0, 0.0, width, height, readings))
    assert drawn.shape == frame.shape and (frame == 90).all()
    return drawn


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == np.array(colour, np.uint8)).all(axis=2).any())


def test_nothing_to_draw() -> None:
    assert (draw() == 90).all()


@pytest.mark.parametrize("emotion", [*EMOTIONS, "confused", None])
def test_every_emotion_has_its_colour(emotion: str | None) -> None:
    drawn = draw(reading(emotion=emotion, box=(200.0, 200.0, 300.0, 320.0)))
    assert has(drawn, colour_of(emotion))
    others = EMOTION_COLOURS.keys() - {emotion, "neutral"}  # the grey of neutral is in the edges of letters, too
    assert not any(has(drawn, EMOTION_COLOURS[other]) for other in others)
    assert (drawn[204:316, 204:296] == 90).all()  # the face itself stays free


def test_colours_differ() -> None:
    colours = [*EMOTION_COLOURS.values(), OWN_STATE, UNSURE]
    assert len(set(colours)) == len(colours) and set(EMOTION_COLOURS) == set(EMOTIONS)


@pytest.mark.parametrize("box", [(0, 0, 639, 479), (-3, -3, 20, 20), (630, 470, 640, 480), (300, 300, 301, 301)])
def test_boxes_at_the_border_and_of_any_size(box: tuple[float, float, float, float]) -> None:
    assert has(draw(reading(box=box, student="a rather long name of somebody")), PAPER)


def test_a_tiny_picture() -> None:
    draw(reading(box=(0, 0, 8, 8)), width=10, height=10)


def test_unreadable_and_unknown() -> None:
    unreadable = reading(student=None, emotion=None, confidence=None, probabilities={}, box=(200, 200, 300, 300))
    drawn = draw(unreadable)
    assert not any(has(drawn, colour) for name, colour in EMOTION_COLOURS.items() if name != "neutral")


def test_a_longer_bar_is_a_surer_reading() -> None:
    bars = [
        (draw(reading(confidence=c, box=(200, 200, 300, 300)))[310:340] == EMOTION_COLOURS["happy"]).all(2).sum()
        for c in (0.1, 0.5, 0.9)
    ]
    assert 0 < bars[0] < bars[1] < bars[2]


@pytest.mark.parametrize(
    ("confidence", "emotion", "said"),
    [
        (0.5, "happy", "likely"),
        (0.794, "happy", "likely"),
        (0.796, "happy", "clear"),
        (1.0, "happy", "clear"),
        (0.9, None, ""),
    ],
)
def test_how_sure_is_a_word_as_on_the_tiles_of_the_app_and_no_number(
    monkeypatch: pytest.MonkeyPatch, confidence: float, emotion: str | None, said: str
) -> None:
    written: list[str] = []

    def tile(text: str, height: int, *colours: Colour) -> np.ndarray:
        written.append(text)
        return text_tile(text, height, *colours)

    monkeypatch.setattr(overlay, "text_tile", tile)
    overlay._verdict_tile.cache_clear()
    draw(reading(confidence=confidence, emotion=emotion, box=(200, 200, 300, 300)))
    assert written == ([said] if said else [])
    # Where it does not fit, the state is left, and how sure it is is only the length of the bar.
    narrow, wide = (overlay._verdict_tile("happy", 90, "happy", 20, width).shape[1] for width in (60, 200))
    assert narrow <= 60 < wide


def test_names_may_be_replaced() -> None:
    one = result(reading())
    assert not np.array_equal(Overlay().draw(blank(), one), Overlay({"asha": "A"}).draw(blank(), one))


def test_the_latest_picture_is_shared() -> None:
    drawing, one = Overlay(), result(reading())
    assert drawing.draw(blank(), one) is drawing.draw(blank(), one)
    assert drawing.draw(blank(), result(reading())) is not drawing.draw(blank(), one)


def test_a_reduced_frame_has_its_boxes_in_place() -> None:
    one = reading(box=(2000.0, 2000.0, 3000.0, 3000.0))
    drawn = Overlay().draw(blank(640, 480, 90), FrameResult("a", 0, 0.0, 6400, 4800, (one,)))
    assert has(drawn[195:205, 195:305], EMOTION_COLOURS["happy"])


@pytest.mark.parametrize("text", ["asha", "José Álvarez", "Владимир", "李雷", "محمد", "अनुष्का", "😀", "", "  ", "a\nb"])
def test_any_name_can_be_drawn(text: str) -> None:
    tile = text_tile(text, 20, WHITE, BLACK)
    assert tile.shape[0] == 20 and tile.shape[1] > 0
    assert (tile.max() > 128) == bool(text.strip())


def test_names_in_other_scripts_differ_from_each_other() -> None:
    tiles = [text_tile(name, 20, WHITE, BLACK).tobytes() for name in ("李雷", "韩梅", "Иван", "Анна", "Jose", "José")]
    assert len(set(tiles)) == 6


@pytest.mark.parametrize(("letter", "ascii"), [("é", "e"), ("ß", "s"), ("ж", "zhe"), ("李", "674E"), ("\u0301", "")])
def test_transliteration(letter: str, ascii: str) -> None:
    assert transliterate(letter) == ascii


def columns_of(picture: np.ndarray, rows: slice) -> np.ndarray:
    """Where labels are in these rows: columns that have their paper's colour."""
    return np.flatnonzero((picture[rows] == np.array(PAPER, np.uint8)).all(axis=2).any(axis=0))


def test_names_of_neighbours_do_not_run_into_each_other() -> None:
    boxes = [(x, 100.0, x + 60.0, 180.0) for x in (20.0, 130.0, 240.0, 350.0)]
    faces = [reading(track=k, student="Wilhelmina Featherstonehaugh", box=box) for k, box in enumerate(boxes)]
    columns = columns_of(draw(*faces), slice(84, 96))
    gaps = np.flatnonzero(np.diff(columns) > 1)
    assert len(gaps) == 3  # four labels, something between any two
    alone = columns_of(draw(faces[1]), slice(84, 96))
    assert np.ptp(alone) > 150  # with room, the name is longer


def test_faces_above_each_other_keep_their_names_whole() -> None:
    upper, lower = reading(box=(200.0, 60.0, 260.0, 140.0)), reading(box=(202.0, 200.0, 262.0, 280.0))
    assert np.array_equal(columns_of(draw(upper), slice(44, 56)), columns_of(draw(upper, lower), slice(44, 56)))


@pytest.mark.parametrize("text", ["", "A", "李雷", "Wilhelmina Featherstonehaugh", "x" * 200])
@pytest.mark.parametrize("width", [1, 60, 1000])
def test_fitted_text_is_no_wider_than_its_room(text: str, width: int) -> None:
    tile = fitted_tile(text, 20, WHITE, BLACK, width)
    assert tile.shape[1] <= max(
        width, text_tile("W…", 20, WHITE, BLACK).shape[1], text_tile(text[:2], 20, WHITE, BLACK).shape[1]
    )
    if width == 1000 and len(text) <= 24:
        np.testing.assert_array_equal(tile, text_tile(text, 20, WHITE, BLACK))


def test_a_frame_of_another_size_is_drawn_anew() -> None:
    drawing, one = Overlay(), result(reading())
    large = drawing.draw(blank(), one)
    assert drawing.draw(blank(32, 24), one).shape == (24, 32, 3) != large.shape
