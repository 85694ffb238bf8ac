"""The language of the pages: the browser's, or the one that a teacher chose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("babel", reason="needs the extra app")

import streamlit as st
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from fewshot.app import main
from fewshot.app.language import date_format, name_fields
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.session.settings import Settings
from fewshot.translation import ENGLISH, LANGUAGE, catalogue
from fewshot.translation.words import UNREVIEWED

HEAD = 'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
WORDS = {
    "de": {
        "Browse": "Durchsuchen",
        "More": "Mehr",
        "Settings": "Einstellungen",
        "Open the page Live": "Die Seite Live öffnen",
        UNREVIEWED: "Ungeprüft.",
    },
    "es": {"Settings": "Ajustes"},
}


@pytest.fixture(autouse=True)
def catalogues(
    empty_database: Any, fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_room: None
) -> Iterator[None]:
    """A few words in two languages."""
    empty_database(fewshot_home)
    for name, words in WORDS.items():
        entries = "".join(f'\nmsgid "{english}"\nmsgstr "{text}"\n' for english, text in words.items())
        (tmp_path / f"{name}.po").write_text(HEAD.format(name) + entries, encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.catalogue.cache_clear()
    before = LANGUAGE.set(ENGLISH)
    yield
    LANGUAGE.reset(before)
    catalogue.catalogue.cache_clear()


def browser(monkeypatch: pytest.MonkeyPatch, locale: str | None) -> None:
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: locale))


def settings_page() -> AppTest:
    """The page Settings as the menu runs it, with what stands below each page."""
    script = (
        "from fewshot.app.foot import foot\nfrom fewshot.app.language import read_choice\n"
        "from fewshot.app.shell import calm\n"
        "from fewshot.app.views import settings\nread_choice()\ncalm(settings.page)()\nfoot()\n"
    )
    test = AppTest.from_string(script, default_timeout=60).run()
    assert not test.exception
    return test


def heading(test: AppTest) -> str:
    return str(test.get("html")[0].proto.body)


def captions(test: AppTest) -> list[str]:
    return [caption.value for caption in test.caption]


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("de-AT", "Einstellungen"), ("es", "Ajustes"), ("hi", "Settings"), ("xx", "Settings"), (None, "Settings")],
)
def test_a_page_speaks_the_language_of_the_browser(
    locale: str | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser(monkeypatch, locale)
    assert heading(settings_page()) == f"<h1>{shown}</h1>"


def test_the_chosen_language_holds_at_once_and_later_and_until_it_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser(monkeypatch, "de-DE")
    test = settings_page()
    field = test.selectbox(key="language field")
    assert field.options == ["As the browser", "English", "Deutsch", "हिन्दी", "Español", "Français"]
    field.set_value("es").run()
    assert not test.exception and "Ajustes" in heading(test)
    assert Settings(owner=LOCAL_TEACHER).get("language") == "es" and "Ajustes" in heading(settings_page())
    test.selectbox(key="language field").set_value("").run()
    assert "Einstellungen" in heading(test) and Settings(owner=LOCAL_TEACHER).get("language") is None


def test_a_translation_says_that_nobody_reviewed_it_and_leads_to_english_and_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser(monkeypatch, "de-DE")
    test = settings_page()
    assert "Ungeprüft." in captions(test) and test.button(key="other language").label == "English"
    test.button(key="other language").click().run()
    assert heading(test) == "<h1>Settings</h1>" and "Ungeprüft." not in captions(test)
    assert test.selectbox(key="language field").value == "en"
    assert test.button(key="other language").label == "Deutsch"
    test.button(key="other language").click().run()
    assert "Einstellungen" in heading(test)


def test_an_english_page_has_no_foot(monkeypatch: pytest.MonkeyPatch) -> None:
    browser(monkeypatch, "en-GB")
    assert not [button for button in settings_page().button if button.key == "other language"]


@pytest.mark.parametrize("stored", ["xx", 3, ["de"], ""])
def test_a_setting_that_is_no_language_is_passed_over(stored: object, monkeypatch: pytest.MonkeyPatch) -> None:
    browser(monkeypatch, "de")
    Settings(owner=LOCAL_TEACHER).set("language", stored)
    assert "Einstellungen" in heading(settings_page())


def test_a_part_that_is_drawn_alone_in_another_thread_has_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit runs a fragment, or a click, in a new thread: what the page set before does not count there."""
    browser(monkeypatch, "de")
    script = (
        "from threading import Thread\nimport streamlit as st\n"
        "from streamlit.runtime.scriptrunner import add_script_run_ctx\n"
        "from fewshot.app.shell import calm\nfrom fewshot.translation import tr\n"
        "part = Thread(target=calm(lambda: st.caption(tr('Open the page Live'))))\n"
        "add_script_run_ctx(part)\npart.start()\npart.join()\n"
    )
    test = AppTest.from_string(script, default_timeout=60).run()
    assert captions(test) == ["Die Seite Live öffnen"]


def test_the_menu_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    browser(monkeypatch, "de")
    test = AppTest.from_file(main.__file__, default_timeout=60).run()
    assert not test.exception
    assert "Einstellungen" in [page.title for page in test.session_state["pages"].values()]
    assert [page.url_path for page in test.session_state["pages"].values()][1:] == [name for name, *_ in main.PAGES][1:]


def test_the_law_is_shown_in_english_below_a_translation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fewshot.app.views.start import LAW

    entry = f'\nmsgid "{LAW}"\nmsgstr "Wo das verboten ist."\n'
    (tmp_path / "fr.po").write_text(HEAD.format("fr") + entry, encoding="utf-8")
    browser(monkeypatch, "fr")
    script = "from fewshot.app.shell import calm\nfrom fewshot.app.views.start import page\ncalm(page)()\n"
    test = AppTest.from_string(script, default_timeout=60).run()
    texts = [element.value for element in test.markdown]
    assert "Wo das verboten ist." in texts and LAW in captions(test)
    browser(monkeypatch, "en")
    assert LAW not in captions(AppTest.from_string(script, default_timeout=60).run())


def test_streamlits_own_english_words_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(st, "html", drawn.append)
    before = LANGUAGE.set("en")
    try:
        name_fields()
        assert not drawn and date_format() == "YYYY/MM/DD"
        LANGUAGE.set("de")
        name_fields()
        assert 'content: "Durchsuchen"' in drawn[0] and 'content: "Mehr"' in drawn[0]
        assert date_format() == "DD.MM.YYYY"
    finally:
        LANGUAGE.reset(before)
