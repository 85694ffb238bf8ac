"""The sample class, from the first click to files that are opened and checked."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Served


@pytest.mark.core
def test_from_the_first_click_to_the_report_and_its_files(
    served: Served, browse: Callable[..., Any], tmp_path: Path
) -> None:
    expect = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright").expect
    page = browse()
    page.goto(served.address)
    page.get_by_role("button", name="Try with the sample class").click()
    tiles = page.locator("button.tile")
    tiles.nth(48).wait_for()
    assert tiles.count() == 49
    page.get_by_text("recorded lesson, playing").wait_for()
    # The tiles move: a step a second, and more time for a machine that is busy with other things.
    for _ in range(3):
        before = page.locator(".grid").get_attribute("data-updates")
        expect(page.locator(".grid"), "the tiles stand still").not_to_have_attribute(
            "data-updates", before or "", timeout=15_000
        )
    page.get_by_role("button", name="+1 min").click()
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_role("button", name="Question").click()
    page.get_by_text("Marked: Question").wait_for()
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Report").first.click()
    page.get_by_text("Lesson report").wait_for()
    page.get_by_text("students were counted at a time").wait_for()
    page.get_by_role("tab", name="Download").click()
    for kind in ("HTML", "CSV", "Parquet", "PDF"):
        check(kind, saved(page, kind, tmp_path))


def saved(page: Any, kind: str, folder: Path) -> bytes:
    page.get_by_role("radio", name=kind).or_(page.get_by_role("button", name=kind, exact=True)).first.click()
    page.get_by_role("button", name=f"Make the {kind} file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"Save lesson .*")).first.click()
    path = folder / f"report.{kind.lower()}"
    download.value.save_as(path)
    return path.read_bytes()


def check(kind: str, data: bytes) -> None:
    if kind == "PDF":
        assert data.startswith(b"%PDF")
    elif kind == "HTML":
        text = data.decode()
        assert "Amara" in text and "http://" not in re.sub(r"http://www\.w3\.org[^\"']*", "", text)
    elif kind == "CSV":
        assert b"Amara" in data and data.count(b"\n") > 1000
    else:
        import pyarrow.parquet

        assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows > 1000
