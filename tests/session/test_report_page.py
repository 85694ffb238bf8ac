"""The first page of a report: three sentences, events led by what changed, names only where allowed, method folded."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.analysis.moments import Moment, Moments
from fewshot.session.lesson import Marker
from fewshot.session.report import gather, words
from fewshot.session.report.html import html_report

TWO = ("more surprise", "more happy")
EVENT = Planted(400, 120, "confused", 0.8)
LESSON = make_lesson(12, 900, 3, [EVENT], unlike={"Fatima": {"sad": 0.8}}, number=6)
EARLIER = [make_lesson(12, 900, 3, number=number) for number in range(1, 6)]


def moment(state: str, more: bool, also: tuple[str, ...] = (), risen: tuple[str, ...] = ()) -> Moment:
    return Moment(300, 360, state, more, 0.68, 0.91, 49, 0.002, also, risen)


@pytest.mark.parametrize(
    ("one", "text", "leads", "others"),
    [
        (moment("neutral", False, TWO, ("surprise", "happy")), "More surprise and happy faces", "surprise", ()),
        (moment("unsure", False, ("more sad", "less happy"), ("sad",)), "More sad faces", "sad", ("less happy",)),
        (moment("neutral", False), "Fewer neutral faces", "neutral", ()),
        (moment("neutral", False, TWO), "Fewer neutral faces", "neutral", TWO),
        (moment("neutral", True, ("less sad",)), "More neutral faces", "neutral", ("less sad",)),
        (moment("sad", True, ("more happy",)), "More sad faces", "sad", ("more happy",)),
    ],
)
def test_an_event_is_led_by_what_changed(one: Moment, text: str, leads: str, others: tuple[str, ...]) -> None:
    assert one.text.startswith(text) and one.leads == leads and one.others == others
    assert "68 % of 49 readable students" in one.text and one.text.endswith("91 %")


def test_three_sentences_say_what_was_seen_what_stood_out_and_whom_to_ask() -> None:
    seen, stood_out, ask = words.lead(gather(LESSON, EARLIER))
    assert "In 15 minutes" in seen and "students were counted at a time" in seen and "%" in seen
    assert "more confused faces than usual" in stood_out and re.search(r"\b[67]:\d\d\b", stood_out)
    assert "Fatima" in ask and "how they are" in ask


def test_the_whole_class_view_names_nobody_in_them() -> None:
    sentences = words.lead(gather(LESSON, EARLIER, aggregate=True))
    assert len(sentences) == 3 and not any(name in " ".join(sentences) for name in LESSON.students)


@pytest.mark.parametrize("size", [(0, 0), (3, 5), (12, 90), (30, 400)])
@pytest.mark.parametrize("aggregate", [False, True])
def test_there_is_a_sentence_for_every_lesson(size: tuple[int, int], aggregate: bool) -> None:
    contents = gather(make_lesson(*size), aggregate=aggregate)
    sentences = words.lead(contents)
    assert len(sentences) == (1 if contents.nothing else 3)
    assert all(
        line[0].isupper() and line.endswith(".") and ".." not in line and "nan" not in line for line in sentences
    )


def test_where_nothing_stood_out_it_is_said() -> None:
    contents = replace(gather(LESSON, EARLIER), moments=Moments([], "", 0.05, 400))
    assert words.lead(contents)[1] == "No moment stood out."


def test_of_many_names_three_are_on_top() -> None:
    contents = gather(LESSON, EARLIER)
    (item, *_) = contents.items
    many = [replace(item, student=name) for name in ("A", "B", "C", "D", "E")]
    ask = words.lead(replace(contents, items=many), lambda name: f"<{name}>")[2]
    assert "<A>, <B>, <C> and 2 more" in ask


def test_students_furthest_from_their_usual_come_first_in_every_part() -> None:
    contents = gather(LESSON, EARLIER)
    assert contents.grid is not None and contents.profile is not None
    order = contents.grid.students
    assert order[0] == "Fatima" and sorted(order) == sorted(LESSON.students)
    assert [line.student for line in contents.visible] == order == contents.profile.students
    _, rows = words.student_table(contents)
    assert [row[0] for row in rows] == order
    plain = {row[0]: row for row in words.student_table(gather(LESSON))[1]}
    assert {row[0]: row for row in rows} == plain  # each student keeps their own numbers


def test_without_earlier_lessons_students_are_in_the_order_of_names() -> None:
    contents = gather(LESSON)
    assert contents.grid is not None
    assert contents.grid.students == sorted(LESSON.students, key=str.casefold)


def test_method_and_network_are_folded_away() -> None:
    html = html_report(gather(LESSON, EARLIER))
    folded = html.index(f"<summary>{words.METHOD}")
    assert html.index("made-up 1") > folded and html.index("Wilson") > folded
    assert html.index("Perhaps ask how they are") < html.index("<svg") < html.index("More confused faces")


@pytest.mark.parametrize(
    ("second", "said"),
    [(400.0, "at “x”"), (397.5, "at “x”"), (370.0, "30 seconds after “x”"), (401.0, ""), (90.0, "")],
)
def test_what_begins_with_a_marker_begins_at_it(second: float, said: str) -> None:
    assert words.before([Marker(1, second, "x")], 400) == said


def test_a_marker_before_the_event_is_named() -> None:
    lesson = replace(LESSON, markers=[Marker(1, 380.0, "Exercise 2")])
    assert "Exercise 2" in words.lead(gather(lesson, EARLIER))[1]
