"""Tiles, lines and the real reader, on made galleries."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.call_labels import reader as reader_module
from fewshot.call_labels.lines import find_lines, lower_edge
from fewshot.call_labels.reader import LabelReader, open_reader
from fewshot.call_labels.tiles import Tile, find_tiles
from fewshot.errors import UsageError
from fewshot.research.simulation.call_gallery import CODECS, DrawnTile, GalleryLook, draw_gallery
from fewshot.types import Frame

NAMES = ["Asha Patel", "Zoë Müller", "Ben Okafor", "Łucja Nowak", "José Peña", "Ida Berg", "Anna B."]


@pytest.fixture(scope="module")
def font() -> Path:
    matplotlib = pytest.importorskip("matplotlib", reason="brings the letters of this test: the extra train")
    return Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def gallery(font: Path, names: list[str] = NAMES, size: tuple[int, int] = (1280, 720), dark: bool = True,
            codec: str = CODECS[0], letters: int = 14, seed: int = 0) -> tuple[Frame, list[DrawnTile]]:  # fmt: skip
    look = GalleryLook(font, size, dark, letters, codec=codec)
    frames, tiles = draw_gallery(names, look, np.random.default_rng(seed))
    return frames[0], tiles


def boxes(tiles: list[DrawnTile]) -> list[np.ndarray]:
    return [tile.face for tile in tiles]


@pytest.mark.parametrize("count", [2, 7, 25, 49])
@pytest.mark.parametrize("dark", [True, False])
def test_every_face_gets_its_own_tile(font: Path, count: int, dark: bool) -> None:
    frame, tiles = gallery(font, ["Asha"] * count, dark=dark, seed=count)
    found = find_tiles(frame, boxes(tiles))
    assert all(tile is not None and tile.holds(one.face) for tile, one in zip(found, tiles, strict=True))
    sizes = {(tile.width // 4, tile.height // 4) for tile in found}
    assert len(set(found)) == count and len(sizes) <= 4


def test_a_wide_light_label_in_the_middle_is_no_edge_of_a_tile(font: Path) -> None:
    look = GalleryLook(font, (1280, 720), False, 16, centred=True)
    frames, tiles = draw_gallery(["Oluwaseun Achterberg"] * 16, look, np.random.default_rng(23))
    found = find_tiles(frames[0], boxes(tiles))
    assert None not in found and max(tile.height for tile in found) - min(tile.height for tile in found) <= 3


def test_two_faces_in_a_tile_and_a_face_outside_any_have_none(font: Path) -> None:
    frame, tiles = gallery(font)
    two = tiles[0].face + np.array([6, 2, 6, 2], np.float32)
    found = find_tiles(frame, [*boxes(tiles), two])
    assert found[0] is None and found[-1] is None and found[1] is not None
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3)).astype(np.uint8)
    assert find_tiles(noise, boxes(tiles)) == [None] * len(tiles)
    assert find_tiles(frame, []) == []


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (0, 0, 0, 0), (1270, 710, 1400, 900), (5, 5, 3, 3)])
def test_odd_boxes_and_tiny_frames(font: Path, box: tuple[int, ...]) -> None:
    frame, _ = gallery(font)
    for picture in (frame, frame[:3, :3]):
        assert len(find_tiles(picture, [np.array(box, np.float32)])) == 1


@pytest.mark.parametrize("above", [True, False])
def test_a_bar_beside_the_gallery_may_take_one_gap(font: Path, above: bool) -> None:
    frame, tiles = gallery(font, ["Asha"] * 16, dark=False)
    whole = find_tiles(frame, boxes(tiles))
    row = slice(0, 4) if above else slice(12, 16)
    edge = whole[row][0]
    assert edge is not None
    bar = slice(None, edge.y0) if above else slice(edge.y1, None)
    frame[bar] = np.random.default_rng(1).integers(0, 60, frame[bar].shape)
    found = find_tiles(frame, boxes(tiles))
    assert found[row.start : row.stop] == whole[row.start : row.stop] and None not in found
    frame[:, : whole[0].x0] = 0  # two gaps are too many
    assert find_tiles(frame, boxes(tiles))[row.start] is None


def test_a_sign_beside_the_name_is_no_letter_and_bright_clothes_are_no_sign(font: Path) -> None:
    for seed in (2, 4):  # the rim of a microphone is as light as a letter; somebody wears a bright green
        frame, tiles = gallery(font, ["Anna B."] * 25, letters=13, seed=seed)
        found = [find_lines(lower_edge(frame, tile)) for tile in find_tiles(frame, boxes(tiles)) if tile is not None]
        widths = [lines[0].shape[1] for lines in found if lines]
        assert len(widths) == 25 and min(widths) > 50 and max(widths) < 69


def test_only_the_lower_edge_is_looked_at_and_a_plain_one_has_no_line() -> None:
    frame = np.full((400, 600, 3), 90, np.uint8)
    cv2.putText(frame, "Asha", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2)
    edge = lower_edge(frame, Tile(50, 50, 450, 275))
    assert edge.shape[0] <= 0.3 * 225 + 1 and find_lines(edge) == []
    assert find_lines(edge[:2]) == [] and find_lines(edge[:, :0]) == []


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="rapidocr") as error:
        open_reader()
    assert "[labels]" in (error.value.hint or "")


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    pytest.importorskip("rapidocr", reason="needs the extra labels")
    return open_reader()


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("codec", [CODECS[0], CODECS[1]])
def test_labels_are_read(reader: LabelReader, font: Path, dark: bool, codec: str) -> None:
    frame, tiles = gallery(font, dark=dark, codec=codec)
    found = reader.read(frame, boxes(tiles), list(range(len(tiles))))
    from fewshot.call_labels.matching import NameBook

    book = NameBook(NAMES)
    said = [None if one is None else book.match(one.text) for one in found]
    assert [one.student if one else None for one in said] == NAMES


def test_only_what_is_wanted_is_read(reader: LabelReader, font: Path) -> None:
    frame, tiles = gallery(font)
    assert len(reader.read(frame, boxes(tiles), [2])) == 1 and reader.read(frame, boxes(tiles), []) == []
