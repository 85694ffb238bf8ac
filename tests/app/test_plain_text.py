"""A word of a user is shown letter by letter: in no title, marker or name does Streamlit find a picture or a link."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.shell import plain
from fewshot.session.lessons import LessonStore
from tests.app.test_lesson import NAMES, Stage
from tests.app.test_pages import page

pytestmark = pytest.mark.usefixtures("empty_room")

NASTY = (
    "![x](http://127.0.0.1:9/x.png)", "[here](http://127.0.0.1:9)", "**bold**", "_quiet_", "`code`", "~~gone~~",
    "$x^2$",
    "<img src=http://127.0.0.1:9>", "# Head", "- item", "1. item", "> quote", ":smile:", ":material/home:", ":red[x]",
    "http://127.0.0.1:9/", "www.example.org", "a@example.org", "&lt;b&gt;", "a\\*b", ":100:",
)  # fmt: skip
PICTURE = NASTY[0]


@pytest.mark.parametrize("text", NASTY)
def test_what_is_marked_is_shown_as_it_was_typed(text: str) -> None:
    made = plain(text)
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", made).replace("\N{WORD JOINER}", "")
    assert shown == text and made != text


@pytest.mark.parametrize("text", ["Asha P.", "anna_1.jpg", "9/10 Maths", "5:30", "Zoë (new)", "", "2 % - 3 %", "محمد"])
def test_usual_words_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


def test_lines_become_one() -> None:
    assert plain("a\n\n# b") == "a # b"


def test_a_title_fetches_nothing_on_any_page() -> None:
    lesson = LessonStore().create("", title=PICTURE, source=PICTURE)
    LessonStore().mark(lesson, 1.0, PICTURE)
    LessonStore().end(lesson)
    stage = Stage(LessonPlan("physics", PICTURE, NAMES, PICTURE))
    stage.start_in_room()
    for view in ("start", "report", "live"):
        test = page(view, **({"class": "physics"} if view == "live" else {}))
        kinds = ("markdown", "caption", "info", "warning", "error", "success", "toast", "table", "button", "subheader")
        texts = [str(getattr(one, "label", "") or one.value) for kind in kinds for one in getattr(test, kind)]
        assert not test.exception and not [text for text in texts if "![x](http:" in text]
