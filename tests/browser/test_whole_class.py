"""The whole class only: no name anywhere in the page, live and in the report; and accessibility of every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fewshot.app.recording import sample_recording
from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.report import report_bytes
from tests.browser.conftest import Served, to

PAGES = ("Class", "Enrollment", "Live", "Report", "Settings", "Help")


def open_sample(page: Any, served: Served) -> None:
    page.goto(served.address)
    page.get_by_role("button", name="Try with the sample class").click()
    page.locator("button.tile").nth(48).wait_for()
    page.get_by_text("recorded lesson, playing").wait_for()


def names_in(page: Any) -> list[str]:
    """Students' names among the words of the page, those of shadow roots too."""
    text = page.evaluate(
        """() => { const read = node => { let text = node.nodeType === 3 ? node.textContent : "";
           for (const child of node.childNodes)
             if (!["SCRIPT", "STYLE"].includes(child.nodeName)) text += " " + read(child);
           if (node.shadowRoot) text += " " + read(node.shadowRoot);
           return text + " " + (node.getAttribute?.("aria-label") ?? ""); }; return read(document.body); }"""
    )
    words = set(text.replace(":", " ").split())
    return sorted(words & set(sample_recording().students))


@pytest.mark.core
def test_no_name_is_anywhere_in_the_page(served: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    open_sample(page, served)
    assert len(names_in(page)) == 49  # the test can see names where there are some
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_text("Whole class only: no names, no tiles").click()
    page.get_by_text("The class now").wait_for()
    page.locator("button.tile").first.wait_for(state="detached")
    page.keyboard.press("Escape")
    page.wait_for_timeout(2500)
    assert names_in(page) == []
    page.reload()
    page.get_by_text("The class now").wait_for()
    page.wait_for_timeout(2500)
    assert names_in(page) == []  # what was hidden stays hidden
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Report").first.click()
    page.get_by_text("students were counted at a time").wait_for()
    page.get_by_text("Whole class only: no names").click()
    page.get_by_role("tab", name="Students").wait_for(state="detached")
    for _ in range(40):  # a busy computer needs longer to draw the page anew
        page.wait_for_timeout(500)
        if not names_in(page):
            break
    assert names_in(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_any_page(served: Served, browse: Callable[..., Any], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = browse(scheme=scheme)
    open_sample(page, served)
    faults = {"live lesson": serious(axe, page)}
    page.goto(served.address)
    page.get_by_role("button", name="Try with the sample class").wait_for()
    faults["Start"] = serious(axe, page)
    for name in PAGES:
        to(page, name)
        page.get_by_role("heading", level=1).first.wait_for()
        page.wait_for_timeout(2000)
        faults[name] = serious(axe, page)
    to(page, "Report")
    page.get_by_role("tab", name="Students").wait_for()
    for tab in ("Students", "Over weeks", "Check in"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1500)
        faults[f"Report, {tab}"] = serious(axe, page)
    assert {name: found for name, found in faults.items() if found} == {}


def test_axe_finds_no_serious_fault_in_an_exported_report(browse: Callable[..., Any], tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    lesson = make_lesson(12, 900, 3, [Planted(400, 120, "sad", 0.7)])
    target = tmp_path / "report.html"
    target.write_bytes(report_bytes(lesson, ".html", [make_lesson(12, 900, 4, number=2)])[".html"])
    page = browse()
    page.goto(target.as_uri())
    assert page.locator("svg").count() >= 3 and serious(axe, page) == []


def serious(axe: Any, page: Any) -> list[str]:
    """Serious and critical faults of what is ours: rule, how often, and an example."""
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{fault['id']} x {len(fault['nodes'])}: {fault['nodes'][0]['html'][:160]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
