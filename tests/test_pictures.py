"""Pictures of every kind come out upright, 8 bit, BGR; what is none says so in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fewshot import pictures
from fewshot.errors import FewshotError, UsageError
from fewshot.pictures import is_picture, read_picture, read_sized_picture

RED_LEFT = np.zeros((40, 60, 3), np.uint8)
RED_LEFT[:, :30] = (230, 20, 10)  # RGB
RED_LEFT[:, 30:] = (10, 20, 230)


def save(path: Path, array: np.ndarray = RED_LEFT, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".heic"])
def test_every_format_reads_the_same(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    frame = read_picture(save(tmp_path / f"a{suffix}"))
    assert frame.shape == (40, 60, 3) and frame.dtype == np.uint8 and frame.flags.c_contiguous
    np.testing.assert_allclose(frame[20, 10], (10, 20, 230), atol=16)
    np.testing.assert_allclose(frame[20, 50], (230, 20, 10), atol=16)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize(("orientation", "top_left_is_red"), [(1, True), (3, False), (6, True), (8, False)])
def test_exif_rotation_is_obeyed(tmp_path: Path, suffix: str, orientation: int, top_left_is_red: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    frame, size = read_sized_picture(save(tmp_path / f"a{suffix}", exif=exif))
    turned = orientation in (6, 8)
    assert frame.shape == ((60, 40, 3) if turned else (40, 60, 3))
    assert size == ((40, 60) if turned else (60, 40))
    assert (frame[4, 4, 2] > 128) is np.bool_(top_left_is_red)


def test_heic_named_jpg_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = save(tmp_path / "a.heic").rename(tmp_path / "a.jpg")
    assert read_picture(path).shape == (40, 60, 3)


def test_grey_and_alpha_and_palette(tmp_path: Path) -> None:
    grey = save(tmp_path / "grey.png", RED_LEFT[..., 0])
    assert read_picture(grey).shape == (40, 60, 3)
    see_through = np.dstack([RED_LEFT, np.zeros((40, 60), np.uint8)])
    assert read_picture(save(tmp_path / "alpha.png", see_through)).min() == 255
    palette = tmp_path / "p.png"
    Image.fromarray(RED_LEFT).convert("P").save(palette)
    assert read_picture(palette)[20, 10, 2] > 200
    cmyk = tmp_path / "c.jpg"
    Image.fromarray(RED_LEFT).convert("CMYK").save(cmyk)
    assert read_picture(cmyk)[20, 10, 2] > 180


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    values = np.full((20, 30, channels), 32768, np.uint16)
    path = tmp_path / f"deep{suffix}"
    assert cv2.imwrite(str(path), values)
    assert abs(int(read_picture(path).mean()) - 128) <= 1


def test_float_tiff(tmp_path: Path) -> None:
    path = tmp_path / "f.tiff"
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(path)
    assert abs(int(read_picture(path).mean()) - 127) <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_too_large_is_reduced(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"large{suffix}", np.repeat(np.repeat(RED_LEFT, 10, 0), 10, 1))
    frame, size = read_sized_picture(path, max_pixels=5_000)
    assert 4_000 < frame.shape[0] * frame.shape[1] <= 5_000
    assert abs(frame.shape[1] / frame.shape[0] - 1.5) < 0.05
    assert size == (600, 400)
    np.testing.assert_allclose(frame[20, 10], (10, 20, 230), atol=12)


def test_hundred_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    Image.new("L", (11_700, 8_600), 90).save(path)
    frame = read_picture(path)
    assert frame.shape[0] * frame.shape[1] <= pictures.MAX_PIXELS
    assert abs(int(frame.mean()) - 90) <= 1


def test_what_is_no_picture_says_so(tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("dear diary", encoding="utf-8")
    empty = tmp_path / "empty.png"
    empty.touch()
    cut = save(tmp_path / "cut.jpg", np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    cut.write_bytes(cut.read_bytes()[:3000])
    for path in (text, empty, cut):
        with pytest.raises(FewshotError, match=path.name) as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)
    for path in (tmp_path / "none.jpg", tmp_path):
        with pytest.raises(UsageError):
            read_picture(path)


def test_names_of_pictures() -> None:
    assert is_picture(Path("a/B.JPG")) and is_picture(Path("x.heic"))
    assert not is_picture(Path("._a.jpg")) and not is_picture(Path("notes.txt"))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("lost", "usable"), [(1, True), (2, True), (9000, False)])
def test_a_jpeg_without_its_last_bytes(tmp_path: Path, lost: int, usable: bool, progressive: bool) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (160, 240, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    Image.fromarray(picture).save(whole, quality=90, progressive=progressive)
    cut.write_bytes(whole.read_bytes()[:-lost])
    if usable:
        assert np.abs(read_picture(cut)[:300].astype(int) - read_picture(whole)[:300]).mean() < 3
    else:
        with pytest.raises(FewshotError, match="damaged or cut off"):
            read_picture(cut)


@pytest.mark.parametrize("kind", ["AVIF", "GIF", "MPO", "JPEG2000"])
@pytest.mark.parametrize("named", [True, False])
def test_more_formats_and_files_without_a_suffix(tmp_path: Path, kind: str, named: bool) -> None:
    suffix = {"AVIF": ".avif", "GIF": ".gif", "MPO": ".mpo", "JPEG2000": ".jp2"}[kind] if named else ""
    path = tmp_path / f"picture{suffix}"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(path, kind)
    assert is_picture(path) and read_picture(path).shape == (48, 64, 3)


def test_a_file_without_a_suffix_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("RIFF")
    assert not is_picture(tmp_path / "notes") and not is_picture(tmp_path)
