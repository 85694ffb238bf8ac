"""The sample photographs and their moving gallery."""

from __future__ import annotations

from importlib.resources import files
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.demo import portraits as shipped
from fewshot.demo.portrait_video import COLUMNS, FADE, FPS, SIZE, SMILE, gallery, position, smiling, video
from fewshot.demo.portraits import CREDIT, MISSED, PORTRAITS, STATES, neutral_photos, portraits, thumbnails
from fewshot.errors import FewshotError
from fewshot.pictures import read_picture

ROOT = Path(__file__).resolve().parents[2]

TIMES = np.arange(0, 120, 0.2)


def test_without_the_asset_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "SHEET", "gone.jpg")
    portraits.cache_clear()
    try:
        with pytest.raises(FewshotError, match="sample photographs are missing"):
            portraits()
    finally:
        portraits.cache_clear()


def test_the_asset_is_small_and_has_twelve_different_people_in_two_states() -> None:
    data = files("fewshot.demo").joinpath(shipped.SHEET).read_bytes()
    assert len(data) <= 500_000
    faces = portraits()
    assert len(faces) == 24 and {face.shape for face in faces.values()} == {(240, 320, 3)}
    flat = [face.astype(np.int16) for face in faces.values()]
    nearest = min(np.abs(a - b).mean() for i, a in enumerate(flat) for b in flat[:i])
    assert nearest > 2, "two of the portraits are the same picture"
    assert set(MISSED) < set(PORTRAITS)


def test_nothing_of_the_set_but_the_pictures_is_shipped() -> None:
    """No code is a file's number in the set, and no list of ages or origins lies beside them."""
    names = {path.name for path in (ROOT / "fewshot" / "demo").iterdir() if path.suffix != ".py"} - {"__pycache__"}
    assert names == {shipped.SHEET}
    assert tuple(f"P{number:02}" for number in range(1, 13)) == PORTRAITS
    data = files("fewshot.demo").joinpath(shipped.SHEET).read_bytes()
    assert b"Exif" not in data and b"female" not in data


@pytest.mark.parametrize("page", ["NOTICE", "docs/tutorials/first-class.md", "docs/explanation/app.md", "README.md"])
def test_the_credit_stands_where_they_are_shown(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    for part in ("Face Research Lab London Set", "DeBruine", "Jones", "CC BY 4.0", "10.6084/m9.figshare.5047666"):
        assert part in text and part in CREDIT


def test_enrollment_photos_are_the_neutral_ones(tmp_path: Path) -> None:
    neutral_photos(tmp_path)
    for person in PORTRAITS:
        (photo,) = (path for path in (tmp_path / person).rglob("*") if path.is_file())
        off = [np.abs(read_picture(photo).astype(int) - portraits()[person, state]).mean() for state in STATES]
        assert photo.parent.name == "neutral" and off[0] < 2 < off[1]


def test_thumbnails_are_small_jpegs() -> None:
    assert set(thumbnails()) == set(PORTRAITS)
    assert all(data.startswith(b"\xff\xd8") and len(data) < 3000 for data in thumbnails().values())


def test_everybody_smiles_and_stops_at_times_of_their_own() -> None:
    shares = np.array([[smiling(person, time) for time in TIMES] for person in PORTRAITS])
    assert shares.min() == 0 and shares.max() == 1
    assert np.all((shares == 1).mean(axis=1) > 0.3) and np.all((shares == 0).mean(axis=1) > 0.3)
    assert len({tuple(row) for row in (shares > 0.5).tolist()}) == 12
    assert (shares > 0.5).mean(axis=0).min() > 0 and (shares > 0.5).mean(axis=0).max() < 1  # never all, never nobody
    between = ((shares > 0) & (shares < 1)).mean(axis=1)
    assert np.all(between < 2 * FADE / (SMILE + 12) + 0.02)  # a blend of two photographs is shown only for a moment


def test_the_gallery_shows_the_state_of_the_moment_and_is_never_still() -> None:
    for person, place in zip(PORTRAITS, range(12), strict=True):
        for time in (3.0, 17.0):
            left, top = 320 * (place % COLUMNS), 240 * (place // COLUMNS)
            tile = gallery(time)[top : top + 240, left : left + 320].astype(int)
            moved = {
                state: cv2.warpAffine(portraits()[person, state], position(person, time), (320, 240), borderMode=1)
                for state in STATES
            }
            off = {state: np.abs(tile - picture).mean() for state, picture in moved.items()}
            share = smiling(person, time)
            if share in (0, 1):
                assert off["happy" if share == 1 else "neutral"] < 0.5 < off["neutral" if share == 1 else "happy"]
    moves = [np.abs(position(person, 1.0) - position(person, 1.6)).max() for person in PORTRAITS]
    assert min(moves) > 0.05 and max(moves) < 6


def test_the_video_goes_on_and_has_noise() -> None:
    frames = list(islice(video(), 3))
    assert {frame.shape for frame in frames} == {(SIZE[1], SIZE[0], 3)} and frames[0].dtype == np.uint8
    noise = frames[1].astype(int) - gallery(1 / FPS)
    assert 1 < noise.std() < 4 and abs(noise.mean()) < 0.5
    assert np.abs(frames[1].astype(int) - frames[0]).mean() > 1
