"""The audit log in a real browser: no fault that axe finds, no scrolling sideways, and a head that is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fewshot.audit.log import note
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from tests.browser.conftest import Served


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_at_two_widths(served: Served, browse: Callable[..., Any], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = browse(scheme=scheme)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        to_the_log(page, served)
        page.wait_for_timeout(1500)
        found = axe.Axe().run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"][:160]) for fault in found] == [], width
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width


def test_the_head_is_saved_as_the_line_that_the_check_takes(
    served: Served, browse: Callable[..., Any], tmp_path: Path
) -> None:
    page = browse()
    to_the_log(page, served)
    page.get_by_text("The log is whole:").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save the head").click()
    waiting.value.save_as(tmp_path / "head")
    head = (tmp_path / "head").read_text()
    assert waiting.value.suggested_filename == f"audit-head-{head.split()[0]}.txt" and len(head.split()) == 4
    page.get_by_label("An earlier head").fill(head.strip())
    page.get_by_role("button", name="Check with this head").click()
    page.get_by_text("The log is whole:").nth(1).wait_for()


@pytest.fixture(autouse=True)
def a_log(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some lines, signed with the key of the served app."""
    monkeypatch.setenv("FEWSHOT_HOME", str(served.home))
    database = served.database()
    if not ClassStore(database).names():
        ClassStore(database).create("for the log")
    for lesson in range(3):
        note(database, LOCAL_TEACHER, "looked", details={"live": False, "lesson": lesson})
    database.close()


def to_the_log(page: Any, served: Served) -> None:
    """Open Settings, Audit log."""
    page.goto(f"{served.address}/settings")
    page.get_by_role("tab", name="Audit log").click()
    page.get_by_text("Kinds of lines").wait_for()
