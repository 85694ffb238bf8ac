"""What browsers send lies on the disk: memory does not grow with it, and it goes when it is no longer needed."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from fewshot.app.upload_files import DiskUploads
from fewshot.app.uploads import Upload, save_class, save_student, thumbnail_of
from fewshot.errors import UsageError

MEGABYTE = 1 << 20


@pytest.fixture
def manager() -> MemoryUploadedFileManager:
    return MemoryUploadedFileManager("/upload")


@pytest.fixture
def uploads(manager: MemoryUploadedFileManager) -> Iterator[DiskUploads]:
    made = DiskUploads(manager)
    yield made
    made.close()


def send(manager: MemoryUploadedFileManager, tab: str, number: str, data: bytes, name: str = "a.zip") -> None:
    manager.add_file(tab, UploadedFileRec(number, name, "application/zip", data))


def kept(uploads: DiskUploads, tab: str, number: str) -> Path:
    path = uploads.path(tab, number)
    assert path is not None
    return path


def test_several_large_uploads_are_not_held_in_memory(manager: MemoryUploadedFileManager, uploads: DiskUploads) -> None:
    tracemalloc.start()
    for number in range(6):
        send(manager, "tab", str(number), bytes(20 * MEGABYTE))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < MEGABYTE and peak < 25 * MEGABYTE
    assert [file.name for file in manager.get_files("tab", ["0", "5"])] == ["a.zip", "a.zip"]
    assert kept(uploads, "tab", "5").stat().st_size == 20 * MEGABYTE


def test_tabs_do_not_see_each_others_files(manager: MemoryUploadedFileManager, uploads: DiskUploads) -> None:
    send(manager, "one", "../../x", b"first")
    send(manager, "other", "../../x", b"second")
    paths = [kept(uploads, tab, "../../x") for tab in ("one", "other")]
    assert [path.read_bytes() for path in paths] == [b"first", b"second"]
    assert len({path.parent for path in paths}) == 1 and uploads.path("nobody", "../../x") is None


def test_files_go_when_they_are_taken_out_replaced_or_the_tab_is_closed(
    manager: MemoryUploadedFileManager, uploads: DiskUploads
) -> None:
    for number in "abc":
        send(manager, "tab", number, b"x")
    send(manager, "other", "a", b"y")
    folder = kept(uploads, "tab", "a").parent
    manager.remove_file("tab", "a")
    manager.remove_file("tab", "a")
    send(manager, "tab", "b", b"new")
    assert kept(uploads, "tab", "b").read_bytes() == b"new" and len(list(folder.iterdir())) == 3
    manager.remove_session_files("tab")
    assert [path.read_bytes() for path in folder.iterdir()] == [b"y"] and manager.get_files("tab", ["b", "c"]) == []
    uploads.close()
    assert not folder.exists()


def test_a_full_disk_is_an_answer_in_words(
    manager: MemoryUploadedFileManager, uploads: DiskUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.exceptions import HTTPException

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fewshot.app.upload_files.open_private", full)
    with pytest.raises(HTTPException, match="No space left on device"):
        send(manager, "tab", "a", b"x")
    assert manager.get_files("tab", ["a"]) == []


def test_a_zip_and_photos_are_read_from_the_disk(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("asha/1.jpg", b"packed")
    (tmp_path / "0").write_bytes(data.getvalue())
    (tmp_path / "1").write_bytes(b"photo")
    sent = [Upload("photos.zip", tmp_path / "0"), Upload("ben/1.jpg", tmp_path / "1")]
    assert save_class(sent, tmp_path / "class") == ["asha", "ben"]
    assert (tmp_path / "class/asha/1.jpg").read_bytes() == b"packed"
    assert (tmp_path / "class/ben/1.jpg").read_bytes() == b"photo"
    save_student([Upload("2.jpg", tmp_path / "1")], tmp_path / "student", "dana")
    assert (tmp_path / "student/dana/2.jpg").read_bytes() == b"photo"
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        thumbnail_of("x.png", tmp_path / "1")


def test_a_file_that_is_gone_is_said_in_words(tmp_path: Path) -> None:
    for name in ("photos.zip", "asha/1.jpg"):
        with pytest.raises(UsageError, match="No such file"):
            save_class([Upload(name, tmp_path / "gone")], tmp_path / "class")
