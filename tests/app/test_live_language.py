"""The page Live in another language: nothing on it stays in English but names and what people have written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from drawn_faces import DrawnEyes, draw_frame
from made_guests import Room, apart, step
from made_language import CODE, left, speak_it, spoken, unspoken
from streamlit.testing.v1 import AppTest

from fewshot.app.class_photo import ClassPhoto, cut_into_faces
from fewshot.app.lesson_guests import GONE
from fewshot.app.lesson_notes import DELETED, OURS
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.moodchart import live_mood_spec
from fewshot.app.sharing.window import SharedWindow
from fewshot.app.webrtc import ADVICE, BrowserCamera, advice_for
from fewshot.call_labels.students import DISAGREE, TWICE
from fewshot.classroom.enrollment_report import PhotoResult, StudentResult
from fewshot.errors import UsageError
from fewshot.session.analysis.findings import Findings
from fewshot.session.analysis.flat import Flat
from fewshot.session.analysis.glance import Attention, hint_word
from fewshot.session.analysis.pace import Hint
from fewshot.session.analysis.unlike import Unlike
from fewshot.session.settings import Settings
from fewshot.session.stored_words import QUICK, UNNAMED, marker_word, source_word
from fewshot.translation import LANGUAGE
from tests.app import test_live_elsewhere
from tests.app.test_lesson import Stage, step_of, until
from tests.app.test_pages import page

pytestmark = pytest.mark.usefixtures("empty_room")

CLASS = tuple(f"Student {number}" for number in range(9))
KNOWN = (*CLASS, "physics", "room 3", "my own word", "daydreaming", "Ravi", "data:image", "Asha", "Ben")
"""What stays as people have written it."""


@pytest.fixture(autouse=True)
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    speak_it(monkeypatch)
    with spoken():
        yield


def live(**state: object) -> AppTest:
    test = page("live", **{"language": CODE, "class": "physics"} | state)
    assert not test.exception
    return test


def findings(now: float) -> Findings:
    second = int(now)
    hint = Hint("sad", second - 180, second, 0.6, 0.1, 9, 0.001)
    unlike = tuple(Unlike(name, "sad", 0.8, 0.1, second - 180, 0.01) for name in CLASS[:5])
    return Findings(second, CLASS, 9, hint, None, unlike, watched=("sad",), neutral=False)


def lesson(plan: LessonPlan | None = None, second: float = 600.0, **setup: object) -> Stage:
    stage = Stage(plan or LessonPlan("physics", "", CLASS, "room 3"), hint=findings, **setup)
    stage.start_in_room().tell(step_of(second, CLASS[:6]))
    return stage


def test_the_check_itself_finds_what_was_not_translated() -> None:
    def script() -> None:
        import streamlit as st

        st.button("In English", help="⟦not⟧")
        st.selectbox("⟦Class⟧", ["⟦a⟧", "another"], placeholder="choose one")
        st.html("<p aria-label='heard'>⟦read⟧ <b>Asha</b></p>")
        st.dataframe([{"⟦State⟧": "happy"}])
        with st.popover("Why?"):
            st.caption("⟦in it {⟦nested⟧}⟧")

    found = unspoken(AppTest.from_function(script).run(), ["Asha"])
    assert sorted(found) == sorted(
        ["button: In English", "selectbox: another", "selectbox: choose one", "html: heard", "dataframe: happy",
         "popover: Why?"]
    )  # fmt: skip
    assert left("⟦a⟧ 42 % · 3:10") == ""


def test_before_a_lesson() -> None:
    Settings().acknowledged = datetime.now(UTC)
    assert unspoken(live(**{"class": None})) == []


@pytest.mark.parametrize("kind", ["Shared window", "Browser camera", "Screen", "Video file", "Stream address"])
def test_every_kind_of_source(kind: str) -> None:
    test = live(**{"class": None})
    next(one for one in test.button_group if "What to watch" in one.label).set_value(kind).run()
    assert not test.exception and unspoken(test, ["lesson.mp4", "rtsp://192.168.1.20/stream1"]) == []


def test_a_lesson_with_everything_in_it() -> None:
    states = ("daydreaming",)
    stage = lesson(advice=["my own word"], deny=lambda *_: None)
    stage.lesson.mark("Exercise")
    stage.lesson.mark("my own word")
    picked = stage.lesson.pick(CLASS[1])
    stage.lesson.correct(picked, "sad")
    stage.lesson.correct(stage.lesson.pick(CLASS[2]), "happy")
    stage.memory.correct(1, CLASS[3], 3.0, states[0], np.zeros(4, np.float32))
    stage.lesson.deny(stage.lesson.pick(CLASS[4]))
    stage.engines[0].tell(step_of(605.0, CLASS[:6]))
    rest = unspoken(live(picked=stage.lesson.pick(CLASS[0]), with_picture=True), KNOWN)
    assert rest == []
    assert [text for _, _, text in stage.memory.marks] == [
        "Exercise",
        "my own word",
        "Hint: 5 of 9 look sad, fewer than 5 usually",
    ]


@pytest.mark.parametrize(
    "how", [{"names_hidden": True}, {"projected": True}, {"names_hidden": True, "projected": True}]
)
def test_the_whole_class_without_names(how: dict[str, bool]) -> None:
    lesson().lesson.mark("Question")
    assert unspoken(live(**how), KNOWN) == []


@pytest.mark.parametrize("second", [1.0, 600.0])
@pytest.mark.parametrize("students", [(), CLASS[:1], CLASS[:5]])
@pytest.mark.parametrize("aggregate", [False, True])
def test_lessons_whose_pace_cannot_be_judged(students: tuple[str, ...], aggregate: bool, second: float) -> None:
    plan = LessonPlan("physics", "", students, "room 3", aggregate=aggregate, by_label=True)
    stage = Stage(plan)
    stage.start_in_room().tell(step_of(second, students or CLASS[:2]))
    assert unspoken(live(), KNOWN) == []


@pytest.mark.parametrize("recorded", [False, True])
def test_a_lesson_that_is_paused_and_one_that_has_ended(recorded: bool) -> None:
    stage = lesson(LessonPlan("physics", "", CLASS, "room 3", recorded=recorded))
    stage.lesson.pause()
    assert unspoken(live(with_picture=True), KNOWN) == []
    stage.lesson.stop()
    assert unspoken(live(), KNOWN) == []


def test_why_a_lesson_ended_is_said_in_the_readers_language() -> None:
    stage = Stage(LessonPlan("physics", "", CLASS, "room 3"))
    engine = stage.start_in_room()
    engine.error = ValueError("a fault")
    engine.stop()
    until(lambda: stage.lesson.view().state == "failed")
    assert stage.lesson.view().note == f"⟦{OURS}⟧"
    assert unspoken(live(), KNOWN) == []
    stage.lesson._notes.deleted()
    assert stage.lesson.view().note == f"⟦{DELETED}⟧"


def test_faces_without_a_name_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = lesson()
    monkeypatch.setattr(stage.lesson, "_doubts", lambda: (TWICE, DISAGREE, DISAGREE))
    assert unspoken(live(), KNOWN) == []


def test_real_photographs_name_their_licence() -> None:
    from fewshot.app.sample_pictures import TRY
    from fewshot.demo.portraits import CREDIT

    plan = LessonPlan("physics", "", CLASS, "the sample photographs", credit=CREDIT)
    stage = Stage(plan, advice=[TRY])
    stage.start_in_room().tell(step_of(3.0, CLASS))
    assert unspoken(live(picked=stage.lesson.pick(CLASS[0]), with_picture=True), KNOWN) == []


def test_people_who_are_not_enrolled() -> None:
    stage = Stage(LessonPlan("physics", "", CLASS, "room 3"), enrolls=Room(*CLASS), labels=None)
    stage.start_in_room()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(3.0, *apart(1, 2)))
    until(lambda: len(stage.lesson.guests.view()) == 2)
    test = live()
    assert unspoken(test, KNOWN) == []
    next(one for one in test.button if one.key == "who 1").click().run()
    assert not test.exception and unspoken(test, KNOWN) == []
    (kind,) = [one for one in test.button_group if one.label == "⟦Who is this?⟧"]
    kind.set_value("A student of this class").run()
    assert not test.exception and unspoken(test, KNOWN) == []
    test.button(key=f"guest {stage.lesson.token} 1 enroll").click().run()  # nobody is chosen: it says so
    assert test.error and unspoken(test, KNOWN) == []
    stage.lesson.stop()


def test_a_face_like_that_of_a_student_is_asked_about() -> None:
    room = Room(*CLASS, looks_like=CLASS[0])
    stage = Stage(LessonPlan("physics", "", CLASS, "room 3"), enrolls=room)
    stage.start_in_room()
    stage.lesson.guests.switch(True)
    stage.engines[0].tell(step(3.0, *apart(1)))
    until(lambda: len(stage.lesson.guests.view()) == 1)
    test = live(guest=(stage.lesson.token, 1))
    key = f"guest {stage.lesson.token} 1"
    test.text_input(key=f"{key} name").set_value("Ravi")
    test.text_input(key=f"{key} by").set_value("her mother")
    test.button(key=f"{key} enroll").click().run()
    assert not test.exception and unspoken(test, KNOWN) == []
    assert "who is in the class" in "".join(one.value for one in test.info)


def test_a_lesson_that_another_program_runs() -> None:
    for aggregate in (False, True):
        recorder = test_live_elsewhere.lesson(aggregate=aggregate)
        test = live(**{"class": None, "lesson elsewhere": recorder.lesson})
        assert unspoken(test, KNOWN) == []
        assert aggregate or "⟦happy⟧" in test.dataframe[0].value.to_string()
        recorder.close()


def test_a_photo_of_the_class(tmp_path: Path) -> None:
    def script() -> None:
        from fewshot.app.shell import calm
        from fewshot.app.views import class_photo

        calm(class_photo.section)(["physics"], "physics")

    def cut(*sizes: int) -> ClassPhoto:
        drawn = draw_frame(tmp_path / "photo.png", dict(enumerate(sizes, start=1)))
        return cut_into_faces("physics", drawn, DrawnEyes(), lambda vectors: [{"happy": 1.0}] * len(vectors))

    alone = cut(100)
    like = replace(alone, faces=(replace(alone.faces[0], like=CLASS[0]),))
    for found in (None, alone, like, cut(140, 140)):
        test = AppTest.from_function(script, default_timeout=60)
        test.session_state["language"] = CODE
        Settings().acknowledged = datetime.now(UTC)
        if found is not None:
            test.session_state["class photo"] = found
        test.run()
        assert not test.exception and unspoken(test, KNOWN) == []


def test_sentences_of_sources_and_errors() -> None:
    clock = [0.0]
    camera, window = BrowserCamera(clock=lambda: clock[0]), SharedWindow(clock=lambda: clock[0])
    clock[0] = 5.0
    said = [camera.away, window.away, *map(advice_for, ADVICE)]
    me = window.connect()
    clock[0] = 20.0
    said += [window.away]
    window.disconnect(me)
    camera.received = window.received = 1
    said += [camera.away, window.away]
    window.connect()
    window.stop()
    said += [window.away, source_word(camera.name), source_word(window.name)]
    assert [left(text or "nothing") for text in said] == [""] * len(said)
    assert source_word("room 3") == "room 3"
    stage = Stage()
    with pytest.raises(UsageError, match="⟦The lesson has not begun yet"):
        stage.lesson.mark("x")


def test_what_is_stored_of_a_hint_is_english_and_read_in_the_readers_language() -> None:
    for event in (Hint("sad", 420, 600, 0.6, 0.1, 9, 0.001), Flat(420, 600, 0.5, 0.2, 0.2, 0.1, 40, 0.001)):
        attention = Attention()
        kind = {"hint": event} if isinstance(event, Hint) else {"flat": event}
        stored = attention.take(Findings(600, CLASS, 9, **kind))  # type: ignore[arg-type]
        assert stored is not None and stored.isascii() and stored.startswith("Hint: ")
        assert left(marker_word(stored)) == "" and "⟦" in hint_word(stored)
        shown = attention.glance(9, False, 600, [(420.0, "my own word")])
        assert [left(text, KNOWN) for text in (shown.sentence, *shown.why)] == [""] * (1 + len(shown.why))
    assert [left(marker_word(text)) for text in (*QUICK, UNNAMED)] == [""] * 4
    assert marker_word("my own word") == "my own word" and marker_word("Hint: see page 3") == "Hint: see page 3"


def test_the_chart_of_the_mood() -> None:
    from fewshot.app.board import MoodStep

    mood = [MoodStep(second, 6.0, {"happy": 4.0, "daydreaming": 2.0}) for second in (2.5, 7.5)]
    spec = live_mood_spec(mood, [], 10.0)
    area, lines = spec["layer"]
    assert left(spec["description"]) == ""
    titles = [one["title"] for layer in (area, lines) for one in layer["encoding"]["tooltip"]]
    assert [left(title) for title in titles] == ["", "", ""]
    assert {(row["state"], row["word"]) for row in area["data"]["values"]} == {
        ("happy", "⟦happy⟧"),
        ("daydreaming", "daydreaming"),
    }
    LANGUAGE.set("en")
    assert live_mood_spec(mood, [], 10.0)["description"].startswith("The mood of the class")


def test_what_was_enrolled() -> None:
    from fewshot.app.views.who_is_this import outcome

    photos = [PhotoResult("a", "happy", "accepted"), PhotoResult("b", None, "rejected", reason="⟦too small⟧")]
    assert left(outcome(StudentResult("Asha", photos, stands=True)), ["Asha"]) == ""  # type: ignore[arg-type]
    assert left(GONE) != ""
