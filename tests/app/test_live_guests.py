"""The page Live and people who are not enrolled: the switch, the tiles, and "Who is this?"."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from made_guests import Room, apart, one, step
from streamlit.testing.v1 import AppTest

from fewshot.app.lesson_parts import LessonPlan
from tests.app.test_lesson import NAMES, Stage, until
from tests.app.test_live_page import press
from tests.app.test_pages import page, words

pytestmark = pytest.mark.usefixtures("empty_room")
COLLECT = "Collect faces of people who are not enrolled"


def lesson(room: Room | None, on: bool = True, students: tuple[str, ...] = NAMES, aggregate: bool = False) -> Stage:
    """A running lesson in which persons 1 and 2 are in view."""
    stage = Stage(LessonPlan("physics", "", students, "x", aggregate=aggregate), enrolls=room)
    stage.start_in_room()
    stage.lesson.guests.switch(on)
    stage.engines[0].tell(step(3.0, *apart(1, 2)))
    if stage.lesson.guests.on:
        until(lambda: len(stage.lesson.guests.view()) == 2)
    return stage


def shown(**state: object) -> AppTest:
    test = page("live", **({"class": "physics"} | state))
    assert not test.exception and not test.error
    return test


def who(test: AppTest, number: int = 1) -> AppTest:
    return next(one for one in test.button if one.key == f"who {number}").click().run()


def field(test: AppTest, kind: str, label: str) -> object:
    return next(one for one in getattr(test, kind) if label in one.label)


def toggles(test: AppTest) -> list[str]:
    return [one.label for one in test.toggle]


def test_it_is_off_until_the_teacher_switches_it_on_and_says_what_it_does() -> None:
    stage = lesson(Room(*NAMES), on=False)
    test = shown()
    assert "Nothing is stored until you have written a name and who gave consent" in words(test)
    assert "People who are not enrolled" not in words(test) and "data:image/png" not in words(test)
    (switch,) = [one for one in test.toggle if one.label == COLLECT]
    assert switch.value is False
    switch.set_value(True).run()
    assert stage.lesson.guests.on
    stage.engines[0].tell(step(4.0, one(1)))
    until(lambda: bool(stage.lesson.guests.view()))
    assert "Person 1" in words(test.run()) and "data:image/png;base64," in words(test)
    (switch,) = [one for one in test.toggle if one.label == COLLECT]
    switch.set_value(False).run()
    assert stage.lesson.guests.view() == () and "data:image/png" not in words(test)


def test_the_switch_is_not_where_nobody_can_be_enrolled() -> None:
    for room, aggregate in ((None, False), (Room(*NAMES), True)):
        stage = lesson(room, aggregate=aggregate)
        assert COLLECT not in toggles(shown())
        stage.lesson.stop()


def test_with_hidden_names_nothing_of_it_is_shown() -> None:
    stage = lesson(Room(*NAMES))
    for chosen in ({}, {"guest": (stage.lesson.token, 1)}):
        test = shown(names_hidden=True, **chosen)
        assert COLLECT not in toggles(test) and "data:image/png" not in words(test)
        assert "not enrolled" not in words(test) and "Who is this?" not in [one.label for one in test.button]


def test_another_tab_sees_and_switches_the_same() -> None:
    stage = lesson(Room(*NAMES))
    one_tab, other = shown(), shown()
    (switch,) = [one for one in other.toggle if one.label == COLLECT]
    assert switch.value is True
    switch.set_value(False).run()
    assert "data:image/png" not in words(one_tab.run()) and not stage.lesson.guests.on


@pytest.mark.parametrize(
    ("name", "by", "said"),
    [
        ("", "her mother", "Write the name"),
        ("Uma", "", "Who gave consent?"),
        ("Uma", "  ", "Who gave consent?"),
        ("Asha", "her mother", "There is a student called Asha"),
        ("![x](http://y)", "her mother", ""),
    ],
)
def test_what_is_missing_stands_above_the_button_and_nothing_is_ticked(name: str, by: str, said: str) -> None:
    room = Room(*NAMES)
    lesson(room)
    test = who(shown())
    assert [box.value for box in test.checkbox] == [False] and test.checkbox[0].label == "happy?"
    field(test, "text_input", "Name of the student").set_value(name)  # type: ignore[attr-defined]
    field(test, "text_input", "Consent given by").set_value(by)  # type: ignore[attr-defined]
    press(test, "Enroll 1 picture")
    assert len(test.error) == (1 if said or room.calls == [] else 0) and "http://" not in words(test)
    if said:
        assert said in test.error[0].value and room.calls == []


def test_a_person_is_named_and_is_a_student_from_then_on() -> None:
    room = Room(*NAMES)
    stage = lesson(room)
    test = who(shown(), 2)
    field(test, "text_input", "Name of the student").set_value("Uma")  # type: ignore[attr-defined]
    field(test, "text_input", "Consent given by").set_value("her mother")  # type: ignore[attr-defined]
    test.checkbox[0].set_value(True)
    press(test, "Enroll 1 picture")
    ((student, states, given),) = room.calls
    assert (student, states, given["consent_by"]) == ("Uma", ["happy"], "her mother")
    assert "Uma" in stage.lesson.plan.students and "guest" not in test.session_state
    assert [guest.number for guest in stage.lesson.guests.view()] == [1] and "Person 2" not in words(test)


def test_another_answer_wins_over_the_box_and_a_picture_can_be_left_out() -> None:
    room = Room(*NAMES)
    stage = lesson(room)
    stage.engines[0].tell(step(9.0, one(1, state="sad")))
    until(lambda: len(stage.lesson.guests.view()[0].crops) == 2)
    test = who(shown())
    field(test, "text_input", "Name of the student").set_value("Uma")  # type: ignore[attr-defined]
    field(test, "text_input", "Consent given by").set_value("her mother")  # type: ignore[attr-defined]
    test.checkbox[0].set_value(True)
    first, second = (box for box in test.selectbox if box.label == "Another answer")
    assert first.value is None and second.value is None
    first.set_value("neutral")
    second.set_value("leave this picture out").run()
    press(test, "Enroll 1 picture")
    assert room.calls[0][1] == ["neutral"]


def test_add_to_a_student_needs_no_consent_again() -> None:
    room = Room(*NAMES)
    lesson(room)
    test = who(shown())
    test.segmented_control[0].set_value("A student of this class").run() if hasattr(test, "segmented_control") else (
        test.button_group[0].set_value(["A student of this class"]).run()
    )
    box = next(box for box in test.selectbox if box.label == "Add to")
    box.set_value("Ben").run()
    assert not [one for one in test.text_input if "Consent" in one.label]
    press(test, "Enroll 1 picture")
    assert room.calls[0][0] == "Ben" and room.calls[0][2]["consent_by"] is None


@pytest.mark.parametrize(("answer", "enrolled"), [("It is Asha: add the pictures", "Asha"), ("Two people", "Uma")])
def test_a_face_like_a_students_is_asked_about(answer: str, enrolled: str) -> None:
    room = Room(*NAMES, looks_like="Asha")
    stage = lesson(room)
    test = who(shown())
    field(test, "text_input", "Name of the student").set_value("Uma")  # type: ignore[attr-defined]
    field(test, "text_input", "Consent given by").set_value("her mother")  # type: ignore[attr-defined]
    press(test, "Enroll 1 picture")
    assert "this face is like that of Asha" in words(test) and "Uma" not in stage.lesson.plan.students
    room.looks_like = "" if enrolled == "Asha" else "Asha"
    next(one for one in test.button if one.label.startswith(answer)).click().run()
    assert [call[0] for call in room.calls] == ["Uma", enrolled] and not test.exception
    assert "data:image/png" in words(test) and "Person 1" not in words(test)


def test_same_person_twice_and_not_a_student() -> None:
    stage = lesson(Room(*NAMES))
    test = who(shown())
    box = next(box for box in test.selectbox if box.label == "Same person twice")
    box.set_value(2).run()
    assert [guest.number for guest in stage.lesson.guests.view()] == [1]
    press(test, "Not a student")
    assert stage.lesson.guests.view() == () and "data:image/png" not in words(test)


@pytest.mark.parametrize("how", ["ends", "fails", "switched off", "reload"])
def test_the_panel_is_open_while_something_happens(how: str) -> None:
    room = Room(*NAMES)
    stage = lesson(room)
    test = who(shown())
    if how == "ends":
        stage.lesson.stop()
        until(lambda: stage.lesson.view().state == "ended")
        assert "Person 1" in words(test.run())
        field(test, "text_input", "Name of the student").set_value("Uma")  # type: ignore[attr-defined]
        field(test, "text_input", "Consent given by").set_value("her mother")  # type: ignore[attr-defined]
        press(test, "Enroll 1 picture")
        assert [call[0] for call in room.calls] == ["Uma"] and not test.exception
        assert "You can still name these people" in words(test)
        stage.lesson.guests.vanish()
    elif how == "reload":
        again = shown()
        assert "Person 1" in words(again) and "Consent given by" not in [one.label for one in again.text_input]
        return
    elif how == "fails":
        stage.engines[0].error = ZeroDivisionError()
        stage.engines[0].stop()
        until(lambda: stage.lesson.view().state == "failed")
    else:
        stage.lesson.guests.switch(False)
    test.run()
    assert not test.exception and "data:image/png" not in words(test) and "guest" not in test.session_state


def test_a_click_of_an_earlier_lesson_opens_nobody() -> None:
    lesson(Room(*NAMES))
    test = shown(guest=("another lesson", 1))
    assert "guest" not in test.session_state and "Consent given by" not in [one.label for one in test.text_input]


def test_a_class_without_students_begins_in_its_first_lesson() -> None:
    room = Room()
    stage = lesson(room, students=())
    test = who(shown())
    field(test, "text_input", "Name of the student").set_value("Uma")  # type: ignore[attr-defined]
    field(test, "text_input", "Consent given by").set_value("her mother")  # type: ignore[attr-defined]
    press(test, "Enroll 1 picture")
    assert stage.lesson.plan.students == ("Uma",) and not test.exception
    assert [tile.student for tile in stage.lesson.view().board.tiles] == ["Uma"]
