"""Words that the program itself has stored, in English, and what a reader in another language sees for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.research.simulation.sample_lessons import LESSONS
from fewshot.session.lesson import Marker
from fewshot.session.report import gather, words
from fewshot.session.report.tables import about
from fewshot.session.stored_words import SAMPLE_CLASS, SAMPLE_TITLES, class_word, marker_word, title_word
from fewshot.translation import LANGUAGE


@pytest.fixture
def german() -> Iterator[None]:
    before = LANGUAGE.set("de")
    yield
    LANGUAGE.reset(before)


def test_the_sample_lessons_are_read_in_the_readers_language(german: None) -> None:
    assert {lesson.title for lesson in LESSONS} == set(SAMPLE_TITLES)
    assert [title_word(lesson.title)[:14] for lesson in LESSONS] == ["Beispielstunde"] * len(LESSONS)
    marked = {text for lesson in LESSONS for _, text, _ in lesson.story} - {"Pi"}
    assert not [text for text in marked if marker_word(text) == text]
    assert class_word(SAMPLE_CLASS) == "Beispielklasse"
    assert [word("Physik 8b") for word in (class_word, title_word, marker_word)] == ["Physik 8b"] * 3


@pytest.mark.parametrize("aggregate", [False, True])
def test_a_report_names_stored_markers_in_the_readers_language(german: None, aggregate: bool) -> None:
    lesson = make_lesson(8, 120, 3, [])
    stored = ["Question", "Hint: 10 of 49 look sad, fewer than 5 usually", "mein Wort"]
    lesson = replace(
        lesson,
        info=replace(lesson.info, title=SAMPLE_TITLES[0], classroom=SAMPLE_CLASS),
        markers=[Marker(number, 20.0 * number, text) for number, text in enumerate(stored, 1)],
    )
    contents = gather(lesson, aggregate=aggregate)
    shown = ["Frage", "Hinweis: 10 von 49 wirken traurig, sonst weniger als 5", "mein Wort"]
    assert [marker.text for marker in contents.markers] == shown
    assert words.title(contents.info) == "Beispielstunde: Brüche"
    assert "Beispielklasse" in dict(words.facts(contents)).values()
    # Files for programs stay English.
    assert [marker["text"] for marker in about(lesson, aggregate)["markers"]] == stored
