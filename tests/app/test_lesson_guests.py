"""Unknown people in a running lesson: naming them, every way in which that goes wrong, and when they are gone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from made_guests import Room, apart, called, one, step

from fewshot.app import lesson_guests
from fewshot.app.lesson_guests import LessonGuests
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.lesson_room import LessonRoom
from fewshot.classroom.consent import make_consent
from fewshot.classroom.roster import Student
from fewshot.database.owner import Owner
from fewshot.errors import SourceError, UsageError
from tests.app.test_lesson import NAMES, Stage, until


class Loop:
    """What takes names from faces."""

    def deny(self, track: int, student: str, denied: bool) -> None: ...


def running(room: Room | None = None, **more: Any) -> Stage:
    """A lesson in which persons 1 and 2 were collected."""
    stage = Stage(enrolls=room or Room(*NAMES), **more)
    stage.start()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(1.0, *apart(1, 2)))
    until(lambda: len(stage.lesson.guests.view()) == 2)
    return stage


def pictures(stage: Stage, number: int = 1) -> dict[int, str | None]:
    guest = stage.lesson.guests.of(number)
    assert guest is not None
    return {crop.id: None for crop in guest.crops}


def expired(room: Room) -> None:
    past = date.today() - timedelta(days=1)
    room.students["Ben"] = Student("Ben", make_consent("x", past, past - timedelta(days=9)))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"student": ""}, "Write the name"),
        ({"student": "  "}, "Write the name"),
        ({"student": "a/b"}, ""),
        ({"student": "Asha"}, "There is a student called Asha in the class already"),
        ({"student": "asha"}, "upper and lower case"),
        ({"student": "Zed", "new": False}, "no longer in the class"),
        ({"student": "Uma", "consent_by": None}, "Who gave consent"),
        ({"student": "Ben", "new": False, "consent_by": None}, "Who gave consent"),
        ({"student": "Uma", "shows": {}}, "All pictures are left out"),
        ({"student": "Uma", "shows": {999: None}}, "Better pictures"),
    ],
    ids=str,
)
def test_what_is_missing_is_a_sentence_and_nothing_is_enrolled(answer: dict[str, Any], said: str) -> None:
    room = Room(*NAMES)
    expired(room)
    stage = running(room)
    given = {"shows": pictures(stage), "by": answer.pop("consent_by", "her mother")} | answer
    with pytest.raises(UsageError, match=said or "."):
        stage.lesson.enroll(1, called(**given))
    assert room.calls == [] and len(stage.lesson.guests.view()) == 2
    stage.lesson.stop()


def test_who_is_named_has_a_tile_and_is_admitted_to_the_record() -> None:
    room, admitted = Room(*NAMES), list[str]()
    stage = running(room)
    stage.notebook.admit = admitted.append  # type: ignore[attr-defined]
    shows = dict.fromkeys(pictures(stage), "happy")
    result = stage.lesson.enroll(1, called("Uma", shows))
    assert result.stands and admitted == ["Uma"] and stage.lesson.plan.students == (*NAMES, "Uma")
    ((name, states, given),) = room.calls
    assert (name, states, given["consent_by"], given["from_camera"]) == ("Uma", ["happy"], "her mother", True)
    assert [guest.number for guest in stage.lesson.guests.view()] == [2]
    stage.engines[0].tell(step(2.0, one(None, student="Uma")))
    assert {tile.student: tile.state for tile in stage.lesson.view().board.tiles}["Uma"] == "happy"
    stage.lesson.stop()


def test_a_student_who_was_not_recognised_gets_the_pictures_without_a_new_consent() -> None:
    room = Room(*NAMES)
    stage = running(room)
    assert stage.lesson.enroll(2, called("Asha", pictures(stage, 2), None, new=False)).stands
    assert stage.lesson.plan.students == NAMES and room.calls[0][0] == "Asha"
    stage.lesson.stop()


def test_a_twin_is_asked_about_and_stays_until_it_is_decided() -> None:
    room = Room(*NAMES, looks_like="Asha")
    stage = running(room)
    result = stage.lesson.enroll(1, called("Uma", pictures(stage)))
    assert not result.stands and result.looks_like == "Asha" and len(stage.lesson.guests.view()) == 2
    assert "Uma" not in stage.lesson.plan.students
    assert stage.lesson.enroll(1, called("Uma", pictures(stage), looks_like="Asha")).stands
    stage.lesson.stop()


@pytest.mark.parametrize("setup", [{}, {"aggregate": True}])
def test_without_a_class_and_in_a_whole_class_lesson_nothing_is_collected(setup: dict[str, bool]) -> None:
    plan = LessonPlan("physics", "", NAMES, "x", **setup)
    stage = Stage(plan, enrolls=Room(*NAMES) if setup else None)
    engine = stage.start()
    stage.lesson.guests.switch(True)
    engine.tell(step(1.0, one(1)))
    stage.lesson.guests.take(engine.latest())
    assert not stage.lesson.guests.on and not stage.lesson.guests.possible and stage.lesson.guests.view() == ()
    with pytest.raises(UsageError, match="no longer in memory"):
        stage.lesson.enroll(1, called("Uma", {1: None}))
    stage.lesson.stop()


def crash(stage: Stage) -> None:
    stage.engines[0].error = SourceError("The camera is gone.")
    stage.engines[0].stop()
    until(lambda: stage.lesson.view().state == "failed")


def broken_look(stage: Stage) -> None:
    def look() -> None:
        raise ZeroDivisionError

    object.__setattr__(stage.lesson._setup, "look", look)
    until(lambda: stage.lesson.view().state == "failed")


def late(stage: Stage) -> None:
    stage.lesson.stop()
    until(lambda: not stage.lesson.guests.on)


def deleted(stage: Stage) -> None:
    stage.notebook.deleted = True  # type: ignore[attr-defined]
    stage.lesson.stop()


@pytest.mark.parametrize("ending", [crash, broken_look, late, deleted], ids=lambda how: how.__name__)
def test_nothing_is_left_of_a_lesson(ending: Callable[[Stage], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_guests, "KEPT_AFTER", 0.05 if ending is late else 600.0)
    stage = running()
    shows = pictures(stage)
    ending(stage)
    until(lambda: stage.lesson.guests.view() == ())
    assert stage.lesson.guests._people == {} and not stage.lesson.guests.possible
    with pytest.raises(UsageError, match="no longer in memory"):
        stage.lesson.enroll(1, called("Uma", shows))


def test_right_after_the_lesson_people_can_still_be_named_but_nobody_is_added() -> None:
    room = Room(*NAMES)
    stage = running(room)
    admitted = list[str]()
    stage.notebook.admit = admitted.append  # type: ignore[attr-defined]
    shows = pictures(stage)
    stage.lesson.stop()
    until(lambda: stage.lesson.view().state == "ended")
    stage.lesson.guests.take(step(9.0, one(3)))
    assert [guest.number for guest in stage.lesson.guests.view()] == [1, 2]
    assert stage.lesson.enroll(1, called("Uma", shows)).stands and admitted == []
    stage.lesson.guests.vanish()


@pytest.mark.parametrize("how", ["new lesson", "forget", "close"])
def test_the_next_lesson_of_the_class_begins_with_nobody(how: str) -> None:
    lessons, stage = LessonRoom(), Stage(enrolls=Room(*NAMES))
    stage.lesson = lessons.start(stage.lesson.plan, stage.prepare)
    stage.running()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(1.0, one(1)))
    until(lambda: bool(stage.lesson.guests.view()))
    if how != "close":
        stage.lesson.stop()
        until(lambda: stage.lesson.view().state == "ended")
        assert stage.lesson.guests.view() != ()
    if how == "new lesson":
        after = Stage(enrolls=Room(*NAMES))
        later = lessons.start(stage.lesson.plan, after.prepare)
        assert later is not stage.lesson and not later.guests.on
    elif how == "forget":
        lessons.forget("physics")
    lessons.close()
    assert (stage.lesson.guests.view() == () and stage.lesson.guests._timer is None) or not stage.lesson.guests.possible
    assert stage.lesson.guests._people == {}


def test_a_student_who_leaves_the_class_is_not_collected_as_unknown() -> None:
    present = [set(NAMES)]
    stage = running(look=lambda: present[0])
    stage.engines[0].tell(step(2.0, one(None, student="Ben", track=9)))
    until(lambda: stage.lesson.guests._tracks.get(9) == "Ben")
    present[0] = set(NAMES) - {"Ben"}
    until(lambda: not stage.lesson.may_name("Ben"))
    stage.engines[0].tell(step(5.0, one(4, track=9)))
    stage.engines[0].tell(step(7.0, one(4, track=9), one(5, x=400)))
    until(lambda: len(stage.lesson.guests.view()) == 3)
    assert [guest.number for guest in stage.lesson.guests.view()] == [1, 2, 5]
    stage.lesson.stop()


def test_another_teacher_does_not_see_the_faces_of_a_class_with_the_same_name() -> None:
    lessons, stage, other = LessonRoom(), Stage(enrolls=Room(*NAMES)), Stage(enrolls=Room(*NAMES))
    stage.lesson = lessons.start(stage.lesson.plan, stage.prepare)
    stage.running()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(1.0, one(1)))
    until(lambda: bool(stage.lesson.guests.view()))
    bert = Owner("bert", "Bert")
    assert lessons.of("physics", bert) is None
    plan = LessonPlan("physics", "", NAMES, "x", owner=bert)
    assert lessons.start(plan, other.prepare).guests is not stage.lesson.guests
    assert lessons.of("physics", bert).guests.view() == () and stage.lesson.guests.view()  # type: ignore[union-attr]
    lessons.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_lesson_that_is_over_holds_no_frame_and_no_loop(fails: bool) -> None:
    loop = Loop()
    stage = Stage(enrolls=Room(*NAMES), deny=loop.deny)
    engine = stage.start()
    last = step(3.0, one(None, student="Ben"), one(1, x=400))
    faces = [weakref.ref(last.frame), *(weakref.ref(face.crop) for face in last.faces)]
    engine.tell(last)
    assert stage.lesson.picture() is not None
    gone = weakref.ref(engine), weakref.ref(loop)
    if fails:
        engine.error = SourceError("The camera is gone.")
    engine.stop()
    until(lambda: not stage.lesson.alive and stage.lesson._thread.is_alive() is False)
    assert stage.lesson.picture() is None and stage.lesson.pick("Ben").vector is not None
    stage.engines.clear()
    stage.setup.clear()
    del last, engine, loop
    gc.collect()
    assert [left() for left in (*gone, *faces)] == [None] * 5
    assert not stage.lesson.can_deny and list(stage.lesson.denied) == []
    stage.lesson.pause()
    stage.lesson.stop()


def test_a_timer_does_not_keep_the_program_alive() -> None:
    guests = LessonGuests()
    guests.room = Room()
    guests.switch(True)
    guests.over(failed=False)
    assert guests._timer is not None and guests._timer.daemon
    guests.vanish()
    assert guests._timer.finished.is_set()
