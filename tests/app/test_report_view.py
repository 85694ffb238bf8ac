"""The page Report without a browser: its address, one student's lesson, check-ins that close, what can be undone."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("altair", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.app.reports import REPORTS
from fewshot.app.shell import isolated, plain
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import make_consent
from fewshot.classroom.corrections import learn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import EMOTIONS, FrameResult, Reading
from tests.app.test_live_page import press
from tests.app.test_pages import page, words
from tests.made_home import made_home

ODD = "Zoë _b_ ![x](y) نور"
NAMES = ["Asha P.", "Bela", "Dora", "Emre", ODD]
SECONDS = 330
LESSONS = (1, 2, 3, 4, 5)


def teach() -> ClassStore:
    """A class with five lessons, a week apart: in the fourth Dora was unlike her usual, in the fifth Bela was."""
    store = ClassStore()
    vector = np.eye(4, dtype=np.float32)
    day = make_consent("x").day
    photos = [Accepted(name, "happy", f"sha {name}", "0f", vector[0], vector[1], 90.0, 0.9, day) for name in NAMES]
    store.keep("physics", photos, {name: make_consent("the parents") for name in NAMES}, Networks("n", "i", 4, 4))
    for number in LESSONS:
        started = datetime.now(UTC) - timedelta(days=7 * (5 - number), minutes=6)
        other = {4: "Dora", 5: "Bela"}.get(number)
        with LessonRecorder.start("physics", NAMES, started=started, title=f"Week {number}", network="n") as recorder:
            for second in range(SECONDS):
                faces = [
                    Reading(place, (0, 0, 9, 9), 0.9, name, 0.6, shown, 0.9, dict.fromkeys(EMOTIONS, 1 / 7))
                    for place, name in enumerate(NAMES)
                    for shown in ["sad" if name == other and second % 5 else "happy" if second % 2 else "neutral"]
                ]
                recorder.write(FrameResult("cam", second, float(second), 64, 48, tuple(faces)))
    return store


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_home(tmp_path_factory, teach)


@pytest.fixture(autouse=True)
def copied(made: Path, fewshot_home: Path, empty_room: None) -> None:
    shutil.copytree(made, fewshot_home)
    REPORTS._known.clear()


def at(**query: object) -> AppTest:
    """The page Report at an address, as after a reload or in a colleague's browser."""
    test = page("report", {name: str(value) for name, value in query.items()})
    assert not test.exception, test.exception
    return test


def address(test: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in test.query_params.items()}


def open_part(test: AppTest, title: str) -> AppTest:
    test.session_state["report part"] = title
    return test.run()


def number_of(name: str) -> int:
    return LessonStore().load(5).numbers[name]


def test_an_address_holds_numbers_and_words_and_brings_the_same_page_back() -> None:
    test = open_part(at(lesson=4), "Check in")
    assert address(test) == {"lesson": "4", "part": "check-in"}
    again = at(**address(test))
    assert again.session_state["report part"] == "Check in" and "more sad than usual" in words(again).lower()
    one = at(lesson=5, part="students", student=number_of(ODD))
    assert plain(isolated(ODD)) in [heading.value for heading in one.subheader]
    assert address(one) == {"lesson": "5", "part": "students", "student": str(number_of(ODD))}
    assert not any(name.split()[0] in str(address(one)) for name in NAMES)


def foreign() -> int:
    anna = LessonStore(owner=Owners().add("Anna"))
    lesson = anna.create("", title="Secret title", source="x")
    anna.end(lesson)
    return lesson


def deleted() -> int:
    LessonStore().delete(3)
    return 3


@pytest.mark.parametrize(("gone", "part"), [(foreign, "check-in"), (deleted, "class"), (lambda: 99, "nonsense")])
def test_a_lesson_that_is_not_here_is_said_and_no_other_one_is_shown(gone, part: str) -> None:  # type: ignore[no-untyped-def]
    number = gone()
    test = at(lesson=number, part=part)
    (said,) = [warning.value for warning in test.warning]
    assert said == (
        f"There is no lesson {number} here: it was deleted, it belongs to another login, or it never was. Choose a "
        "lesson above."
    )
    assert "counted at a time" not in words(test) and "Secret" not in words(test)
    assert address(test)["lesson"] == str(number), "a reload says the same"
    press(test, "Show the latest lesson")
    assert not test.warning and test.session_state["lesson"] == 5 and "counted at a time" in words(test)


@pytest.mark.parametrize("text", ["-1", "²", "1" * 30, "", "![a](http://b)"])
def test_nonsense_in_an_address_is_said(text: str) -> None:
    test = at(lesson=text)
    assert "This address names no lesson" in test.warning[0].value and "counted at a time" not in words(test)
    test.selectbox[0].select(4).run()
    assert test.session_state["lesson"] == 4 and address(test)["lesson"] == "4" and not test.warning


def test_the_back_button_leads_back() -> None:
    test = open_part(at(lesson=4), "Students")
    test.query_params["lesson"], test.query_params["part"] = "5", "class"
    test.run()
    assert test.session_state["lesson"] == 5 and test.session_state["report part"] == "The class"


def test_an_address_without_names_has_none() -> None:
    test = at(lesson=5, part="check-in", names="hidden", student=number_of("Bela"))
    assert [tab.label for tab in test.tabs] == ["The class", "Over weeks", "Download"]
    assert not any(name in words(test) for name in NAMES) and address(test)["names"] == "hidden"
    test.toggle[0].set_value(False).run()
    assert "names" not in address(test) and len(test.tabs) == 5
    Settings().aggregate_only = True
    test = at(lesson=5)
    assert test.toggle[0].disabled and not any(name in words(test) for name in NAMES)


def test_students_stand_in_the_order_of_their_difference_and_one_leads_to_their_lesson() -> None:
    test = at(lesson=5, part="students")
    names = test.selectbox[1].options
    assert names[:2] == ["All students", "Bela"] and set(names[1:]) == {isolated(name) for name in NAMES}
    test.selectbox[1].select_index(1).run()
    assert address(test)["student"] == str(number_of("Bela"))
    text = words(test)
    assert "Bela" in [heading.value for heading in test.subheader] and "In view 5:30" in text.replace("\\", "")
    assert "More sad than usual" in text and "Open" in text
    test.selectbox[1].select_index(0).run()
    assert "student" not in address(test) and "The students in numbers" in [one.label for one in test.expander]


@pytest.mark.parametrize("student", ["999", "Bela", "-1"])
def test_a_student_who_is_not_there_is_said(student: str) -> None:
    test = at(lesson=5, part="students", student=student)
    assert "not in this lesson, or not any more" in test.warning[0].value
    assert "The students in numbers" in [one.label for one in test.expander]


def test_a_removed_student_leaves_a_report_that_was_open() -> None:
    test = at(lesson=5, part="students", student=number_of("Bela"))
    ClassStore().remove_student("physics", "Bela")
    test.run()
    assert "Bela" not in words(test) and "not any more" in test.warning[0].value


def test_a_renamed_student_has_the_new_name_at_once() -> None:
    test = at(lesson=5, part="check-in")
    assert "Bela" in words(test)
    ClassStore().rename_student("physics", "Bela", "Béla")
    test.run()
    assert "Béla" in words(test) and "Bela" not in words(test)


NOTE = "![x](http://y) tired"


def submit(test: AppTest, label: str, place: int = 0) -> AppTest:
    return [button for button in test.button if button.label == label][place].click().run()


def test_a_check_in_is_carried_on_closed_and_opened_again() -> None:
    test = at(lesson=5, part="check-in")
    text = words(test)
    assert "Perhaps ask how they are: Bela, Dora, unlike their own usual, in this lesson or one before." in text
    assert "Still open, from the lesson of" in text
    test.text_input[0].set_value(NOTE)
    submit(test, "Asked, fine")
    assert not test.error and "Perhaps ask how they are: Dora," in words(test)
    assert "Closed" in [heading.value for heading in test.subheader]
    assert plain(NOTE) in words(test) and "Asked, fine (" in words(test)
    submit(test, "Not needed")
    assert "2 check-ins on the list: closed." in words(test)
    assert [one.answer for one in LessonStore().load(4).answers] == ["not needed"]
    assert "2 check-ins on the list: closed." in words(at(lesson=5)), "another tab, and a reload"
    submit(test, "Open again")
    assert "Perhaps ask how they are: Bela" in words(test) and "tired" not in words(test)


def test_a_check_in_that_was_closed_before_is_not_carried_on() -> None:
    from fewshot.database.lesson_tables import CheckInRow

    test = at(lesson=4, part="check-in")
    submit(test, "Asked, fine")
    with LessonStore().database.write() as session:
        session.query(CheckInRow).one().made = datetime.now(UTC) - timedelta(days=6)
    assert "Dora" not in words(at(lesson=5, part="check-in"))


def test_the_second_of_two_tabs_changes_nothing_and_sees_that_it_is_closed() -> None:
    one, other = at(lesson=5, part="check-in"), at(lesson=5, part="check-in")
    submit(one, "Asked, fine")
    submit(other, "Not needed")
    assert not other.exception and "Asked, fine (" in words(other)
    assert [one.answer for one in LessonStore().load(5).answers] == ["asked, fine"]


def test_a_marker_is_removed_and_put_back() -> None:
    LessonStore().mark(5, 60.0, "Exercise 2")
    test = at(lesson=5)
    press(test, "Remove")
    assert "Exercise 2" not in words(test) and LessonStore().load(5).markers == []
    press(test, "Undo: put the marker at 1:00 back")
    (marker,) = LessonStore().load(5).markers
    assert (marker.second, marker.text) == (60.0, "Exercise 2") and "Exercise 2" in words(test)
    assert not [button for button in test.button if button.label.startswith("Undo: put")]


def test_a_title_is_undone() -> None:
    test = at(lesson=5, part="download")
    test.text_input[0].set_value("Optics")
    press(test, "Rename")
    assert LessonStore().info(5).title == "Optics"
    press(test, "Undo: call it “Week 5” again")
    assert LessonStore().info(5).title == "Week 5"
    assert not [button for button in test.button if button.label.startswith("Undo")]


def test_a_correction_is_undone_from_the_report() -> None:
    store = ClassStore()
    learn(store.database, "physics", 5, "Emre", 61.0, "sad", np.eye(4)[2], "happy")
    test = at(lesson=5, part="students", student=number_of("Emre"))
    assert "1:01" in words(test)
    press(test, "Undo")
    assert [one.undone for one in LessonStore().load(5).corrections] == [True]
    assert "Your corrections" not in [heading.value for heading in test.subheader]
    assert "Your corrections" not in words(at(lesson=5, part="students"))


def test_what_is_final_is_asked_twice_and_said_so() -> None:
    test = at(lesson=5, part="download")
    assert "It cannot be undone" in words(test) and "check-ins" in words(test)
    press(test, "Delete permanently")
    assert [info.id for info in LessonStore().lessons()] == [4, 3, 2, 1]
    assert test.session_state["lesson"] == 4 and address(test)["lesson"] == "4"
