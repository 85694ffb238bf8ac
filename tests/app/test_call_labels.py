"""Labels of a call in the app: the choice before a lesson, what is offered for unknown faces, and what is said."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

pytest.importorskip("streamlit", reason="needs the extra app")

from drawn_faces import draw_class, draw_frame, see_drawings
from guest_lesson import ASHA, GUEST, UMA, _endless
from made_guests import Room, apart, one, step

from fewshot import Classroom
from fewshot import room as room_module
from fewshot.app import setups
from fewshot.app.guests import Guests
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.lesson_room import LessonRoom
from fewshot.app.views import live_names, live_setup
from fewshot.call_labels.students import DISAGREE, Names
from fewshot.call_labels.tile_labels import Text
from fewshot.classroom.class_choices import choose_names_from, names_from
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import Owner
from fewshot.database.tables import OwnerRow, OwnerSettingRow
from fewshot.live.sources import FrameSource, Paced
from fewshot.session.settings import Settings
from tests.app.test_lesson import NAMES, Stage, step_of, until
from tests.app.test_live_guests import field, shown, who
from tests.app.test_live_page import press
from tests.app.test_pages import page, words

pytestmark = pytest.mark.usefixtures("empty_room")
ODD = "<b>Ravi</b> ![x](http://y)"


class Labels:
    """Offers what is told, by track."""

    def __init__(self, **offers: str) -> None:
        self.offers, self.told = False, offers

    def offer_of(self, track: int) -> str:
        return self.told.get(f"t{track}", "") if self.offers else ""


def lesson(labels: Labels, *students: str) -> tuple[Stage, Room]:
    room = Room(*NAMES, *students)
    stage = Stage(LessonPlan("physics", "", NAMES, "x"), enrolls=room, labels=labels)
    stage.start_in_room()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(3.0, *apart(1, 2)))
    until(lambda: len(stage.lesson.guests.view()) == 2)
    return stage, room


def test_the_label_of_an_unknown_face_is_offered_as_the_name_of_a_new_student() -> None:
    labels = Labels(t1="Ravi Kumar")
    stage, room = lesson(labels)
    test = shown()
    assert "Label of the call: Ravi Kumar" in words(test)
    test = who(test)
    assert "The label of the call says <b>Ravi Kumar</b>" in words(test)
    assert field(test, "text_input", "Name of the student").value == "Ravi Kumar"
    field(test, "text_input", "Consent given by").set_value("his father")
    press(test, "Enroll 1 picture")
    ((student, _, given),) = room.calls
    assert (student, given["consent_by"]) == ("Ravi Kumar", "his father") and "Ravi Kumar" in stage.lesson.plan.students


def test_nothing_is_enrolled_by_a_label_without_a_consent() -> None:
    _, room = lesson(Labels(t1="Ravi Kumar"))
    press(who(shown()), "Enroll 1 picture")
    assert room.calls == []


def test_the_label_of_a_student_of_the_class_offers_to_add_to_that_student() -> None:
    _, room = lesson(Labels(t1="Ben"))
    test = who(shown())
    assert field(test, "selectbox", "Add to").value == "Ben"
    press(test, "Enroll 1 picture")
    assert room.calls[0][0] == "Ben"


def test_a_person_without_a_label_has_an_empty_field() -> None:
    lesson(Labels(t2="Ravi Kumar"))
    test = who(shown())
    assert "label of the call" not in words(test) and field(test, "text_input", "Name of the student").value == ""


def test_what_people_write_on_labels_is_shown_as_plain_text() -> None:
    lesson(Labels(t1=ODD))
    said = words(who(shown()))
    assert "<b>Ravi" not in said and "&lt;b&gt;Ravi" in said


def test_labels_vanish_with_the_faces() -> None:
    labels = Labels(t1="Ravi Kumar")
    stage, _ = lesson(labels)
    assert labels.offers
    stage.lesson.guests.switch(False)
    assert not labels.offers and "Ravi" not in words(shown())
    stage.lesson.guests.switch(True)
    stage.lesson.stop()
    assert not labels.offers and stage.lesson.guests.labels is None


def test_the_label_of_a_student_who_withdrew_is_forgotten_and_none_changes_while_it_is_being_answered() -> None:
    guests = Guests()
    guests.labels = Labels(t1="Ben")  # type: ignore[assignment]
    guests.switch(True)
    guests.take(step(1.0, one(1)))
    assert guests.view()[0].label == "Ben" and "Ben" not in repr(guests.view())
    guests.hold(1)
    guests.labels.told["t1"] = "Ravi"  # type: ignore[union-attr]
    guests.take(step(3.0, one(1)))
    assert guests.view()[0].label == "Ben"
    guests.gone({"Ben"})
    assert guests.view()[0].label == ""


def test_the_page_says_why_a_face_has_no_name_and_where_names_come_from() -> None:
    stage = Stage(LessonPlan("physics", "", NAMES, "x", by_label=True))
    engine = stage.start_in_room()
    told = step_of(1.0)
    doubted = [replace(one, student=None, doubt=DISAGREE) for one in told.result.readings[:2]]
    engine.tell(told._replace(result=replace(told.result, readings=(*doubted, *told.result.readings[2:]))))
    said = words(shown())
    assert f"2 faces have no name: {DISAGREE}." in said and "Names come from the labels of the call." in said
    engine.tell(step_of(2.0))
    assert DISAGREE not in words(shown())


def a_class() -> None:
    Settings().acknowledged = datetime.now(UTC)
    store = ClassStore()
    store.create("physics")
    store.record_consent("physics", "Asha", make_consent("her mother"))


def choices(test: object) -> list[str]:
    return [one.label for one in test.selectbox]  # type: ignore[attr-defined]


def test_labels_are_off_until_they_are_chosen_and_the_choice_is_only_where_it_means_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_class()
    monkeypatch.setattr(live_names, "can_read", lambda: False)
    assert "Names" not in choices(page("live"))
    monkeypatch.setattr(live_names, "can_read", lambda: True)
    test = page("live")
    (names,) = [one for one in test.selectbox if one.label == "Names"]
    assert names.value == "From faces"
    names.set_value("From the labels of the call only").run()
    assert "no identity vector is computed" in words(test)
    (whole,) = [toggle for toggle in test.toggle if "Whole class only" in toggle.label]
    whole.set_value(True).run()
    assert "Names" not in choices(test)
    assert "Names" not in choices(page("live", **{"class": live_setup.WITHOUT}))


def chosen(test: object) -> str:
    (names,) = [one for one in test.selectbox if one.label == "Names"]  # type: ignore[attr-defined]
    return str(names.value)


def choose(test: object, answer: str) -> None:
    (names,) = [one for one in test.selectbox if one.label == "Names"]  # type: ignore[attr-defined]
    names.set_value(answer).run()


LABELS, BOTH = "From the labels of the call only", "From faces, checked with the labels of the call"


@pytest.fixture
def can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_names, "can_read", lambda: True)


@pytest.mark.usefixtures("can_read")
def test_the_choice_is_remembered_for_each_class_of_each_owner_also_under_another_name() -> None:
    a_class()
    store = ClassStore()
    store.create("maths")
    assert names_from(store, "physics") == names_from(store, "nobody") == ""
    choose(page("live", **{"class": "physics"}), LABELS)
    assert names_from(store, "physics") == "labels" and names_from(store, "maths") == ""
    test = page("live", **{"class": "physics"})
    assert chosen(test) == LABELS
    (of,) = [one for one in test.selectbox if one.label == "Class"]
    of.set_value("maths").run()
    assert chosen(test) == "From faces"
    store.rename("physics", "Physics 2")
    assert chosen(page("live", **{"class": "Physics 2"})) == LABELS
    bert = Owner("b" * 32, "Bert")
    with store.database.write() as session:
        session.add(OwnerRow(id=bert.id, name=bert.name, folded="bert", role=bert.role))
    theirs = ClassStore(store.database, bert)
    theirs.create("Physics 2")
    assert names_from(theirs, "Physics 2") == ""


@pytest.mark.usefixtures("can_read")
def test_a_class_that_is_deleted_takes_its_choice_with_it() -> None:
    a_class()
    choose(page("live"), BOTH)
    store = ClassStore()
    store.delete("physics")
    with store.database.read() as session:
        assert not [row.key for row in session.scalars(select(OwnerSettingRow)) if "names" in row.key]
    store.create("physics")
    assert chosen(page("live", **{"class": "physics"})) == "From faces"


@pytest.mark.usefixtures("can_read")
def test_a_tab_keeps_what_it_shows_and_undoes_no_choice_of_another_tab() -> None:
    a_class()
    first, second = page("live"), page("live")
    choose(second, LABELS)
    first.run()
    assert chosen(first) == "From faces" and names_from(ClassStore(), "physics") == "labels"
    choose(first, BOTH)
    second.run()
    assert names_from(ClassStore(), "physics") == "both" and chosen(second) == LABELS


def test_a_remembered_choice_that_is_not_possible_is_said_and_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_class()
    choose_names_from(ClassStore(), "physics", "labels")
    monkeypatch.setattr(live_names, "can_read", lambda: False)
    test = page("live")
    assert chosen(test) == LABELS and "rapidocr) is not installed" in words(test)  # not silently from faces
    monkeypatch.setattr(live_names, "can_read", lambda: True)
    test = page("live")
    test.button_group[0].set_value(live_setup.CAMERA).run()
    assert "Names" not in choices(test) and "A camera shows no labels" in words(test)
    choose_names_from(ClassStore(), "physics", "of a later version")
    assert chosen(page("live")) == "From faces"


class Reader:
    """Reads the squares of ``draw_frame`` by their place: Asha, Uma, a visitor."""

    def read(self, _frame: object, boxes: list, wanted: list[int]) -> list[Text]:
        places = {20: "Asha Patel", 170: "Asha (Host)", 320: "Visitor Zzyzx"}
        return [Text(places[round(float(boxes[number][0]))], 0.99) for number in wanted]


@pytest.mark.parametrize("names", [Names.labels, Names.both])
def test_a_lesson_in_the_real_loop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: Names) -> None:
    see_drawings(monkeypatch)
    people = {"asha patel": ASHA, "asha": UMA}
    Classroom.open("physics").enroll_folder(draw_class(tmp_path / "photos", people), consent_by="the parents")
    # Uma's face is enrolled as asha; here the first square has the label of the other one.
    frame = draw_frame(tmp_path / "lesson.png", {ASHA: 100, GUEST: 100, UMA: 100})
    monkeypatch.setattr(setups, "open_named", lambda *_: Paced(FrameSource(_endless(frame), 15.0, "a call")))
    monkeypatch.setattr(room_module, "open_reader", Reader)
    monkeypatch.setattr("fewshot.call_labels.tile_labels.EVERY", 0.2)
    monkeypatch.setattr("fewshot.call_labels.tile_labels.APART", 0.1)
    room = LessonRoom()
    running = setups.start_lesson("physics", "a call", names=names, room=room)
    try:
        until_seen = time.monotonic() + 30
        wanted = {"asha patel": "label"} if names is Names.labels else {"asha patel": "face", "asha": "face"}
        while time.monotonic() < until_seen and _named(running) != wanted:
            time.sleep(0.05)
        assert _named(running) == wanted
        assert running.guests.possible == (names is Names.both)
        if names is Names.labels:
            step = running.engine.latest()  # type: ignore[union-attr]
            assert all(face.identity is None for face in step.faces)
            assert [one.person for one in step.result.readings] == [None] * 3
    finally:
        running.stop()
        room.close()


def _named(running: object) -> dict[str, str]:
    step = running.engine and running.engine.latest()  # type: ignore[attr-defined]
    return {one.student: one.named_by for one in step.result.readings if one.student} if step else {}
