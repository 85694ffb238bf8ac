"""The help in other languages: the same structure as in English, and the words that are on the screen."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

import build_help
from streamlit.testing.v1 import AppTest

from fewshot.app.views import help as view
from fewshot.translation import ENGLISH, LANGUAGES
from fewshot.translation.catalogue import catalogue

TRANSLATED = [
    (name, language)
    for language in LANGUAGES
    for name in build_help.PAGES
    if language != ENGLISH and (build_help.SOURCE / language / f"{name}.md").is_file()
]
SCRIPT = """
from fewshot.app.views.help import page
from fewshot.translation import LANGUAGE

LANGUAGE.set("{language}")
page()
"""


def structure(text: str) -> dict[str, int]:
    """How much of everything that is not words a page has."""
    kinds = {
        "heads": r"^#+ ",
        "list": r"^ *(?:[-*]|\d+\.) ",
        "cells": r"(?<!^)\|",
        "code": r"^ *```",
        "notes": r"^!!! ",
    }
    return {kind: len(re.findall(pattern, text, re.MULTILINE)) for kind, pattern in kinds.items()}


@pytest.mark.parametrize(("name", "language"), TRANSLATED)
def test_a_translation_has_the_parts_of_the_english_page(name: str, language: str) -> None:
    text, _ = build_help.translation(name, language)
    assert structure(text) == structure(build_help.source(name))
    code = r"```\w*\n(.*?)```"
    assert len(re.findall(code, text, re.DOTALL)) == len(re.findall(code, build_help.source(name), re.DOTALL))


@pytest.mark.parametrize(("name", "language"), TRANSLATED)
def test_bold_words_of_a_translation_are_on_the_screen(name: str, language: str) -> None:
    text, _ = build_help.translation(name, language)
    words = re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)
    forms = [*catalogue(language).messages.values(), *chain(*catalogue(language).counting.values())]
    screen = [" ".join(form.split()) for form in forms]  # French has spaces that do not break
    assert words
    assert [word for word in words if not any(" ".join(word.split()) in string for string in screen)] == []


def test_a_translation_is_shown_and_a_missing_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "help" / "de").mkdir(parents=True)
    for topic in view.TOPICS:
        (tmp_path / "help" / f"{topic}.html").write_text("<main>\nin English\n</main>", encoding="utf-8")
    german = tmp_path / "help" / "de" / "enroll-students.html"
    german.write_text("<main>\nauf Deutsch\n</main>", encoding="utf-8")
    monkeypatch.setattr(view, "files", lambda _: tmp_path)
    assert shown("de") == ("auf Deutsch", [])
    german.write_text(f"<main {build_help.BEHIND}>\nauf Deutsch\n</main>", encoding="utf-8")
    words, notes = shown("de")
    assert words == "auf Deutsch" and len(notes) == 1
    words, others = shown("fr")
    assert words == "in English" and len(others) == 1 and others != notes
    assert shown("en") == ("in English", [])


def shown(language: str) -> tuple[str, list[str]]:
    """The text of the page, and the lines above it."""
    test = AppTest.from_string(SCRIPT.replace("{language}", language), default_timeout=60).run()
    assert not test.exception
    last = str(test.get("html")[-1].proto.body)
    assert f'lang="{"de" if "Deutsch" in last else "en"}"' in last
    return re.sub(r"<[^>]+>", "", last).strip(), [caption.value for caption in test.caption]


def test_a_page_that_changed_since_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build_help, "SOURCE", tmp_path)
    (tmp_path / "de").mkdir()
    (tmp_path / "watch-a-call.md").write_text("# Watch a call\n", encoding="utf-8")
    mark = f"<!-- translates watch-a-call.md {build_help.digits('watch-a-call')} -->\n\n"
    path = tmp_path / "de" / "watch-a-call.md"
    path.write_text(mark + "# Einen Anruf ansehen\n", encoding="utf-8")
    assert build_help.translation("watch-a-call", "de") == ("# Einen Anruf ansehen\n", False)
    (tmp_path / "watch-a-call.md").write_text("# Watch a call\n\nMore.\n", encoding="utf-8")
    assert build_help.translation("watch-a-call", "de")[1]
    path.write_text("# Ohne Zeile\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"translates watch-a-call\.md [0-9a-f]{8}"):
        build_help.translation("watch-a-call", "de")
