"""The page Report in another language: everything that it shows is looked up."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("altair", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.app.reports import REPORTS
from fewshot.session.analysis.words import LAW
from fewshot.session.lessons import LessonStore
from fewshot.translation import catalogue
from tests.app.test_pages import page, words
from tests.app.test_report_view import NAMES, teach
from tests.bracketed import Bracketed, not_looked_up
from tests.made_home import made_home

KINDS = ("HTML", "PDF", "CSV", "Parquet")
KNOWN = [*NAMES, "Zoë", "نور", *(f"Week {week}" for week in range(1, 6)), "physics", *KINDS]


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_home(tmp_path_factory, teach)


@pytest.fixture(autouse=True)
def in_german(taught: Path, fewshot_home: Path, empty_room: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shutil.copytree(taught, fewshot_home)
    monkeypatch.setattr(catalogue, "catalogue", lambda _language: Bracketed())
    REPORTS._known.clear()
    yield
    REPORTS._known.clear()


def seen(test: AppTest) -> list[str]:
    """Everything that can be read on the page, without marks of HTML and Markdown."""
    found = words(test).split("\n")
    for kind in ("button", "selectbox", "toggle", "text_input", "tabs", "expander"):
        found += [element.label for element in getattr(test, kind)]
    found += [option for box in test.selectbox for option in box.options]
    found += [box.placeholder for box in test.text_input]
    found += [title for chart in test.get("vega_lite_chart") for title in titles(json.loads(chart.proto.spec))]
    plain = [re.sub(r"[\\\u2060\u2068\u2069*]|<[^>]*>|:material/\w+:|:gray", "", text) for text in found]
    return [re.sub(r"\b\d{1,2}[. ]\d\d\.\d{4}\b|\b\d+ [A-Z][a-z]{2} \d{4}\b", "", text) for text in plain]


def titles(spec: object) -> Iterator[str]:
    """All titles of axes, tooltips and parts of a chart, and the words that it writes for states."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name in ("title", "word", "description") and isinstance(value, str):
                yield value
            yield from titles(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from titles(value)


@pytest.mark.parametrize("part", ["class", "students", "check-in", "weeks", "download"])
def test_no_part_of_the_page_is_left_in_english(part: str) -> None:
    test = page("report", {"lesson": "5", "part": part}, language="de")
    assert not test.exception and not test.error
    texts = seen(test)
    assert sum("⟦" in text for text in texts) > 12
    assert [text for text in texts if not_looked_up(text, KNOWN)] == [LAW]


def test_nor_is_one_student() -> None:
    number = LessonStore().load(5).numbers["Bela"]
    test = page("report", {"lesson": "5", "part": "students", "student": str(number)}, language="de")
    assert "⟦Over weeks⟧" in [heading.value for heading in test.subheader]
    assert [text for text in seen(test) if not_looked_up(text, KNOWN)] == [LAW]


def test_another_language_keeps_the_open_tab() -> None:
    test = page("report", {"lesson": "5", "part": "check-in"}, language="de")
    assert test.session_state["report part"] == "⟦Check in⟧"
    test.session_state["language"] = "en"
    test.run()
    assert not test.exception and test.session_state["report part"] == "Check in"
