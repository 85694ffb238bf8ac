"""The panel of a correction: the face, the nearest states with their evidence, "yes", and "not Asha"."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.app.lesson_faces import HeldFace, nearest
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.lesson_room import ROOM
from fewshot.app.palette import AWAY
from fewshot.errors import UsageError
from fewshot.prototypes.evidence import Evidence
from fewshot.types import Reading
from tests.app.test_lesson import NAMES, Stage, step_of, until
from tests.app.test_live_page import press
from tests.app.test_pages import page, words


@pytest.fixture(autouse=True)
def empty_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("fewshot.app.warm._load", lambda: None)
    yield
    ROOM.close()
    ROOM._lessons.clear()


class Names(list[tuple[int, str, bool]]):
    """What the loop was told."""

    def deny(self, track: int, student: str, denied: bool) -> None:
        self.append((track, student, denied))


def lesson_of(students: tuple[str, ...] = NAMES, **setup: object) -> Stage:
    stage = Stage(LessonPlan("physics", "", students, "x"), **setup)
    stage.lesson = ROOM.start(stage.lesson.plan, stage.prepare)
    assert stage.begun.wait(5)
    until(lambda: stage.lesson.view().state == "running")
    stage.engines[0].tell(step_of(3.0, students))
    return stage


def shown(stage: Stage, student: str = "Ben") -> AppTest:
    return page("live", **{"class": "physics", "picked": stage.lesson.pick(student)})


def buttons(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def reading(**shares: float) -> Reading:
    return Reading(1, (0, 0, 9, 9), 0.9, "Ben", probabilities=shares, prototypes="class")


@pytest.mark.parametrize(
    ("shares", "states"),
    [
        ({}, []),
        ({"happy": 1.0, "sad": 0.0}, ["happy"]),
        ({"happy": 0.2, "sad": 0.5, "fear": 0.001, "angry": 0.299}, ["sad", "angry", "happy"]),
        ({"happy": 0.3, "sad": 0.3, "fear": 0.2, "angry": 0.2}, ["happy", "sad", "fear"]),
    ],
)
def test_the_three_nearest_states(shares: dict[str, float], states: list[str]) -> None:
    assert [near.state for near in nearest(reading(**shares), {})] == states


def test_each_state_says_what_it_rests_on() -> None:
    first, second = nearest(reading(happy=0.7, sad=0.3), {"happy": Evidence(2, 0, "personal")})
    assert (first.rests_on, second.rests_on) == ("own photos: 2", "photos of the class")


def test_the_panel_shows_the_face_and_the_evidence() -> None:
    told = {"happy": Evidence(1, 1, "personal"), "neutral": Evidence(0, 0, "class")}
    stage = lesson_of(evidence=lambda student: told if student == "Ben" else {})
    said = words(shown(stage))
    assert "own photos: 1, and 1 correction" in said and "photos of the class" in said
    picture = said.split("data:image/png;base64,")[1].split('"')[0]
    assert base64.b64decode(picture).startswith(b"\x89PNG")


def test_no_text_of_a_click_or_of_a_held_face_contains_face_or_vector() -> None:
    stage = lesson_of()
    picked = stage.lesson.pick("Ben")
    assert picked.crop is not None and picked.vector is not None
    said = repr(picked) + repr(stage.lesson._faces.of("Ben")) + repr(HeldFace(np.ones(4, np.float32)))
    assert "PNG" not in said and "array" not in said and "crop" not in said and "vector" not in said


def test_no_picture_is_left_when_the_lesson_is_over_or_the_student_is_gone() -> None:
    present = [set(NAMES)]
    stage = lesson_of(look=lambda: present[0])
    stage.lesson.view()
    assert stage.lesson._faces.of("Ben") is not None
    present[0] = set(NAMES) - {"Ben"}
    until(lambda: stage.lesson._faces.of("Ben") is None)
    stage.lesson.stop()
    stage.lesson.view()
    left = stage.lesson._faces.of("Asha")
    assert left is not None and left.png() is None


def test_yes_teaches_and_is_called_confirmed() -> None:
    stage = lesson_of()
    test = shown(stage)
    press(test, "Yes, that is right")
    (learned,) = stage.memory.corrections()
    assert (learned.student, learned.said, learned.actually) == ("Ben", "happy", "happy")
    assert stage.memory.vectors == {1: [1.0] * 4}
    assert "Ben</b>: happy, confirmed" in words(test) and "not happy" not in words(test)
    press(test, "Undo")
    assert stage.memory.corrections() == []


def test_unsure_cannot_be_confirmed_and_a_recording_learns_nothing() -> None:
    stage = lesson_of()
    stage.engines[0].tell(step_of(4.0, emotion=None))
    assert "Yes, that is right" not in buttons(shown(stage)) and "neutral" in buttons(shown(stage))
    stage.lesson._setup = replace(stage.lesson._setup, learns=False)  # type: ignore[type-var]
    assert "neutral" not in buttons(shown(stage))


def test_who_cannot_be_read_now_is_not_corrected_with_an_earlier_face() -> None:
    stage = lesson_of()
    stage.lesson.view()
    stage.engines[0].tell(step_of(60.0, ["Asha"]))
    picked = stage.lesson.pick("Ben")
    assert picked.vector is None and picked.crop is None and picked.nearest == () and picked.said is None
    test = shown(stage)
    assert not test.exception and "could not be read" in words(test) and "neutral" not in buttons(test)


def test_not_ben_takes_the_name_and_can_be_undone() -> None:
    names = Names()
    stage = lesson_of(deny=names.deny)
    test = shown(stage)
    press(test, "Not Ben")
    assert names == [(1, "Ben", True)] and "picked" not in test.session_state
    tiles = {tile.student: tile for tile in stage.lesson.view().board.tiles}
    assert tiles["Ben"].state == AWAY and tiles["Ben"].age is None and tiles["Asha"].state == "happy"
    assert "A face that is not <b>Ben" in words(test)
    stage.engines[0].tell(step_of(3.1))  # a frame that was on its way
    assert {tile.student: tile.state for tile in stage.lesson.view().board.tiles}["Ben"] == AWAY
    assert stage.lesson.pick("Ben").vector is None and stage.lesson.picture() is None
    press(test, "Undo")
    assert names[-1] == (1, "Ben", False)
    stage.engines[0].tell(step_of(3.2))
    assert {tile.student: tile.state for tile in stage.lesson.view().board.tiles}["Ben"] == "happy"


def test_a_name_that_was_taken_is_not_on_the_page_when_consent_ends() -> None:
    present, names = [set(NAMES)], Names()
    stage = lesson_of(deny=names.deny, look=lambda: present[0])
    stage.lesson.deny(stage.lesson.pick("Ben"))
    present[0] = set(NAMES) - {"Ben"}
    until(lambda: not stage.lesson.may_name("Ben"))
    assert stage.lesson.denied == [] and "Ben" not in words(page("live", **{"class": "physics"}))


@pytest.mark.parametrize("change", [{"track": -1}, {"lesson": "another"}])
def test_a_name_is_taken_only_from_a_face_of_this_lesson(change: dict[str, object]) -> None:
    names = Names()
    stage = lesson_of(deny=names.deny)
    with pytest.raises(UsageError, match="Click the tile again"):
        stage.lesson.deny(replace(stage.lesson.pick("Ben"), **change))  # type: ignore[arg-type]
    assert names == []


def test_a_recording_has_no_names_to_take() -> None:
    stage = lesson_of()
    assert not stage.lesson.can_deny and not [label for label in buttons(shown(stage)) if label.startswith("Not ")]


def test_names_and_states_with_markup_are_shown_as_they_are_written() -> None:
    name = "<b>B</b> [x](http://y)"
    stage = lesson_of((*NAMES, name), deny=Names().deny)
    test = shown(stage, name)
    assert "<b>B</b>" not in words(test) and "&lt;b&gt;B&lt;/b&gt;" in words(test)
    (label,) = [label for label in buttons(test) if label.startswith("Not ")]
    assert "[x](http://y)" not in label
