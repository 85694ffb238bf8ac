"""Small things that stopped a teacher: dates, titles, addresses, empty states, questions before what is final."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_notes import NOTE_FOR
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.shell import isolated
from fewshot.app.views.report import name_of
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import SAMPLE_CONSENT, make_consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.live.lettering import transliterate
from fewshot.session.analysis.words import day, moment
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import gather, words
from tests.app.test_lesson import NAMES, Stage
from tests.app.test_live_page import press
from tests.app.test_pages import MAIN, page
from tests.app.test_pages import words as read
from tests.session.test_analysis import drawn

pytestmark = pytest.mark.usefixtures("empty_room")


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


@pytest.mark.parametrize("classes", [0, 1])
def test_a_class_of_my_own_begins_with_its_name_and_not_with_the_sample(classes: int) -> None:
    store = ClassStore()
    for _ in range(classes):
        store.create("Sample class", sample=True)
        store.record_consent("Sample class", "Asha", SAMPLE_CONSENT)
    test = page("classes", **{"class to make": True, "class": "Sample class"})
    assert not test.error and "Create the class" in labels(test) and "invented students" not in read(test)
    next(field for field in test.text_input if field.label == "Name of the new class").set_value("Physics 9b")
    press(test, "Create the class")
    assert not test.error and "Physics 9b" in store.names()
    assert "Create the class" not in labels(test) and test.session_state["class"] == "Physics 9b"


def test_the_name_of_the_next_class_begins_empty() -> None:
    store = ClassStore()
    store.create("Physics 9a")
    test = page("classes")

    def name() -> Any:
        return next(field for field in test.text_input if field.label == "Name of the class")

    name().set_value("Physics 9a")
    press(test, "Create")
    assert test.error and name().value == "Physics 9a"  # it exists: the name is mended, not typed again
    name().set_value("Physics 9b")
    press(test, "Create")
    assert not test.error and "Physics 9b" in store.names() and not name().value


def test_without_a_lesson_that_is_too_old_no_lesson_is_deleted() -> None:
    assert "No lesson is older." in read(page("settings")) and "0 lessons" not in read(page("settings"))


@pytest.mark.parametrize(
    ("view", "label"),
    [
        ("classes", "Create the class"),
        ("enroll", "Create a class"),
        ("report", "Start a lesson"),
        ("live", "Open the page Start"),
        ("settings", "Open the page Live"),
    ],
)
def test_where_there_is_nothing_a_button_leads_on(view: str, label: str) -> None:
    assert label in labels(page(view))


def test_stop_asks() -> None:
    stage = Stage(LessonPlan("physics", "", NAMES, "x"))
    stage.start_in_room()
    test = page("live", **{"class": "physics"})
    assert "Stop" not in labels(test) and "cannot be continued" in read(test) and stage.lesson.alive
    press(test, "End the lesson")
    assert not stage.lesson.alive


def test_a_photo_is_removed_only_after_a_second_click_that_says_it_is_final() -> None:
    store, vector = ClassStore(), np.eye(4, dtype=np.float32)
    photo = Accepted("Asha", "happy", "sha 1", "0f", vector[0], vector[1], 100.0, 0.9, date(2026, 9, 1))
    store.keep("physics", [photo], {"Asha": make_consent("her mother")}, Networks("n", "i", 4, 4))
    script = (
        "from fewshot.app.views.class_student import _card\nfrom fewshot.classroom.store import ClassStore\n"
        "_card(ClassStore(), 'physics', 'Asha')\n"
    )
    test = AppTest.from_string(script, default_timeout=60).run()
    assert "Remove" not in labels(test) and "cannot be undone" in read(test)
    next(button for button in test.button if button.key == "forget surely sha 1").click().run()
    assert not store.roster("physics").students["Asha"].photos


def test_a_note_about_one_moment_goes_and_a_later_one_is_shown_again() -> None:
    now = [100.0]
    stage = Stage()
    stage.lesson = RunningLesson(LessonPlan("physics", "", NAMES, "x"), stage.prepare, lambda: now[0])
    engine = stage.start()
    engine.notes.append("The picture is now 640x480.")
    assert stage.lesson.view().note == "The picture is now 640x480."
    now[0] += NOTE_FOR - 1
    assert stage.lesson.view().note == "The picture is now 640x480."
    now[0] += 2
    assert stage.lesson.view().note is None
    engine.notes.append("And now 320x240.")
    assert stage.lesson.view().note == "And now 320x240."
    stage.lesson.stop()


def test_a_date_does_not_depend_on_the_language_of_the_computer() -> None:
    assert [day(date(2026, month, 9))[3:6] for month in (1, 5, 11, 12)] == ["Jan", "May", "Nov", "Dec"]


def info(**parts: object) -> LessonInfo:
    known = {"id": 1, "classroom": "", "title": "", "started": datetime(2026, 1, 2, 8, 30, tzinfo=UTC), "ended": None}
    rest = {"state": "ended", "source": "x", "network": "n", "sample": False, "seconds": 60.0}
    return LessonInfo(**{**known, **rest, **parts})


def test_exports_give_the_time_that_the_app_shows() -> None:
    lesson = drawn("h" * 30)
    (when,) = [value for what, value in words.facts(gather(lesson)) if what == "When"]
    assert f"{moment(lesson.info.started)[-5:]} (UTC" in when


@pytest.mark.parametrize("name", ["محمد علي", "כיתה א", "Anna محمد"])
def test_a_name_from_right_to_left_stands_for_itself(name: str) -> None:
    shown = isolated(name)
    assert shown[0] == "\N{FIRST STRONG ISOLATE}" and shown[-1] == "\N{POP DIRECTIONAL ISOLATE}" and name in shown
    assert shown in name_of(info(classroom=name)) and shown in name_of(info(title=name))


@pytest.mark.parametrize("name", ["Asha P.", "李雷", "अनुष्का", ""])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert isolated(name) == name


@pytest.mark.parametrize(
    ("letter", "said"), [("🦊", "(fox face)"), ("😀", "(grinning face)"), ("🏽", ""), ("\ufe0f", "")]
)
def test_an_emoji_is_written_in_words_where_no_font_has_it(letter: str, said: str) -> None:
    assert transliterate(letter) == said


def recorded(title: str) -> int:
    lesson = LessonStore().create("", title=title, source="x")
    LessonStore().end(lesson)
    return lesson


def test_a_report_has_an_address() -> None:
    first, latest = recorded("one"), recorded("two")
    assert page("report").session_state["lesson"] == latest
    test = page("report", {"lesson": str(first)})
    assert test.session_state["lesson"] == first and str(first) in test.query_params["lesson"]
    assert str(first) in page("report", lesson=first).query_params["lesson"]


@pytest.mark.parametrize("seconds", [1, 2, 5])
def test_a_lesson_of_a_few_seconds_has_a_chart_and_a_word_about_it(seconds: int) -> None:
    mood = gather(drawn(*["h" * seconds] * 6)).mood
    shown = mood.time[~np.isnan(mood.share[:, 0])]
    assert len(shown) >= 2 and shown[-1] > shown[0]
    assert "too short to show a change" in words.mood_words(mood)


def test_a_long_lesson_has_no_word_about_its_length() -> None:
    assert "too short" not in words.mood_words(gather(drawn(*["h" * 120] * 6)).mood)


def test_every_page_has_a_title(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    real = __import__("streamlit").set_page_config
    monkeypatch.setattr(
        "streamlit.set_page_config", lambda **said: (titles.append(said.get("page_title", "")), real(**said))[1]
    )
    AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert titles[-1] == "Start · fewshot"
