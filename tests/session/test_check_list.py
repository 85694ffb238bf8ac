"""The check-in list: what nobody closed is carried to next week, what was closed is not, names stay where allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.lesson import CheckInAnswer, Lesson
from fewshot.session.report import Contents, gather, words
from fewshot.session.report.contents import with_answers
from fewshot.session.report.html import html_report

SAD, ANGRY = {"sad": 0.8}, {"angry": 0.8}
USUAL = [make_lesson(12, 900, 5, number=number) for number in range(1, 6)]
LAST = make_lesson(12, 900, 5, number=6, unlike={"Fatima": SAD, "Bela": ANGRY})
TODAY = make_lesson(12, 900, 5, number=7, unlike={"Fatima": {"fear": 0.8}, "Hana": ANGRY})


def answer(lesson: Lesson, student: str, late: float = 0.0) -> CheckInAnswer:
    """An answer that was given some days after the lesson."""
    made = lesson.info.started + timedelta(days=late, hours=1)
    return CheckInAnswer(lesson.info.id, student, "asked, fine", "her secret note", made)


def listed(contents: Contents) -> list[tuple[str, bool, bool]]:
    """Name, carried on, closed."""
    return [(item.student, item.carried, item.answer is not None) for item in contents.items]


def test_what_nobody_closed_is_on_next_weeks_list() -> None:
    before = gather(LAST, USUAL)
    assert {item.student for item in before.items} == {"Bela", "Fatima"}
    contents = gather(TODAY, [*USUAL, LAST])
    assert listed(contents) == [("Fatima", False, False), ("Hana", False, False), ("Bela", True, False)]
    fatima, _, bela = contents.items
    assert fatima.lessons == (7, 6) and bela.lessons == (6,)
    assert bela.lines == tuple(line for line in before.checks.found if line.student == "Bela")
    assert "in that lesson, " in words.item_words(bela)[0] and "in this lesson, " in words.item_words(fatima)[0]
    assert words.item_state(bela).startswith("Still open, from the lesson of")
    assert words.item_state(fatima).startswith("Open, also from")


def test_the_order_of_the_earlier_lessons_does_not_matter() -> None:
    assert gather(TODAY, [LAST, *USUAL[::-1]]).items == gather(TODAY, [*USUAL, LAST]).items


def test_what_was_closed_before_the_lesson_is_not_carried_on() -> None:
    asked = replace(LAST, answers=[answer(LAST, "Bela"), answer(LAST, "Fatima")])
    contents = gather(TODAY, [*USUAL, asked])
    assert listed(contents) == [("Fatima", False, False), ("Hana", False, False)]
    assert contents.items[0].lessons == (7,)


def test_what_is_closed_from_the_list_stays_on_it_and_can_be_opened_again() -> None:
    contents = gather(TODAY, [*USUAL, LAST])
    late = 7.1
    closed = with_answers(
        contents, [answer(LAST, "Bela", late), answer(LAST, "Fatima", late), answer(TODAY, "Fatima", 0.1)]
    )
    assert listed(closed) == [("Fatima", False, True), ("Hana", False, False), ("Bela", True, True)]
    assert closed.items[0].lessons == (7, 6), "opening it again opens both"
    assert with_answers(closed, []).items == contents.items


def test_an_old_check_in_is_not_carried_for_ever() -> None:
    months = replace(TODAY, info=replace(TODAY.info, started=TODAY.info.started + timedelta(days=30)))
    assert [item.student for item in gather(months, [*USUAL, LAST]).items] == ["Fatima", "Hana"]


def test_the_sentence_on_top_asks_only_for_who_is_open() -> None:
    contents = gather(TODAY, [*USUAL, LAST])
    assert "Fatima, Hana, Bela, unlike their own usual, in this lesson or one before" in words.lead(contents)[2]
    late = 7.1
    some = with_answers(contents, [answer(TODAY, "Fatima", 0.1), answer(LAST, "Bela", late)])
    assert words.lead(some)[2] == "Perhaps ask how they are: Hana, unlike their own usual."
    everybody = [answer(TODAY, "Fatima", 0.1), answer(TODAY, "Hana", 0.1), answer(LAST, "Bela", late)]
    assert words.lead(with_answers(contents, everybody))[2] == "3 check-ins on the list: closed."


def test_files_say_that_it_is_closed_and_never_the_note() -> None:
    pytest.importorskip("vl_convert")
    html = html_report(gather(replace(TODAY, answers=[answer(TODAY, "Hana")]), [*USUAL, LAST]))
    assert "Asked, fine (" in html and "Still open, from the lesson of" in html and "secret note" not in html


def test_the_whole_class_view_has_no_list() -> None:
    contents = gather(TODAY, [*USUAL, LAST], aggregate=True)
    assert not contents.items and not contents.recent and not contents.numbers and not contents.past
