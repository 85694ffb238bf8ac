"""Whatever a page shows goes through the catalogue: with a made-up language, no English is left on it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from fewshot.accounts.accounts import Accounts
from fewshot.app.views.settings import DOWNLOAD
from fewshot.app.views.start import LAW
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.session.settings import Settings
from fewshot.translation import LANGUAGES, catalogue

TEXTS = ("caption", "markdown", "info", "warning", "error", "success", "subheader", "toast")
FIELDS = (
    "button", "toggle", "checkbox", "radio", "selectbox", "text_input", "text_area", "number_input", "date_input",
    "tabs", "expander",
)  # fmt: skip
NAMES = {*LANGUAGES.values(), "physics", "Asha", "Anna", "fewshot"}


class Marked:
    """Every message is itself in angle quotes."""

    def get(self, message: str) -> str:
        return f"«{message}»" if message else message

    def counted(self, one: str, number: int) -> str:
        return f"«{one}»"


@pytest.fixture(autouse=True)
def ready(empty_database: Any, fewshot_home: Any, empty_room: None, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_database(fewshot_home)
    monkeypatch.setattr(catalogue, "catalogue", lambda language: Marked())
    # Pieces of other pages, which have tests of their own.
    monkeypatch.setattr("fewshot.app.views.start.legend", lambda: "<p></p>")
    monkeypatch.setattr("fewshot.app.views.class_photo.section", lambda *_: None)
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: "de"))
    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: "UTC"))


def page(call: str) -> AppTest:
    module, _, function = call.rpartition(".")
    script = f"from fewshot.app.shell import calm\nimport fewshot.app.{module} as page\ncalm(page.{function})()\n"
    test = AppTest.from_string(script, default_timeout=60).run()
    assert not test.exception and not test.error
    return test


def english(test: AppTest) -> list[str]:
    """What the page shows outside angle quotes, but names, numbers and icons."""
    texts: list[str] = [str(html.proto.body) for html in test.get("html")]
    texts += [element.value for kind in TEXTS for element in getattr(test, kind)]
    for element in (element for kind in FIELDS for element in getattr(test, kind)):
        texts += [getattr(element, name, "") or "" for name in ("label", "help", "placeholder")]
        texts += [str(option) for option in getattr(element, "options", ())]
    left = []
    for text in texts:
        rest = re.sub(r"(?s)<style>.*?</style>|<[^>]+>|&\w+;|:material/\w+:|\\", " ", text)
        while "«" in rest and rest != (rest := re.sub(r"«[^«»]*»", " ", rest)):
            pass
        rest = re.sub("|".join(map(re.escape, NAMES)), " ", rest)
        if re.search(r"[A-Za-z]{3}", rest):
            left.append(text)
    return left


def a_class() -> None:
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "Asha", make_consent("Anna"))


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("view", ["start", "classes", "enroll"])
def test_no_english_is_left_on_a_page(view: str, filled: bool, acknowledged: bool) -> None:
    if filled:
        a_class()
    if acknowledged:
        Settings(owner=LOCAL_TEACHER).acknowledged = datetime(2026, 9, 1, tzinfo=UTC)
    assert english(page(f"views.{view}.page")) == ([LAW] if view == "start" else [])


def test_no_english_is_left_in_the_settings_but_the_model_card_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.app.views.settings._card", lambda: None)
    Accounts().add("Anna", password="four green plums fell")
    found = english(page("views.settings.page"))
    assert [text for text in found if not text.startswith(("stun:", "/media/", f"«{DOWNLOAD}» ("))] == []


def test_no_english_is_left_on_a_students_card(monkeypatch: pytest.MonkeyPatch) -> None:
    a_class()
    script = (
        "from fewshot.app.shell import calm\nfrom fewshot.app.views import class_student\n"
        "from fewshot.classroom.store import ClassStore\n"
        "calm(class_student._card)(ClassStore(), 'physics', 'Asha')\n"
    )
    test = AppTest.from_string(script, default_timeout=60).run()
    assert not test.exception and not test.error and english(test) == []
