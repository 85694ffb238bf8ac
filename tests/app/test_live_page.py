"""The page Live without a browser: a lesson that runs is made up, the store is a real one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.memory import Remembered
from fewshot.app.views.class_student import undo_correction
from fewshot.app.webrtc import BrowserCamera
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import make_consent
from fewshot.classroom.corrections import learn, learned
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.room import Classroom
from fewshot.session.lessons import LessonStore
from tests.app.test_lesson import NAMES, Stage, step_of, until
from tests.app.test_pages import MAIN, page, words

pytestmark = pytest.mark.usefixtures("empty_room")


def teach(*classes: str) -> list[Stage]:
    """A lesson of each class, running, with everybody in view."""
    stages = [Stage(LessonPlan(name, "", NAMES, "x")) for name in classes]
    for stage in stages:
        stage.start_in_room().tell(step_of(1.0))
    return stages


def press(test, label: str):  # type: ignore[no-untyped-def]
    (button,) = [button for button in test.button if button.label == label]
    return button.click().run()


def enrolled(name: str) -> ClassStore:
    """A class with vectors, and an earlier lesson in which two readings were corrected."""
    store = ClassStore()
    vector = np.eye(4, dtype=np.float32)
    photos = [
        Accepted(who, "neutral", f"sha {who}", "0f", vector[0], vector[1], 100.0, 0.9, make_consent("x").day)
        for who in NAMES
    ]
    store.keep(name, photos, {who: make_consent("the parents") for who in NAMES}, Networks("n", "i", 4, 4))
    lesson = LessonStore().create(name, students=NAMES)
    learn(store.database, name, lesson, "Asha", 3.0, "sad", vector[2], "happy")
    learn(store.database, name, lesson, "Ben", 9.0, "concentrating", vector[3], None)
    return store


@pytest.mark.parametrize("advice", [(), ("SCRFD is missing. Click there.", "So is the recogniser.")])
def test_a_weaker_model_is_said_on_the_live_page(advice: tuple[str, ...]) -> None:
    stage = Stage(LessonPlan("physics", "", NAMES, "x"), advice=advice)
    stage.start_in_room()
    assert [text in words(page("live", **{"class": "physics"})) for text in advice] == [True] * len(advice)
    assert stage.lesson.view().advice == advice
    stage.lesson.stop()


def test_corrections_of_an_earlier_session_are_undone_from_the_live_page() -> None:
    store = enrolled("physics")
    (stage,) = teach("physics")
    stage.memory = Remembered(LessonStore(), Classroom.open("physics"))  # type: ignore[assignment]
    stage.lesson._setup = stage.prepare()
    test = page("live", **{"class": "physics"})
    assert not test.exception and not test.error
    assert "Asha</b>: sad, not happy" in words(test) and "Ben</b>: concentrating, not unsure" in words(test)
    first, second = [button for button in test.button if button.label == "Undo"]
    assert first.key != second.key
    first.click().run()
    assert [one.student for one in learned(store.database, "physics")] == ["Asha"]
    assert "Ben</b>: concentrating" not in words(page("live", **{"class": "physics"}))
    assert store.vectors("physics").supports_of("Ben").vectors.shape == (1, 4)  # type: ignore[union-attr]


def test_corrections_are_on_the_students_card_too_and_the_lesson_that_runs_is_told() -> None:
    store = enrolled("physics")

    def script() -> None:
        from fewshot.app.views.class_student import _card
        from fewshot.classroom.store import ClassStore

        _card(ClassStore(), "physics", "Asha")

    test = AppTest.from_function(script, default_timeout=60).run()
    assert not test.exception and "predicted: happy" in words(test)
    press(test, "Undo")
    assert [one.student for one in learned(store.database, "physics")] == ["Ben"]

    (stage,) = teach("physics")
    undone: list[int] = []
    stage.memory.undo = undone.append  # type: ignore[method-assign]
    (ben,) = learned(store.database, "physics")
    undo_correction(store, "physics", ben.id)
    assert undone == [ben.id]  # by the lesson, whose loop reads on without it


def test_a_projector_shows_the_whole_class_without_names_and_buttons() -> None:
    enrolled("physics")
    (stage,) = teach("physics")
    test = page("live", **{"class": "physics"})
    stage.lesson.mark("Hint: 10 of 49 look sad")
    stage.lesson.mark("break")
    assert "Pause" in [button.label for button in test.button]
    assert "10 of 49" in words(page("live", **{"class": "physics"}))
    press(test, "For the projector")
    assert not test.exception and not test.error
    assert "break" in words(test) and "10 of 49" not in words(test)  # a hint is for the teacher
    assert [button.label for button in test.button] == ["Leave"]
    assert not [name for name in NAMES if name in words(test)]
    assert "on" in test.query_params["projector"]
    press(test, "Leave")
    assert "Pause" in [button.label for button in test.button] and "projector" not in test.query_params
    stage.lesson.stop()


def test_the_last_marker_is_undone_from_the_live_page() -> None:
    (stage,) = teach("")
    stage.lesson.mark("![x](http://y)")
    test = page("live")
    assert "![x](http://y)" in words(test)
    press(test, "Undo the last marker")
    assert not test.exception and stage.memory.marks == [] and "![x]" not in words(test)
    assert "Undo the last marker" not in [button.label for button in test.button]


def test_a_fresh_tab_joins_the_only_lesson_says_so_and_may_leave_it() -> None:
    (stage,) = teach("physics")
    test = page("live")
    assert not test.exception and not test.error
    assert "You have joined a lesson that is already running" in words(test) and "class: physics" in words(test)
    press(test, "Stay and watch")
    assert "You have joined" not in words(test) and "<h1>physics</h1>" in words(test)

    other = page("live")
    press(other, "Leave and choose another lesson")
    assert "<h1>Watch a lesson</h1>" in words(other) and stage.lesson.alive
    press(other, "physics")  # chosen now: nothing more to say
    assert "<h1>physics</h1>" in words(other) and "You have joined" not in words(other)
    stage.lesson.stop()


def test_of_two_lessons_the_teacher_chooses_and_a_reload_finds_its_own() -> None:
    maths, _ = teach("maths", "latin")
    test = page("live")
    assert "<h1>Watch a lesson</h1>" in words(test)
    press(test, "latin")
    assert "<h1>latin</h1>" in words(test)
    again = page("live", {"lesson": test.query_params["lesson"]})
    assert "<h1>latin</h1>" in words(again) and "You have joined" not in words(again)
    assert maths.lesson.token not in str(test.query_params)


def test_a_page_whose_lesson_ended_meanwhile_says_so_until_a_new_one_is_begun() -> None:
    (stage,) = teach("physics")
    address = {"lesson": stage.lesson.token}
    over = "The lesson that this page showed has ended"
    assert over not in words(page("live", address)) and over not in words(page("live"))
    stage.lesson.stop()
    assert over in words(page("live", address))  # as after a restart of fewshot, when a page connects again
    ended = page("live", address, **{"class": "physics"})
    press(ended, "New lesson")
    assert "<h1>Watch a lesson</h1>" in words(ended) and over not in words(ended)
    assert "lesson" not in ended.query_params


def test_a_page_that_is_loaded_again_before_the_lesson_keeps_its_window() -> None:
    first = page("live")
    window, token = first.session_state["shared window"], first.session_state["shared window"].token
    assert token in first.query_params["window"]
    again = page("live", {"window": token})
    assert again.session_state["shared window"] is window
    window.taking = True  # a lesson has taken it
    assert page("live", {"window": token}).session_state["shared window"] is not window


def test_a_class_that_another_teacher_has_a_lesson_with_is_joined_and_it_is_said() -> None:
    teach("physics")
    test = page("live", **{"class": "physics"})  # looked at on the page Class
    assert "You have joined a lesson that is already running" in words(test)


def test_who_goes_to_another_page_is_told_that_the_lesson_waits_for_the_camera() -> None:
    (stage,) = teach("physics")
    camera = BrowserCamera()
    stage.lesson.plan = replace(stage.lesson.plan, sent=camera)
    test = AppTest.from_file(str(MAIN), default_timeout=60)
    test.session_state["tab"] = "this tab"
    assert camera.may_send("this tab")
    assert "waits for its camera" in words(test.run())
    camera.owner = "another tab"
    assert "waits for its camera" not in words(test.run())
    camera.owner = "this tab"
    stage.lesson.stop()
    assert "waits for its camera" not in words(test.run())


def test_a_consent_without_a_name_names_the_field() -> None:
    store = enrolled("physics")

    def script() -> None:
        from fewshot.app.views.class_student import _card
        from fewshot.classroom.store import ClassStore

        _card(ClassStore(), "physics", "Asha")

    test = AppTest.from_function(script, default_timeout=60).run()
    press(test, "Save the consent")
    assert [error.value for error in test.error] == ["Who gave consent? Fill in the field “New consent given by”."]
    assert len(store.consents("physics", "Asha")) == 1


def test_a_student_who_was_removed_meanwhile_leaves_the_page() -> None:
    present = [set(NAMES)]
    stage = Stage(LessonPlan("physics", "", NAMES, "x"), look=lambda: present[0])
    stage.start_in_room().tell(step_of(1.0))
    test = page("live", **{"class": "physics", "picked": stage.lesson.pick("Ben")})
    assert "Ben" in words(test)
    present[0] = set(NAMES) - {"Ben"}
    until(lambda: len(stage.lesson.view().board.tiles) == len(NAMES) - 1)
    assert "Ben" not in words(test.run()) and "picked" not in test.session_state
    stage.lesson.stop()


@pytest.mark.parametrize("aggregate", [False, True])
@pytest.mark.parametrize("second", [1.0, 900.0])
def test_a_small_class_is_not_said_to_be_at_its_usual_pace(aggregate: bool, second: float) -> None:
    stage = Stage(LessonPlan("physics", "", NAMES, "x", aggregate=aggregate))
    stage.start_in_room().tell(step_of(second))
    shown = words(page("live", **{"class": "physics"}))
    assert "cannot be judged" in shown and "nothing unusual" not in shown


@pytest.mark.parametrize("other", ["physics", "maths"])
def test_a_pick_left_open_is_forgotten_with_its_lesson(other: str) -> None:
    (earlier,) = teach("physics")
    picked = earlier.lesson.pick("Ben")
    earlier.lesson.stop()
    (later,) = teach(other)
    test = page("live", **{"class": other, "picked": picked})
    assert not test.exception and "picked" not in test.session_state and later.memory.vectors == {}
    assert "did the student really show?" not in words(test)
    test = page("live", **{"class": other, "picked": later.lesson.pick("Ben")})
    assert "did the student really show?" in words(test)


def test_before_a_lesson_stands_what_can_be_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.app.views import live_setup

    monkeypatch.setattr(live_setup, "_reliable", lambda: ("happy", "surprise"))
    shown = words(page("live"))
    assert "Without photos, you can rely on: happy, surprise. Other states need photos" in shown
    assert "Students of this class with photos" not in shown
    monkeypatch.setattr(live_setup, "_reliable", lambda: ())
    assert "you can rely on" not in words(page("live"))
