"""The class of real photographs: nothing is concluded about real faces, and whose they are stands on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.lesson_room import LessonRoom
from fewshot.app.sample_pictures import TRY, start_photographs
from fewshot.app.tiles import board_data
from fewshot.classroom.consent import make_consent
from fewshot.demo.portraits import CONSENT, CREDIT, MISSED, PORTRAITS, STATES, thumbnails
from fewshot.errors import UsageError
from fewshot.room import Classroom
from fewshot.session.analysis.findings import Findings
from fewshot.session.lessons import LessonStore
from fewshot.session.stored_words import PHOTOGRAPHS
from tests.app.test_lesson import Stage, step_of
from tests.app.test_live_glance import stand_out
from tests.app.test_pages import page, words

pytestmark = pytest.mark.usefixtures("empty_room")

NOT_SAID = ("Perhaps ask", "look sad", "harder than it seemed", "Nothing unusual", "Why?", "Hint:", "annot judge")


def lesson_of(**setup: Any) -> Stage:
    plan = LessonPlan(PHOTOGRAPHS, "", PORTRAITS, "x", credit=CREDIT, portraits=thumbnails())
    stage = Stage(plan, **setup)
    stage.start_in_room().tell(step_of(600.0, PORTRAITS))
    return stage


def test_a_hint_that_would_be_found_is_not_even_looked_for() -> None:
    looks = []

    def found(now: float) -> Findings:
        looks.append(now)
        return stand_out(now)

    stage = lesson_of(hint=found)
    for whole in (False, True):
        seen = stage.lesson.glance(whole)
        assert (seen.sentence, seen.event, seen.asks, seen.attention, seen.why) == ("", None, "", (), ())
    assert stage.lesson.hint() is None and not looks
    assert not stage.memory.marks and not stage.lesson.view().markers


@pytest.mark.parametrize("hidden", [False, True])
def test_the_page_has_the_credit_and_no_sentence_on_pace_and_nobody_to_ask(hidden: bool) -> None:
    lesson_of(hint=stand_out)
    test = page("live", {"names": "hidden"} if hidden else {}, **{"class": PHOTOGRAPHS})
    shown = words(test)
    assert not test.exception
    assert "Face Research Lab London Set" in shown and "DeBruine" in shown and "CC BY 4.0" in shown
    assert not [said for said in NOT_SAID if said in shown or said in str(test.get("popover"))]
    assert "Sort the tiles" not in [radio.label for radio in test.radio]


def test_the_same_page_of_another_class_has_the_sentence_and_the_order() -> None:
    """The other way round: what the test above looks for is there where it may be."""
    stage = Stage(LessonPlan(PHOTOGRAPHS, "", PORTRAITS, "x"), hint=stand_out)
    stage.start_in_room().tell(step_of(600.0, PORTRAITS))
    test = page("live", **{"class": PHOTOGRAPHS})
    assert "look sad" in words(test) and "Sort the tiles" in [radio.label for radio in test.radio]


@pytest.mark.parametrize("view", ["start", "live"])
def test_a_button_begins_it_with_the_picture_and_without_the_acknowledgement(
    view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: dict[str, Any] = {}
    monkeypatch.setattr("fewshot.app.sample_pictures.start_photographs", lambda: gone.update(started=True))
    monkeypatch.setattr("fewshot.app.views.live_setup.go", lambda page, **given: gone.update(given, page=page))
    test = page(view)
    assert not test.exception and not test.error
    (button,) = (button for button in test.button if button.label == "Try with real photographs")
    button.click().run()
    assert gone == {"started": True, "page": "live", "class": PHOTOGRAPHS, "with_picture": True}


@pytest.mark.parametrize("state", ["sad", "confused", "bored", "", "Happy!"])
def test_no_state_is_made_up_for_a_real_face(state: str) -> None:
    stage = lesson_of()
    stage.lesson._setup = replace(stage.lesson._ready(), states=STATES)
    picked = stage.lesson.pick("P01")
    with pytest.raises(UsageError, match=r"show only neutral and happy.*your own class"):
        stage.lesson.correct(picked, state)
    assert not stage.memory.vectors
    assert stage.lesson.correct(picked, "neutral") == 1


def test_the_panel_offers_what_the_photographs_show_and_no_field() -> None:
    stage = lesson_of()
    stage.lesson._setup = replace(stage.lesson._ready(), states=STATES)
    stage.engines[0].tell(step_of(601.0, PORTRAITS, "sad"))
    test = page("live", **{"class": PHOTOGRAPHS, "picked": stage.lesson.pick("P02")})
    offered = {button.label for button in test.button}
    assert {"neutral", "happy"} <= offered and not {"sad", "confused", "concentrating", "Yes, that is right"} & offered
    assert not test.text_input or "Another state" not in [field.label for field in test.text_input]
    assert " sad, at" in words(test)  # what was predicted is said all the same


def test_tiles_show_the_people_and_other_classes_keep_their_avatars() -> None:
    view = lesson_of().lesson.view()
    rows = board_data(view.board, portraits=view.plan.portraits)["tiles"]
    assert [row[0] for row in rows] == list(PORTRAITS)
    pictures = {row[4].partition("base64,")[2].partition('"')[0] for row in rows}
    assert len(pictures) == 12 and all(len(picture) < 4000 for picture in pictures)  # sent several times per second
    assert all("<svg" in row[4] and "base64" not in row[4] for row in board_data(view.board)["tiles"])
    assert "base64" not in repr(view.plan) and "\\xff\\xd8" not in repr(view.plan)


class Enrolled(Classroom):
    """A class that enrolls without models."""

    def enroll_folder(self, folder: Any, **given: Any) -> Any:
        photos = Path(folder)
        found.update({path.relative_to(photos).as_posix(): path.stat().st_size for path in photos.rglob("*.jpg")})
        self.create()
        names = sorted(path.name for path in photos.iterdir())
        self.store.record_consents(self.name, names, make_consent(given["consent_by"]))
        classes.append(self)

    @property
    def perception(self) -> Any:
        class Nothing:
            network, notes = "none", ()

        return Nothing()

    def loop(self, **_given: Any) -> Any:
        class Loop:
            deny = None

        return Loop()


found: dict[str, int] = {}
classes: list[Classroom] = []


def test_the_lesson_enrolls_one_neutral_photo_each_and_is_kept_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    found.clear()
    classes.clear()
    monkeypatch.setattr("fewshot.app.sample_pictures.Classroom", Enrolled)
    monkeypatch.setattr("fewshot.app.sample_pictures.Pipeline", lambda _loop, _source, sinks: engine_of(sinks))
    room = LessonRoom()
    lesson = start_photographs(room)
    lesson._thread.join(10)
    setup = lesson._setup
    assert setup is not None, lesson.view().note
    assert sorted(found) == [f"{person}/neutral/1.jpg" for person in PORTRAITS] and min(found.values()) > 3000
    students = classes[0].roster().students
    assert {student.consent.given_by for student in students.values()} == {CONSENT}
    assert not lesson.kept and setup.learns and list(setup.states) == list(STATES) and setup.hint(600.0) is None
    assert setup.advice[0] == TRY and all(person in TRY for person in MISSED)
    assert LessonStore().lessons() == [] and PHOTOGRAPHS not in Classroom.open("any").store.names()
    assert lesson.plan.credit == CREDIT


def engine_of(sinks: Any) -> Any:
    from tests.app.test_lesson import Engine

    made = Engine(sinks)
    made.start = lambda: None  # type: ignore[method-assign]
    return made
