"""An installation without GPL parts: what it cannot do it says, and the project's files tell the truth about them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fewshot import pictures
from fewshot.commands import doctor
from fewshot.errors import FewshotError
from fewshot.pictures import read_picture

ROOT = Path(__file__).resolve().parents[1]
HEADS = [
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(100),
    b"\0\0\0\x18ftypheix\0\0\0\0mif1heix" + bytes(100),
]


@pytest.fixture
def without_heif(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    pictures._know_heic.cache_clear()
    Image.init()  # all other formats are known before the list is replaced
    known = dict(Image.OPEN)
    for name in [name for name in known if name.startswith("HEIF")]:
        monkeypatch.delitem(Image.OPEN, name)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if not name.startswith("HEIF")])
    yield
    pictures._know_heic.cache_clear()


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.hif", "a.jpg", "a"])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.usefixtures("without_heif")
def test_a_heic_picture_is_refused_with_what_to_do(tmp_path: Path, name: str, head: bytes) -> None:
    (tmp_path / name).write_bytes(head)
    with pytest.raises(FewshotError, match=r"is a HEIC picture.*Save it as JPEG") as refused:
        read_picture(tmp_path / name)
    assert "'.[heif]'" in refused.value.hint


@pytest.mark.usefixtures("without_heif")
def test_every_other_picture_is_read_as_before(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".webp"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"a{suffix}")
        assert read_picture(tmp_path / f"a{suffix}").shape == (8, 8, 3)
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg")
    assert read_picture((tmp_path / "b.jpg").rename(tmp_path / "b.heic")).shape == (8, 8, 3)
    for name in ("noise.heic", "noise.jpg"):
        (tmp_path / name).write_bytes(b"noise" * 50)
        with pytest.raises(FewshotError, match="is not a picture"):
            read_picture(tmp_path / name)


def test_the_doctor_calls_it_a_warning_and_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", missing)
    found = doctor._library("pillow-heif")
    assert found.state == "warning" and "HEIC" in found.advice


def test_gpl_parts_are_optional_and_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [line for line in project["dependencies"] if line.startswith(("pillow-heif", "av"))]
    assert project["optional-dependencies"]["heif"] == ["pillow-heif>=1.0"]
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    for words in ("pillow-heif", "libx265", "libx264", "streamlit-webrtc", "General Public License"):
        assert words in notice
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("heif") == 3  # demo, app and test keep reading a phone's photos
