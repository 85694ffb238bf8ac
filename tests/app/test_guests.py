"""Unknown people of a lesson: what is collected, what is not, and when everything is gone."""

from __future__ import annotations

import pytest
from made_guests import apart, one, step

from fewshot.app.guest_crops import APART, BEST, MOST_CROPS, portrait_of
from fewshot.app.guests import HELD_FOR, LONG_AGO, MOST_PEOPLE, Guests


def on() -> Guests:
    guests = Guests()
    guests.switch(True)
    return guests


def numbers(guests: Guests) -> list[int]:
    return [guest.number for guest in guests.view()]


def test_nothing_is_collected_unless_it_is_switched_on() -> None:
    guests = Guests()
    guests.take(step(1.0, one(1)))
    assert not guests.on and guests.view() == () and guests.unclear() == 0
    guests.take(None)
    guests.switch(True)
    guests.take(step(2.0, one(1)))
    assert numbers(guests) == [1]
    guests.switch(False)
    assert guests.view() == () and guests.of(1) is None
    guests.take(step(3.0, one(1)))
    assert guests.view() == ()


@pytest.mark.parametrize(
    "poor", [{"size": 40.0}, {"sharp": 0.1}, {"yaw": 40.0}, {"yaw": -40.0}, {"read": False}], ids=str
)
def test_a_face_that_enrollment_would_refuse_is_only_counted(poor: dict[str, float]) -> None:
    guests = on()
    guests.take(step(1.0, one(1, **poor)))  # type: ignore[arg-type]
    assert guests.view() == () and guests.unclear() == 1


def test_students_and_faces_without_a_number_are_not_collected() -> None:
    guests = on()
    guests.take(step(1.0, one(3, student="Asha"), one(None, x=400)))
    assert guests.view() == () and guests.unclear() == 0


def test_two_people_at_once_are_never_on_one_picture() -> None:
    guests = on()
    guests.take(step(1.0, one(1), one(2, x=60)))
    assert guests.view() == () and guests.unclear() == 2
    close = [one(1), one(2, x=130)]  # shoulder to shoulder: only the tightest picture has one face
    cut = portrait_of(step(2.0, *close).frame, close[0][1], [face for _, face in close])
    assert cut is not None and cut.shape[1] == 150
    guests.take(step(2.0, *close))
    assert numbers(guests) == [1, 2]


def test_the_same_frame_counts_once_and_neighbouring_frames_give_one_picture() -> None:
    guests = on()
    frame = step(1.0, one(1))
    guests.take(frame)
    guests.take(frame)
    guests.take(step(1.0 + APART / 2, one(1, sharp=0.5)))
    (guest,) = guests.view()
    assert [crop.second for crop in guest.crops] == [1.0]
    guests.take(step(1.0 + APART / 2, one(1, sharp=0.9)))  # better
    (guest,) = guests.view()
    assert [crop.second for crop in guest.crops] == [1.0 + APART / 2]


def test_the_best_three_and_a_few_more_for_every_state() -> None:
    guests = on()
    for second in range(40):
        guests.take(step(2.0 * second, one(1, sharp=0.2 + 0.015 * second, state=("happy", "sad")[second % 2])))
    for second, state in enumerate(("neutral", "angry", "fear", "surprise", "disgust") * 3):
        guests.take(step(100.0 + 2 * second, one(1, sharp=0.2, state=state)))
    (guest,) = guests.view()
    assert len(guest.crops) == MOST_CROPS and len(guest.best) == BEST
    assert [crop.second for crop in guest.best] == [78.0, 76.0, 74.0]
    assert {crop.suggests for crop in guest.crops} > {"happy", "sad"}


def test_no_text_of_a_person_contains_a_picture() -> None:
    guests = on()
    guests.take(step(1.0, one(1)))
    (guest,) = guests.view()
    assert "PNG" not in repr(guest) + repr(guest.crops) and guest.crops[0].seen.startswith(b"\x89PNG")
    assert guest.crops[0].frame().shape == (220, 220, 3)


def test_people_are_bounded_and_who_was_seen_last_long_ago_makes_room() -> None:
    guests = on()
    for person in range(1, MOST_PEOPLE + 2):
        guests.take(step(person / 100, one(person)))
    assert numbers(guests) == list(range(1, MOST_PEOPLE + 1))
    guests.take(step(LONG_AGO + 5, one(MOST_PEOPLE + 5)))
    assert len(guests.view()) == MOST_PEOPLE and MOST_PEOPLE + 5 in numbers(guests) and 1 not in numbers(guests)


def test_who_is_recognised_after_all_is_no_unknown_person() -> None:
    guests = on()
    guests.take(step(1.0, one(1, track=7), one(2, track=8, x=400)))
    guests.hold(2)
    guests.take(step(2.0, one(None, student="Asha", track=7), one(None, student="Ben", track=8, x=400)))
    assert numbers(guests) == [2]  # the teacher is about to name this one


def test_same_person_twice() -> None:
    guests = on()
    guests.take(step(1.0, *apart(1, 2, 3)))
    guests.merge(2, 1)
    guests.merge(2, 2)
    guests.merge(2, 99)
    assert numbers(guests) == [2, 3] and guests.of(1) == guests.of(2)
    guests.take(step(9.0, one(1)))
    guest = guests.of(2)
    assert guest is not None and guest.last == 9.0 and len(guest.crops) == 3
    guests.forget(2)
    guests.take(step(12.0, *apart(1, 2)))
    assert numbers(guests) == [3]


def test_who_is_not_a_student_is_forgotten_for_the_lesson() -> None:
    guests = on()
    guests.take(step(1.0, *apart(1, 2)))
    guests.forget(1)
    guests.name(2)
    for second in (2.0, 5.0):
        guests.take(step(second, *apart(1, 2)))
        assert guests.view() == ()
    guests.switch(False)
    guests.switch(True)
    guests.take(step(9.0, *apart(1, 2)))
    assert numbers(guests) == [2]  # a wrong name can be given anew, "not a student" stays


def test_who_was_removed_or_withdrew_is_not_collected_as_unknown() -> None:
    guests = on()
    named = [one(None, student="Asha", track=7), one(None, student="Ben", track=8, x=400)]
    guests.take(step(1.0, *named))
    guests.take(step(1.2, one(5, track=7), one(None, student="Ben", track=8, x=400)))  # the loop was faster
    guests.gone(["Asha"])
    assert guests.view() == ()
    guests.take(step(1.4, one(5, track=7)))
    guests.take(step(9.0, one(5, track=12)))  # back later, with another track
    assert guests.view() == () and guests.unclear() == 0
    guests.take(step(10.0, one(6, track=8)))
    assert numbers(guests) == [6]  # Ben's place is somebody else's now


def test_pictures_stay_while_a_teacher_looks_and_not_for_ever() -> None:
    now = [0.0]
    guests = Guests(clock=lambda: now[0])
    guests.switch(True)
    guests.take(step(1.0, one(1, sharp=0.3)))
    guests.hold(1)
    guests.take(step(5.0, one(1)))
    (guest,) = guests.view()
    assert len(guest.crops) == 1 and guest.last == 5.0
    now[0] = HELD_FOR + 1
    guests.take(step(9.0, one(1)))
    guests.hold(1)
    guests.release(1)
    guests.take(step(12.0, one(1)))
    (guest,) = guests.view()
    assert len(guest.crops) == 3


def test_after_the_end_nothing_more_comes() -> None:
    guests = on()
    guests.take(step(1.0, one(1)))
    guests.end()
    guests.take(step(5.0, *apart(1, 2)))
    (guest,) = guests.view()
    assert len(guest.crops) == 1
    guests.switch(False)
    guests.switch(True)
    assert not guests.on and guests.view() == ()


def test_a_picture_is_encoded_only_if_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr("fewshot.app.guests.portrait_of", lambda *_: made.append(1))
    guests = on()
    for second in range(4):
        guests.take(step(2.0 * second, one(1)))
    assert len(made) == 4
    monkeypatch.undo()
    for second in range(4, 9):
        guests.take(step(2.0 * second, one(1)))
    monkeypatch.setattr("fewshot.app.guests.portrait_of", lambda *_: made.append(1))
    for second in range(9, 60):
        guests.take(step(2.0 * second, one(1, sharp=0.5)))
    assert len(made) == 4
