"""The sentence on top of Live: with names, without them, and the order of the tiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.app.board import Board
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.tiles import board_data
from fewshot.errors import StoreError
from fewshot.session.analysis.findings import Findings
from fewshot.session.analysis.pace import Hint
from fewshot.session.analysis.unlike import Unlike
from tests.app.test_lesson import Stage, step_of, until
from tests.app.test_pages import page, words

pytestmark = pytest.mark.usefixtures("empty_room")

MARKED = "<b>B</b> [x](http://y)"
CLASS = (*(f"Student {number}" for number in range(8)), MARKED)


def stand_out(now: float) -> Findings:
    second = int(now)
    hint = Hint("sad", second - 180, second, 0.6, 0.1, 9, 0.001)
    unlike = tuple(Unlike(name, "sad", 0.8, 0.1, second - 180, 0.01) for name in ("Student 7", MARKED))
    return Findings(second, CLASS, 9, hint, None, unlike)


def lesson_of(second: float = 600.0, **setup: Any) -> Stage:
    stage = Stage(LessonPlan("physics", "", CLASS, "x"), hint=stand_out, **setup)
    stage.start_in_room().tell(step_of(second, CLASS))
    return stage


def test_the_sentence_stands_on_top_once_with_its_evidence_and_is_marked_once() -> None:
    stage = lesson_of()
    shown = words(page("live", **{"class": "physics"}))
    assert "5 of 9 look sad, 1 usually: harder than it seemed?" in shown
    assert "More sad faces than usual in the last 3 minutes: 60 % of 9 students" in shown
    assert "7:00 to 10:00" in shown and "How sure: very unlikely to be chance" in shown
    for second in (605.0, 611.0, 617.0):
        stage.engines[0].tell(step_of(second, CLASS))
        page("live", **{"class": "physics"})
    assert [text for _, _, text in stage.memory.marks] == ["Hint: 5 of 9 look sad, fewer than 5 usually"]
    assert stage.lesson.view().markers == ((600.0, "Hint: 5 of 9 look sad, fewer than 5 usually"),)


def test_names_with_markup_are_shown_as_they_are_written() -> None:
    lesson_of()
    test = page("live", **{"class": "physics"})
    shown = words(test)
    assert "Perhaps ask: Student 7, &lt;b&gt;B&lt;/b&gt; [x](http://y) (unlike their own usual since 7:00)" in shown
    why = "\n".join(element.value for element in test.markdown)
    assert "\\[x\\]" in why and "[x](http://y)" not in why and "<b>B" not in why.replace("\\<b", "")


def test_a_name_is_gone_at_once_when_consent_is_withdrawn() -> None:
    present = [set(CLASS)]
    stage = lesson_of(look=lambda: present[0])
    assert "Perhaps ask: Student 7, " in words(page("live", **{"class": "physics"}))
    present[0] = set(CLASS) - {"Student 7"}
    until(lambda: not stage.lesson.may_name("Student 7"))
    shown = words(page("live", **{"class": "physics"}))
    assert "Student 7" not in shown and "Perhaps ask: &lt;b&gt;B" in shown
    assert "Student 7" not in stage.lesson.glance().attention


def test_the_whole_class_view_names_nobody() -> None:
    lesson_of()
    shown = words(page("live", {"names": "hidden"}, **{"class": "physics"}))
    assert "5 of 9 look sad, fewer than 5 usually" in shown
    assert "Student" not in shown and "Perhaps ask" not in shown and "&lt;b" not in shown
    assert "before that 10 %" not in shown  # 10 % of 9 students is one of them


@pytest.mark.parametrize("names", ["shown", "hidden"])
@pytest.mark.parametrize("second", [600.0, 1.0])
def test_the_page_says_what_it_says_of_the_pace_once(names: str, second: float) -> None:
    stage = lesson_of(second)
    calm = Findings(int(second), CLASS, 9, None, None, ())
    stage.lesson._setup = replace(stage.lesson._setup, hint=lambda _now: calm)  # type: ignore[type-var]
    shown = words(page("live", {"names": names}, **{"class": "physics"})).casefold()
    assert shown.count("nothing unusual") + shown.count("hints start after") == 1


def test_a_marker_that_cannot_be_stored_does_not_stop_the_page() -> None:
    stage = lesson_of()

    def refuse(*_: object) -> int:
        raise StoreError("The disk is full.")

    stage.memory.mark = refuse  # type: ignore[method-assign]
    test = page("live", **{"class": "physics"})
    assert not test.exception and "5 of 9 look sad" in words(test) and stage.lesson.view().markers == ()


def test_tiles_are_sorted_by_name_or_by_attention() -> None:
    stage = lesson_of()
    test = page("live", **{"class": "physics"})
    (order,) = [radio for radio in test.radio if radio.label == "Sort the tiles"]
    assert order.value == "by name"
    order.set_value("by attention").run()
    assert not test.exception and not test.error
    view = stage.lesson.view().board
    assert [row[0] for row in board_data(view)["tiles"]] == list(CLASS)
    first = stage.lesson.glance().attention
    assert [row[0] for row in board_data(view, first=first)["tiles"]] == ["Student 7", MARKED, *CLASS[:7]]


def test_an_order_of_nobody_or_of_strangers_changes_nothing() -> None:
    view = Board(CLASS).view()
    assert board_data(view, first=("Nobody",)) == board_data(view) and board_data(Board(()).view())["tiles"] == []
