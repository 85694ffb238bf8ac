import numpy as np
import pytest
from made_frames import frame, reading

from fewshot.session.lesson import UNREADABLE, UNSURE
from fewshot.session.seconds import SecondCounter
from fewshot.session.time_axis import TimeAxis
from fewshot.types import EMOTIONS

HAPPY, SAD, NEUTRAL = (EMOTIONS.index(name) for name in ("happy", "sad", "neutral"))


def test_nothing_was_seen() -> None:
    counter = SecondCounter()
    assert counter.current() is None
    assert counter.add(frame(0.0), 0.0) is None
    assert counter.current().people == ()
    assert counter.current().frames == 1


def test_a_second_is_handed_out_when_the_next_one_begins() -> None:
    counter = SecondCounter(["asha"])
    for time in (0.0, 0.4, 0.9):
        assert counter.add(frame(time, reading("asha")), time) is None
    finished = counter.add(frame(3.2), 3.2)
    assert (finished.number, finished.frames, finished.people[0].frames) == (0, 3, 3)
    assert (counter.current().number, counter.current().people) == (3, ())


@pytest.mark.parametrize(
    ("shown", "emotion", "confidence"),
    [
        ([("happy", 0.8)], HAPPY, 0.8),
        ([("happy", 0.8), ("happy", 0.6), ("sad", 0.9)], HAPPY, 0.7),
        ([(None, 0.4), ("sad", 0.9)], SAD, 0.9),  # of equals the one that says something
        ([(None, 0.4), (None, 0.2), ("sad", 0.9)], UNSURE, 0.3),
    ],
)
def test_what_was_shown_most(shown: list[tuple[str | None, float]], emotion: int, confidence: float) -> None:
    counter = SecondCounter(["asha"])
    for number, (name, sure) in enumerate(shown):
        counter.add(frame(number / 10, reading("asha", name, sure)), number / 10)
    person = counter.current().people[0]
    assert person.emotion == emotion
    assert person.confidence == pytest.approx(confidence)
    assert person.probabilities.sum() == pytest.approx(1.0)
    assert person.probabilities[HAPPY] == pytest.approx(
        np.mean([sure if name != "sad" else (1 - sure) / 6 for name, sure in shown])
    )


def test_faces_that_cannot_be_read() -> None:
    counter = SecondCounter(["asha"])
    counter.add(frame(0.0, reading("asha", readable=False)), 0.0)
    person = counter.current().people[0]
    assert (person.emotion, person.confidence, person.readable, person.faces) == (UNREADABLE, None, 0, 1)
    assert not person.probabilities.any()
    counter.add(frame(0.1, reading("asha", "sad")), 0.1)
    person = counter.current().people[0]
    assert (person.emotion, person.readable, person.faces, person.frames) == (SAD, 1, 2, 2)


def test_strangers_share_a_row_and_unknown_names_are_strangers() -> None:
    counter = SecondCounter(["asha"])
    counter.add(frame(0.0, reading(None, track=1), reading("gone", "sad", track=2), reading("asha", track=3)), 0.0)
    people = {person.student: person for person in counter.current().people}
    assert set(people) == {None, "asha"}
    assert (people[None].frames, people[None].faces) == (1, 2)


def test_own_states_widen_the_rows() -> None:
    counter = SecondCounter(["asha"])
    counter.add(frame(0.0, reading("asha")), 0.0)
    narrow = counter.add(frame(1.0, reading("asha", "confused", state="confused")), 1.0)
    assert len(narrow.people[0].probabilities) == 7
    wide = counter.current().people[0]
    assert counter.labels == [*EMOTIONS, "confused"]
    assert (wide.emotion, len(wide.probabilities)) == (7, 8)


@pytest.mark.parametrize(("people", "kept"), [(0, False), (4, False), (5, True), (6, True)])
def test_counts_alone_know_no_student_and_no_small_group(people: int, kept: bool) -> None:
    counter = SecondCounter(["asha"], aggregate=True)
    faces = [reading("asha" if track == 0 else None, "sad", track=track) for track in range(people)]
    for time in (0.0, 0.5):
        counter.add(frame(time, *faces), time)
    second = counter.current()
    assert second.people == ()
    assert (second.counts is not None) == kept
    if kept:
        assert second.counts[SAD] == people
        assert sum(second.counts) == people


def test_who_comes_one_after_the_other_is_no_group() -> None:
    counter = SecondCounter(aggregate=True)
    for track in range(8):
        counter.add(frame(track / 10, reading(None, track=track)), track / 10)
    assert counter.current().counts is None


def test_counts_of_the_unsure_and_the_unreadable() -> None:
    counter = SecondCounter(aggregate=True)
    faces = [reading(None, "happy", track=1), reading(None, None, track=2), reading(None, None, track=3)]
    faces += [reading(None, track=track, readable=False) for track in (4, 5, 6)]
    counter.add(frame(0.0, *faces), 0.0)
    counts = counter.current().counts
    assert (counts[HAPPY], counts[-2], counts[-1], sum(counts)) == (1, 2, 3, 6)


def test_sources_lie_end_to_end() -> None:
    course = TimeAxis()
    assert course.end == 0.0
    places = [course.place(frame(time, source="a")) for time in (0.0, 0.5, 1.0)]
    assert places == [0.0, 0.5, 1.0]
    assert course.end == 1.5
    assert course.place(frame(0.0, source="b")) == 1.5
    assert course.place(frame(0.0, source="c.jpg")) == 2.5
    assert course.end == 3.5
