"""Uploads: folders, zips and single photos, and zips that mean harm."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.app import zips
from fewshot.app.uploads import Upload, save_class, save_student, thumbnail, thumbnail_of
from fewshot.errors import UsageError


def packed(*names: str, data: bytes = b"x") -> Upload:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return Upload("photos.zip", target.getvalue())


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("sent", "students", "kept"),
    [
        ([], [], []),
        ([Upload("asha/1.jpg", b"x")], ["asha"], ["asha/1.jpg"]),
        ([Upload("asha/sad/1.jpg", b"x"), Upload("ben/1.jpg", b"x")], ["asha", "ben"], ["asha/sad/1.jpg", "ben/1.jpg"]),
        ([packed("asha/1.jpg", "ben/neutral/1.jpg")], ["asha", "ben"], ["asha/1.jpg", "ben/neutral/1.jpg"]),
        ([packed("photos/asha/1.jpg", "photos/ben/1.jpg")], ["asha", "ben"], ["asha/1.jpg", "ben/1.jpg"]),
        ([packed("photos/asha/1.jpg", "photos/ben/1.jpg", "photos/consent.csv")], ["asha", "ben"],
         ["asha/1.jpg", "ben/1.jpg", "consent.csv"]),
        ([packed("asha/happy/1.jpg", "asha/sad/1.jpg")], ["asha"], ["asha/happy/1.jpg", "asha/sad/1.jpg"]),
        ([packed("asha/1.jpg", "__MACOSX/asha/._1.jpg", "asha/.DS_Store", "asha/Thumbs.db")], ["asha"], ["asha/1.jpg"]),
        ([packed("asha\\1.jpg")], ["asha"], ["asha/1.jpg"]),
    ],
)  # fmt: skip
def test_photos_of_a_class(sent: list[Upload], students: list[str], kept: list[str], tmp_path: Path) -> None:
    assert save_class(sent, tmp_path) == students and files(tmp_path) == kept


def test_a_photo_in_no_folder_is_kept_and_names_nobody(tmp_path: Path) -> None:
    assert save_class([Upload("lonely.jpg", b"x"), Upload("photos/IMG_1.jpg", b"x")], tmp_path) == []
    assert files(tmp_path) == ["IMG_1.jpg", "lonely.jpg"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["9b/2026/asha/happy/1.jpg", "9b/2026/ben/1.jpg"], ["asha/happy/1.jpg", "ben/1.jpg"]),
        (["9b/2024-25/asha/1.jpg", "9b/2025-26/asha/1.jpg", "9b/2025-26/ben/1.jpg"],
         ["asha/1 (2).jpg", "asha/1.jpg", "ben/1.jpg"]),
        (["asha/2026/happy/1.jpg", "ben/DCIM/2.jpg"], ["asha/2026/happy/1.jpg", "ben/2.jpg"]),
        (["2001/happy/1.jpg", "2002/2.jpg"], ["2001/happy/1.jpg", "2002/2.jpg"]),  # codes of students
    ],
)  # fmt: skip
def test_folders_of_school_years_are_no_students(sent: list[str], kept: list[str], tmp_path: Path) -> None:
    save_class([Upload(name, b"x") for name in sent], tmp_path)
    assert files(tmp_path) == kept


@pytest.mark.parametrize("name", ["../../evil/1.jpg", "/etc/evil/1.jpg", "asha/../../evil/1.jpg", "..\\evil\\1.jpg"])
def test_nothing_is_written_outside_the_folder(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    save_class([packed(name), Upload(name, b"x")], inside)
    assert all(path.startswith("inside/") for path in files(tmp_path))


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="upload the parts one by one"):
        save_class([packed("asha/1.jpg", data=bytes(5000))], tmp_path)
    assert files(tmp_path) == []


def test_a_damaged_zip_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be unpacked"):
        save_class([Upload("photos.zip", b"no zip")], tmp_path)


@pytest.mark.parametrize(
    ("emotion", "kept"), [(None, ["asha/1.jpg", "asha/sad/2.jpg"]), ("happy", ["asha/happy/1.jpg", "asha/happy/2.jpg"])]
)
def test_photos_of_one_student(emotion: str | None, kept: list[str], tmp_path: Path) -> None:
    save_student([Upload("1.jpg", b"x"), packed("sad/2.jpg")], tmp_path, "asha", emotion)
    assert files(tmp_path) == kept


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        save_student([Upload("1.jpg", b"x")], tmp_path, "../asha")


def test_thumbnails_are_small_and_there_is_none_of_what_is_no_picture(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (900, 700, 3), np.uint8)
    data = cv2.imencode(".png", picture)[1].tobytes()
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.png").write_bytes(b"no picture")
    small = thumbnail(tmp_path / "a.png")
    assert small is not None and max(cv2.imdecode(np.frombuffer(small, np.uint8), 1).shape[:2]) == 220
    assert thumbnail(tmp_path / "b.png") is None
    assert thumbnail_of("x.png", data) == small
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        thumbnail_of("x.png", b"no picture")


def test_damaged_zips_are_said_to_be_so_in_words(shared: Path, tmp_path: Path) -> None:
    archives = sorted((shared / "cases" / "zip").glob("*.zip"))
    if not archives:
        pytest.skip("needs ../shared/cases/zip")
    for archive in archives:
        with pytest.raises(UsageError, match=r"damaged or not complete\. Make the zip again"):
            save_class([Upload(archive.name, archive.read_bytes())], tmp_path / archive.name)


def test_a_zip_spoilt_anywhere_raises_nothing_that_is_not_in_words(tmp_path: Path) -> None:
    whole = packed("asha/1.jpg", "ben/neutral/1.jpg", data=bytes(range(256)) * 20).data
    random = np.random.default_rng(0)
    for attempt in range(300):
        data = bytearray(whole[: random.integers(1, len(whole))] if attempt % 4 == 0 else whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        with contextlib.suppress(UsageError):
            save_class([Upload("photos.zip", bytes(data))], tmp_path / str(attempt))


def test_a_zip_with_a_password_and_one_packed_by_another_method(tmp_path: Path) -> None:
    whole = packed("asha/1.jpg").data
    place = whole.index(b"PK\x01\x02")
    locked, strange = bytearray(whole), bytearray(whole)
    locked[place + 8] |= 1
    locked[6] |= 1
    strange[place + 10], strange[8] = 9, 9  # deflate64
    with pytest.raises(UsageError, match=r"asha/1\.jpg, cannot be unpacked: it has a password"):
        save_class([Upload("photos.zip", bytes(locked))], tmp_path)
    with pytest.raises(UsageError, match="a method that this program does not know"):
        save_class([Upload("photos.zip", bytes(strange))], tmp_path)


def in_page(page: str, *names: str) -> Upload:
    """A zip as an old program makes it: names in a code page, which the zip does not tell."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(RawInfo(name.encode(page).decode("cp437")), b"x")
    return Upload("photos.zip", target.getvalue())


class RawInfo(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("utf-8", "Zoë"),
        ("cp437", "Zoë"),
        ("cp850", "Zoë"),
        ("cp1252", "Zoë"),
        ("cp1252", "Jörg Müller"),  # in cp1256 an Arabic vowel sign would stand in a Latin word
    ],
)
def test_names_in_other_code_pages_are_detected(page: str, name: str, tmp_path: Path) -> None:
    notes: list[str] = []
    assert save_class([in_page(page, f"{name}/1.jpg")], tmp_path, notes=notes) == [name]
    assert bool(notes) == (page not in ("utf-8", "cp437", "cp850")) and all(name in note for note in notes)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("gb18030", "李明"),
        ("cp866", "Анна"),
        ("cp1250", "Łukasz"),
        ("cp1257", "Šarūnas"),
        ("cp775", "Ģirts"),
        ("cp874", "สมชาย"),
        ("cp1258", "Đông"),
    ],
)
def test_names_whose_code_page_is_not_clear_are_asked_about(page: str, name: str, tmp_path: Path) -> None:
    sent = in_page(page, f"{name}/1.jpg")
    with pytest.raises(UsageError, match=f"{name}.*Upload the folder itself"):
        save_class([sent], tmp_path)
    assert save_class([sent], tmp_path, known=[name]) == [name]


def test_names_of_photos_need_no_code_page(tmp_path: Path) -> None:
    assert save_class([in_page("gb18030", "anna/李明.jpg")], tmp_path) == ["anna"]


def test_a_large_zip_is_not_held_in_memory(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"asha/{number}.jpg", bytes(30_000_000))
    sent = Upload("photos.zip", target.getvalue())
    tracemalloc.start()
    save_class([sent], tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_files_of_one_name_do_not_replace_each_other(tmp_path: Path) -> None:
    save_class([packed("asha/1.jpg", data=b"x"), packed("asha/1.jpg", data=b"y")], tmp_path)
    assert files(tmp_path) == ["asha/1 (2).jpg", "asha/1.jpg"]


def test_very_long_names(tmp_path: Path) -> None:
    save_class([packed("asha/" + "ö" * 300 + ".jpg", "é" * 300 + "/1.jpg")], tmp_path)
    assert len(files(tmp_path)) == 2
