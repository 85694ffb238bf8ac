"""Folders and zips as people have them: twins, names in another code page, and uploads near the limit."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fewshot.app.uploads import MOST_MEGABYTES
from fewshot.demo.sample import enrollment_photos, sample_picture
from tests.browser.conftest import SHARED, Served, acknowledge, finish
from tests.browser.steps import choose_source, enroll_chosen, make_class

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of the four of the demo: ``<name>/*.jpg``."""
    folder = tmp_path_factory.mktemp("people")
    enrollment_photos(sample_picture(), folder)
    return folder


class Raw(zipfile.ZipInfo):
    """An entry as an old program writes it: its name in a code page, which the zip does not tell."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def zip_in(page: str, people: Path, target: Path, **students: str) -> Path:
    """A zip with two photos per student; ``students``: name of the demo -> name of the folder, in a code page."""
    with zipfile.ZipFile(target, "w") as archive:
        for person, name in students.items():
            for photo in sorted((people / person).iterdir())[:2]:
                archive.writestr(Raw(f"{name}/{photo.name}".encode(page).decode("cp437")), photo.read_bytes())
    return target


def send(page: Any, packed: Path) -> None:
    """Choose a zip on the tab "Many students"."""
    page.get_by_role("button", name="Enroll", exact=True).first.wait_for()
    page.wait_for_timeout(1000)  # the page is drawn once more after a class was made, and would drop the file
    page.locator("input[type=file]").nth(1).set_input_files(str(packed))
    page.get_by_text(packed.name).first.wait_for()
    consent(page)


def consent(page: Any) -> None:
    page.get_by_label("Consent given by").first.fill("the demo")
    page.get_by_label("Consent given by").first.press("Enter")


def card(page: Any, name: str) -> Any:
    return page.locator(f"button.tile:has-text('{name}')")


def test_the_second_of_two_who_look_alike_is_enrolled_as_a_twin(
    served: Served, browse: Callable[..., Any], people: Path, tmp_path: Path
) -> None:
    twins = SHARED / "cases" / "enroll" / "twins"
    if not twins.is_dir():
        pytest.skip("needs ../shared/cases/enroll/twins: the demo's picture has no two people who look alike")
    with zipfile.ZipFile(tmp_path / "twins.zip", "w") as archive:
        for name in ("lea", "mia"):
            archive.write(twins / name / "1.jpg", f"{name}/1.jpg")
        archive.write(sorted((people / "ben").iterdir())[0], "ben/1.jpg")
    page = browse()
    acknowledge(page, served.address)
    make_class(page, "Twins")
    send(page, tmp_path / "twins.zip")
    page.get_by_text("Looks like lea, who is in another row").wait_for()
    page.get_by_role("button", name="Add to lea").wait_for()
    page.get_by_role("button", name="Enroll 2 photos of 2 students").wait_for()
    page.get_by_role("button", name="Two people, such as twins").click()
    page.get_by_role("button", name="Enroll 3 photos of 3 students").click()
    card(page, "mia").wait_for()
    assert card(page, "lea").count() == card(page, "ben").count() == 1
    page.get_by_text("the name of the other one").first.wait_for()


def test_names_in_another_code_page_are_detected_and_said(
    served: Served, browse: Callable[..., Any], people: Path, tmp_path: Path
) -> None:
    page = browse()
    acknowledge(page, served.address)
    make_class(page, "Windows zip")
    send(page, zip_in("cp1252", people, tmp_path / "windows.zip", asha="Zoë", ben="Ben"))
    page.get_by_text(
        "The names in windows.zip are not in UTF-8. They were taken for the code page cp1252: Zoë"
    ).wait_for()
    enroll_chosen(page)
    card(page, "Zoë").wait_for()
    assert card(page, "Ben").count() == 1


def test_names_that_may_be_two_are_asked_about_and_the_folder_itself_is_a_way_out(
    served: Served, browse: Callable[..., Any], people: Path, tmp_path: Path
) -> None:
    page = browse()
    acknowledge(page, served.address)
    make_class(page, "Cyrillic zip")
    send(page, zip_in("cp1251", people, tmp_path / "names.zip", asha="Анна", ben="Борис"))
    page.get_by_text("it is not clear how to read them").wait_for()
    said = page.get_by_text("it is not clear how to read them").inner_text()
    assert "Анна / Борис" in said and "Upload the folder itself instead of a zip" in said
    assert page.locator("button.tile").count() == 0
    for person, name in (("asha", "Анна"), ("ben", "Борис")):
        (tmp_path / "class" / name).mkdir(parents=True)
        for photo in sorted((people / person).iterdir())[:2]:
            shutil.copy(photo, tmp_path / "class" / name)
    page.get_by_role("button", name="Remove names.zip").or_(page.get_by_label("Remove file")).first.click()
    page.locator("input[type=file]").nth(0).set_input_files(str(tmp_path / "class"))
    page.get_by_text(sorted((people / "asha").iterdir())[0].name).first.wait_for()
    consent(page)
    enroll_chosen(page)
    card(page, "Анна").wait_for()
    assert card(page, "Борис").count() == 1


@pytest.fixture
def own_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose memory no other test has used."""
    app = Served(tmp_path_factory.mktemp("home"))
    yield app
    finish(app)


def most_memory(app: Served) -> int:
    """Bytes of memory that the server has had at most."""
    lines = Path(f"/proc/{app.process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc, to see the memory of the server")
def test_several_uploads_near_the_limit_stay_under_one_gibibyte(
    own_server: Served, browse: Callable[..., Any], people: Path, tmp_path: Path
) -> None:
    large = (MOST_MEGABYTES - 30) * MEGABYTE
    if shutil.disk_usage(tmp_path).free < 5 * large:
        pytest.skip("needs 3 GB of free disk")
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as archive:
        for person in ("asha", "ben"):
            for photo in sorted((people / person).iterdir())[:2]:
                archive.write(photo, f"{person}/{photo.name}")
            with archive.open(f"{person}/film.mov", "w", force_zip64=True) as film:
                for _ in range(large // 2 // MEGABYTE):
                    film.write(bytes(MEGABYTE))
    with (tmp_path / "lesson.mp4").open("wb") as film:
        film.truncate(large)
    page = browse()
    acknowledge(page, own_server.address)
    make_class(page, "Large")
    send(page, tmp_path / "large.zip")
    enroll_chosen(page)
    card(page, "asha").wait_for()
    assert card(page, "ben").count() == 1
    assert most_memory(own_server) < 1 << 30
    choose_source(page, "Large", "Video file")
    page.locator("input[type=file]").first.set_input_files(str(tmp_path / "lesson.mp4"))
    page.get_by_text("lesson.mp4").first.wait_for()
    words, start = page.get_by_text("is not a video").first, page.get_by_role("button", name="Start the lesson")
    for _ in range(12):  # the file is named from the moment on from which it is sent
        if start.count():
            start.click()
        page.wait_for_timeout(3000)
        if words.count():
            break
    words.wait_for()  # it is empty space
    assert most_memory(own_server) < 1 << 30
    page.goto("about:blank")  # the tab leaves before its server does
    page.wait_for_timeout(1000)
