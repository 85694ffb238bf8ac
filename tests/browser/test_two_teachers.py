"""Two teachers on one server with login: neither gets anything of the other one, also if they know its name."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fewshot.demo.sample import enrollment_photos, sample_picture
from fewshot.research.bench.browser_steps import choose_zip
from tests.browser.conftest import ROOT, Served, acknowledge, finish, to
from tests.browser.steps import enroll_chosen, make_class

PASSWORD = "four green plums fell"


class WithLogin(Served):
    """The app with ``--login``, and accounts for two teachers."""

    options = ("--login",)


@pytest.fixture
def school(chromium: str, tmp_path: Path) -> Iterator[Served]:
    import os

    home = tmp_path / "school"
    environment = {**os.environ, "FEWSHOT_HOME": str(home)}
    for name in ("Anna", "Bert"):
        command = [sys.executable, "-m", "fewshot", "accounts", "add", name, "--password-file", "-"]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, input=PASSWORD, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
    app = WithLogin(home)
    yield app
    finish(app)


def log_in(page: Any, school: Served, name: str) -> None:
    page.goto(school.address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_a_teacher_gets_nothing_of_another_one(school: Served, browse: Callable[..., Any]) -> None:
    anna, bert = browse(), browse()
    tabs: list[str] = []
    files: set[str] = set()
    anna.on("request", lambda request: files.add(request.url) if "/media/" in request.url else None)
    anna.on("websocket", lambda socket: socket.on("framereceived", lambda data: tabs.extend(ids_in(data))))
    log_in(anna, school, "anna")
    acknowledge(anna, school.address)
    assert anna.get_by_text("Anna · Log out").is_visible()
    to(anna, "Report")
    anna.get_by_role("heading", name="Report").first.wait_for()
    anna.wait_for_timeout(3000)

    his: set[str] = set()  # both see the program's own pictures
    bert.on("request", lambda request: his.add(request.url) if "/media/" in request.url else None)
    log_in(bert, school, "bert")
    acknowledge(bert, school.address)
    to(bert, "Report")
    bert.get_by_role("heading", name="Report").first.wait_for()
    told = bert.evaluate(
        """async ([files, tabs]) => {
          const told = [];
          for (const url of files) told.push((await fetch(url)).status);
          for (const tab of tabs) for (const method of ["PUT", "DELETE"])
            told.push((await fetch(`/_stcore/upload_file/${tab}/x`, {method})).status);
          return told; }""",
        [sorted(url for url in files if "icon" not in url and url not in his), sorted(set(tabs))],
    )
    assert tabs and set(told) == {404}, (told, files)

    anna.get_by_role("link", name="Log out").click()
    anna.get_by_role("button", name="Log out", exact=True).click()
    anna.get_by_label("Password").wait_for()
    answer = anna.goto(f"{school.address}/live")
    assert "/login?next=/live" in answer.url


def ids_in(data: Any) -> set[str]:
    """What looks like the name of a tab in a message of Streamlit."""
    text = data if isinstance(data, str) else bytes(data).decode("latin-1")
    return set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text))


@pytest.mark.core
def test_whoever_is_logged_in_can_upload_photos(school: Served, browse: Callable[..., Any], tmp_path: Path) -> None:
    """Streamlit takes an upload only with a cookie, which must come through the login too."""
    enrollment_photos(sample_picture(), tmp_path / "photos")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for photo in sorted((tmp_path / "photos" / "asha").iterdir()):
            archive.write(photo, f"asha/{photo.name}")
    page = browse()
    log_in(page, school, "anna")
    acknowledge(page, school.address)
    make_class(page, "Physics")
    choose_zip(page, tmp_path / "class.zip", "the demo")
    enroll_chosen(page)
    page.locator("button.tile:has-text('asha')").wait_for()
