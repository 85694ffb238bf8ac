"""What systems leave in folders of pictures: every reader skips it by the same rule."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from drawn_faces import Desk, draw_photo

from fewshot.app.uploads import Upload, save_class
from fewshot.clutter import entries_of, files_below, in_clutter, is_clutter
from fewshot.live.sources.still_pictures import open_folder
from fewshot.research.datasets.own_folder import is_own_folder, read_own_folder

FOLDERS = [
    "@eaDir", "@Recycle", "@__thumb", "@tmp", "__MACOSX", "$RECYCLE.BIN", "$Recycle.Bin", "System Volume Information",
    ".thumbnails", ".AppleDouble", ".Trash-1000", "lost+found", "#recycle", "#snapshot", "RECYCLER", "FOUND.000",
    "_vti_cnf", "resource.frk", "Thumbnails", "thumbs", "_thumbs",
]  # fmt: skip
FILES = [
    "Thumbs.db", "THUMBS.DB", "desktop.ini", ".DS_Store", "._1.jpg", ".hidden.jpg", "Icon\r", "~$list.docx",
    "1.jpg@SynoEAStream", "1.jpg:Zone.Identifier",
]  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_systems(name: str) -> None:
    assert is_clutter(name, folder=True)
    assert in_clutter(PurePosixPath("anna", name, "1.jpg", "thumb.jpg"))


@pytest.mark.parametrize("name", FILES)
def test_files_of_systems(name: str) -> None:
    assert is_clutter(name, folder=False)


@pytest.mark.parametrize("name", ["anna", "Anna B.", "Zoë", "#1", "neutral", "trash", "Recycling", "李"])
def test_folders_of_people(name: str) -> None:
    assert not is_clutter(name, folder=True) and not is_clutter(name + ".jpg", folder=False)


def test_only_what_lies_below_the_chosen_folder_counts(tmp_path: Path) -> None:
    photo = tmp_path / ".cache" / "@eaDir" / "photos" / "anna" / "1.jpg"
    photo.parent.mkdir(parents=True)
    photo.touch()
    assert list(files_below(photo.parents[1])) == [photo]
    assert entries_of(photo.parents[1]) == [photo.parent]


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Two students, as a network disk, a Mac and Windows leave them: thumbnails and rubbish on every level."""
    folder = tmp_path / "photos"
    for number, student in enumerate(["anna", "bo"], start=1):
        for emotion, seed in (("neutral", 1), ("happy", 2)):
            photo = draw_photo(folder / student / emotion / f"{seed}.png", {number: 100}, seed, seed + 10 * number)
            for clutter in FOLDERS:
                for place in (folder, folder / student, folder / student / emotion):
                    copy = place / clutter / "1.png" / "thumb.png"
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_bytes(photo.read_bytes())
            for clutter in FILES:
                (folder / student / emotion / clutter).write_bytes(photo.read_bytes())
                (folder / student / clutter).write_bytes(photo.read_bytes())
                (folder / clutter).write_bytes(photo.read_bytes())
    return folder


WANTED = ["anna/happy/2.png", "anna/neutral/1.png", "bo/happy/2.png", "bo/neutral/1.png"]


def test_enrollment_takes_the_photos_only(spoilt: Path, fewshot_home: Path) -> None:
    desk = Desk(spoilt, fewshot_home)
    for student in ("anna", "bo"):
        result = desk.enroll(student)
        assert [(photo.emotion, photo.status) for photo in result.photos] == [
            ("happy", "accepted"),
            ("neutral", "accepted"),
        ]


def test_a_zip_of_the_same_folder(spoilt: Path, tmp_path: Path) -> None:
    data, target = io.BytesIO(), tmp_path / "unpacked"
    with zipfile.ZipFile(data, "w") as archive:
        for path in spoilt.rglob("*"):
            archive.write(path, path.relative_to(spoilt))
    assert save_class([Upload("photos.zip", data.getvalue())], target) == ["anna", "bo"]
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()) == WANTED


def test_the_own_protocol(spoilt: Path) -> None:
    assert is_own_folder(spoilt)
    assert [picture.path for picture in read_own_folder(spoilt)] == WANTED


def test_a_folder_to_analyze(spoilt: Path) -> None:
    assert open_folder(spoilt / "anna" / "happy", "happy").frames == 1
