"""The copy for a family: classmates who are named in labels stay out, and texts that name the student are in."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from fewshot.access.gather import gather
from fewshot.access.page import html_page
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

DAY = date(2026, 11, 20)
ANN, BEN, CHEN = "Ann Example", "Ben Builder", "Chen Carver"
LIKE = ["like Ben", "like Chen"]


@pytest.fixture
def store() -> ClassStore:
    store = ClassStore()
    photos = [
        Accepted(ANN, label, f"{place}" * 64, "0f", *np.eye(4, dtype=np.float32)[:2], 90.0, 0.9, DAY)
        for place, label in enumerate(["happy", *LIKE])
    ]
    photos += [Accepted(BEN, "sad", "b" * 64, "0f", *np.eye(4, dtype=np.float32)[:2], 90.0, 0.9, DAY)]
    consents = {name: Consent("the mother", DAY) for name in (ANN, BEN)}
    store.keep("physics", photos, consents, Networks("n", "i", 4, 4))
    store.record_consent("physics", CHEN, Consent("the father", DAY))
    return store


def recorded(store: ClassStore) -> LessonStore:
    lessons = LessonStore(store.database)
    number = lessons.create("physics", students=[ANN, BEN])
    with LessonRecorder(lessons, number, [ANN, BEN], threaded=False) as recorder:
        shares = dict.fromkeys([*EMOTIONS, *LIKE], 1 / 9)
        for second in range(2):
            face = Reading(0, (0, 0, 1, 1), 0.9, ANN, 0.5, "like Ben", 0.9, shares)
            recorder.write(FrameResult("cam", second, float(second), 64, 48, (face,)))
    learn(store.database, "physics", number, ANN, 1.0, "like Ben", np.ones(4), "like Chen")
    return lessons


def test_a_label_that_names_a_classmate(store: ClassStore) -> None:
    recorded(store)
    held = gather(store.database, LOCAL_TEACHER, "physics", ANN)
    everything = json.dumps(held) + html_page(held)
    assert not any(word in everything for word in ("Ben", "Builder", "Chen", "Carver"))
    assert [photo["label"] for photo in held["photos"]] == ["happy", *["like [another student]"] * 2]
    reading = held["lessons"][0]["readings"][0]
    shown = ["like [another student]", "like [another student] 2"]
    assert reading["shown"] == shown[0] and [*reading["probabilities"]] == [*EMOTIONS, *shown]
    assert sum(reading["probabilities"].values()) == pytest.approx(1, abs=0.01) and reading["faces"] == 1
    (correction,) = held["corrections"]
    assert correction["predicted"] == correction["corrected_to"] == "like [another student]"


def test_texts_that_name_the_student_by_the_first_name_and_in_a_lesson_without_her(store: ClassStore) -> None:
    lessons = recorded(store)
    lessons.mark(1, 1.0, "Ann laughed with Chen")
    lessons.mark(1, 2.0, "Annika came")
    without = [lessons.create("physics", title=title, students=[BEN]) for title in ("Ann is ill", "nobody", "third")]
    lessons.mark(without[2], 3.0, "Example came late")
    for number in without:
        lessons.end(number)
    held = gather(store.database, LOCAL_TEACHER, "physics", ANN)
    told = {one["number"]: (one["title"], [m["text"] for m in one["markers"]]) for one in held["lessons"]}
    assert told[1][1] == ["Ann laughed with [another student]"]
    assert told[without[0]] == ("Ann is ill", []) and told[without[2]][1] == ["Example came late"]
    assert without[1] not in told and "In view in 0 seconds" in html_page(held)
    others = gather(store.database, LOCAL_TEACHER, "physics", CHEN)
    assert [m["text"] for one in others["lessons"] for m in one["markers"]] == ["[another student] laughed with Chen"]


def test_a_first_name_that_two_students_have_is_nobodys(store: ClassStore) -> None:
    store.record_consent("physics", "Ann Other", Consent("she", DAY))
    lessons = recorded(store)
    lessons.mark(1, 1.0, "Ann laughed")
    lessons.mark(1, 2.0, "Ann Other came")
    held = gather(store.database, LOCAL_TEACHER, "physics", ANN)
    assert held["lessons"][0]["markers"] == []


def test_what_the_log_calls_the_student_is_in_the_copy(store: ClassStore) -> None:
    held = gather(store.database, LOCAL_TEACHER, "physics", ANN)
    assert len(held["id_in_the_history"]) == 32 and "bond" not in json.dumps(held["history"])
