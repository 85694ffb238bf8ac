"""Two teachers at once: each sees their own. Logging out in one tab ends the other tab and its camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fewshot.accounts.accounts import Accounts
from fewshot.classroom.store import ClassStore
from fewshot.database.engine import in_folder
from fewshot.database.owner import Owner
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge, finish, to
from tests.browser.steps import CAMERA, choose_source, start_lesson
from tests.browser.test_two_teachers import PASSWORD, WithLogin, log_in

NAMES = ("anna", "bert")
SILENT = 6.0
"""Seconds for which no frame may come; while the camera is on, some come in every second."""


@pytest.fixture
def school(chromium: str, tmp_path: Path) -> Iterator[tuple[Served, dict[str, Owner]]]:
    """A server with two teachers, each with a class and a lesson."""
    home = tmp_path / "school"
    database = in_folder(home)
    owners = {name: Accounts(database).add(name, password=PASSWORD) for name in NAMES}
    for name, owner in owners.items():
        ClassStore(database, owner).create(f"physics of {name}")
        lessons = LessonStore(database, owner)
        lessons.end(lessons.create(f"physics of {name}", title=f"Waves of {name}"))
    database.close()
    app = WithLogin(home)
    yield app, owners
    finish(app)


def frames(app: Served, owner: Owner) -> int:
    """Frames that the newest lesson of a teacher has stored."""
    lessons = LessonStore(app.database(), owner)
    try:
        return int(lessons.load(lessons.lessons()[0].id).frames_per_second.sum())
    finally:
        lessons.database.close()


def wait_for_frames(app: Served, owner: Owner, more_than: int) -> int:
    until = time.monotonic() + 60
    while (found := frames(app, owner)) <= more_than:
        assert time.monotonic() < until, f"only {found} frames came"
        time.sleep(0.5)
    return found


def wait_for_choice(page: Any, words: str) -> None:
    """What was chosen from a list is the value of a field, not a text."""
    page.wait_for_function(
        "words => [...document.querySelectorAll('input')].some(field => field.value.includes(words))", arg=words
    )


def sees_only_own(page: Any, own: str, other: str) -> None:
    to(page, "Class")
    wait_for_choice(page, f"physics of {own}")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").first.wait_for()
    assert [name for name in page.get_by_role("option").all_inner_texts() if " of " in name] == [f"physics of {own}"]
    page.keyboard.press("Escape")
    assert page.get_by_text(f"of {other}").count() == 0
    to(page, "Report")
    wait_for_choice(page, f"Waves of {own}")
    assert page.get_by_text(f"of {other}").count() == 0


def test_each_sees_their_own_and_a_log_out_ends_every_tab_and_camera(
    school: tuple[Served, dict[str, Owner]], browse: Callable[..., Any]
) -> None:
    app, owners = school
    anna, bert = browse(*CAMERA, permissions=["camera"]), browse()
    closed: list[str] = []
    anna.on("websocket", lambda socket: socket.on("close", lambda _: closed.append(socket.url)))
    log_in(anna, app, "anna")
    acknowledge(anna, app.address)
    log_in(bert, app, "bert")
    acknowledge(bert, app.address)
    sees_only_own(anna, "anna", "bert")
    sees_only_own(bert, "bert", "anna")

    choose_source(anna, "Without a class: expressions, no names", "Browser camera")
    start_lesson(anna)
    wait_for_frames(app, owners["anna"], wait_for_frames(app, owners["anna"], 0))

    before = len(closed)
    other = anna.context.new_page()
    other.goto(f"{app.address}/logout")
    other.get_by_role("button", name="Log out", exact=True).click()
    other.get_by_label("Password").wait_for()
    deadline = time.monotonic() + 20
    while len(closed) <= before and time.monotonic() < deadline:
        anna.wait_for_timeout(200)
    assert [url for url in closed[before:] if "/_stcore/stream" in url]
    anna.wait_for_timeout(2000)  # what was taken before may still be written
    kept = frames(app, owners["anna"])
    anna.wait_for_timeout(1000 * SILENT)
    assert frames(app, owners["anna"]) == kept

    anna.reload()
    anna.get_by_label("Password").wait_for()
    assert anna.get_by_text("of anna").count() == 0
    bert.reload()
    bert.get_by_text("bert · Log out").wait_for()


@pytest.mark.parametrize("how", ["reset", "remove"])
def test_what_another_program_does_to_an_account_ends_its_tab_and_camera(
    school: tuple[Served, dict[str, Owner]], browse: Callable[..., Any], how: str
) -> None:
    app, owners = school
    anna = browse(*CAMERA, permissions=["camera"])
    closed: list[str] = []
    anna.on("websocket", lambda socket: socket.on("close", lambda _: closed.append(socket.url)))
    log_in(anna, app, "anna")
    acknowledge(anna, app.address)
    choose_source(anna, "Without a class: expressions, no names", "Browser camera")
    start_lesson(anna)
    wait_for_frames(app, owners["anna"], wait_for_frames(app, owners["anna"], 0))

    before = len(closed)
    database = in_folder(app.home)
    if how == "reset":
        Accounts(database).reset("anna", PASSWORD[::-1])
    else:
        Accounts(database).remove("anna", delete_all=True)
    database.close()
    deadline = time.monotonic() + 20
    while len(closed) <= before and time.monotonic() < deadline:
        anna.wait_for_timeout(200)
    assert [url for url in closed[before:] if "/_stcore/stream" in url]
    anna.wait_for_timeout(2000)  # what was taken before may still be written
    if how == "reset":
        kept = frames(app, owners["anna"])
        anna.wait_for_timeout(1000 * SILENT)
        assert frames(app, owners["anna"]) == kept
    else:
        anna.wait_for_timeout(1000 * SILENT)
        found = in_folder(app.home)
        assert LessonStore(found, owners["bert"]).lessons()
        with found.read() as session:
            rows = "SELECT count(*) FROM lessons WHERE owner_id = :owner"
            assert session.connection().exec_driver_sql(rows, {"owner": owners["anna"].id}).scalar() == 0
        found.close()
    anna.reload()
    anna.get_by_label("Password").wait_for()
