"""Every page without a browser (Streamlit's AppTest): what it shows, and that faults become sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

import fewshot.app
from fewshot.app import shell
from fewshot.app.lesson_room import ROOM
from fewshot.classroom.class_rows import Networks, class_of
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import UsageError
from fewshot.session.settings import Settings

MAIN = Path(fewshot.app.__file__).with_name("main.py")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No background loading, and no lesson left over."""
    monkeypatch.setattr("fewshot.app.warm._load", lambda: None)
    yield
    ROOM.close()
    ROOM._lessons.clear()


def page(view: str, query: dict[str, str] | None = None, **state: object) -> AppTest:
    """One page, run alone as the navigation runs it; ``query`` stands in its address."""
    script = (
        "import streamlit as st\nfrom importlib import import_module\nfrom fewshot.app.shell import calm, say_now\n"
        f"say_now()\ncalm(import_module('fewshot.app.views.{view}').page)()\n"
    )
    test = AppTest.from_string(script, default_timeout=60)
    for name, value in (query or {}).items():
        test.query_params[name] = value
    for name, value in state.items():
        test.session_state[name] = value
    return test.run()


def words(test: AppTest) -> str:
    """Everything that can be read on the page."""
    kinds = ("markdown", "caption", "info", "warning", "error", "success", "subheader", "title")
    texts = [element.value for kind in kinds for element in getattr(test, kind)]
    return "\n".join([*texts, *(str(html.proto.body) for html in test.get("html"))])


def test_the_first_page_names_the_law_and_keeps_the_acknowledgement() -> None:
    test = page("start")
    assert not test.exception and "Article 5(1)(f)" in words(test) and "not a feeling" in words(test)
    (button,) = [button for button in test.button if "I have read this" in button.label]
    button.click().run()
    assert Settings().acknowledged is not None and "Acknowledged on" in words(test)


@pytest.mark.parametrize("view", ["classes", "enroll", "live", "report", "settings", "help"])
def test_every_page_opens_on_a_machine_where_nothing_was_done_yet(view: str) -> None:
    test = page(view)
    assert not test.exception and not test.error and words(test)


def test_without_acknowledgement_no_lesson_starts() -> None:
    test = page("live")
    (start,) = [button for button in test.button if button.label == "Start the lesson"]
    assert start.disabled and "where this may not be used" in words(test)
    Settings().acknowledged = datetime.now(UTC)
    (start,) = [button for button in page("live").button if button.label == "Start the lesson"]
    assert not start.disabled


@pytest.mark.parametrize(("network", "said"), [("drawn:identity", True), ("w600k_mbf", False)])
def test_a_class_without_the_face_recogniser_says_so_and_names_the_clicks(network: str, said: bool) -> None:
    store = ClassStore()
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother", None))
    with store.database.write() as session:
        Networks("drawn", network, 8, 16).write_to(class_of(session, LOCAL_TEACHER, "physics"))
    shown = words(page("classes"))
    assert ("built-in network" in shown and "Download the missing models" in shown) == said
    assert "type:" not in shown


def test_a_class_is_made_and_its_students_are_on_the_page() -> None:
    test = page("classes")
    test.text_input[0].set_value("Physics")
    next(button for button in test.button if button.label == "Create").click().run()
    assert ClassStore().names() == ["Physics"] and not test.error
    ClassStore().record_consent("Physics", "Asha", make_consent("her mother"))
    assert "1 student, 1 with consent on file, 1 without a photo" in words(page("classes"))


def test_a_name_that_cannot_be_one_is_a_sentence() -> None:
    test = page("classes")
    test.text_input[0].set_value("a/b")
    next(button for button in test.button if button.label == "Create").click().run()
    assert "cannot be the name of a class" in test.error[0].value and ClassStore().names() == []


def test_deleting_asks_for_the_name() -> None:
    ClassStore().create("Physics")
    test = page("classes")
    (delete,) = [button for button in test.button if button.label == "Delete permanently"]
    assert delete.disabled
    (sure,) = [field for field in test.text_input if "To confirm" in field.label]
    sure.set_value("Physics").run()
    next(button for button in test.button if button.label == "Delete permanently").click().run()
    assert ClassStore().names() == []


def test_settings_are_kept() -> None:
    test = page("settings")
    test.toggle[0].set_value(True)
    next(button for button in test.button if button.key == "save privacy").click().run()
    assert Settings().aggregate_only and not test.error
    test = page("live")
    (whole,) = [toggle for toggle in test.toggle if "Whole class only" in toggle.label]
    assert whole.value and whole.disabled


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UsageError("There is no class. Make one."), "There is no class. Make one."),
        (UsageError("No lesson.", hint="Type: fewshot lessons"), "No lesson. The page Report lists all lessons."),
        (UsageError("No pandas.", hint="Type: pip install pandas"), "No pandas."),
        (KeyError("secret"), shell.SORRY),
    ],
)
def test_faults_become_sentences(error: Exception, said: str) -> None:
    def script(error: Exception) -> None:
        from fewshot.app.shell import calm

        def fails() -> None:
            raise error

        calm(fails)()

    test = AppTest.from_function(script, kwargs={"error": error}).run()
    assert [shown.value for shown in test.error] == [said] and not test.exception


def test_the_main_script_has_all_pages() -> None:
    test = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not test.exception and not test.error
    assert set(test.session_state["pages"]) == {"start", "classes", "enroll", "live", "report", "settings", "help"}
