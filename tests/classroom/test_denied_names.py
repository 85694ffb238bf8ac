"""A teacher says "this is not Asha": the track loses the name, and only this track, and only this name."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_faces import THRESHOLDS, make_face, person_vector

from fewshot.classroom.matching import TrackStudents
from fewshot.live.interfaces import Strangers


def matching_of(*people: int, denied: dict[int, frozenset[str]] | None = None) -> TrackStudents:
    references = np.stack([person_vector(person) for person in people])
    return TrackStudents([f"s{person}" for person in people], references, THRESHOLDS, denied=denied)


def watch(matching: TrackStudents, people: dict[int, int], start: float, frames: int = 15) -> list[str | None]:
    """Ten frames a second of {track: person}; who the faces of the last frame are."""
    named: list[str | None] = []
    for frame in range(frames):
        time = start + frame / 10
        faces = [make_face(track=track) for track in people]
        for index in matching.wanted([face.track for face in faces], faces, time):
            faces[index].identity = person_vector(people[faces[index].track], 0.2, 977 * index + round(time * 10))
        named = [student for student, _ in matching.assign(faces, time)]
        matching.forget(people)
    return named


@pytest.mark.parametrize("people", [(0,), (0, 1), (0, 1, 2)])
def test_the_track_loses_the_name_at_once_and_does_not_get_it_back(people: tuple[int, ...]) -> None:
    matching = matching_of(*people)
    assert watch(matching, {1: 0}, 0.0) == ["s0"]
    matching.deny(1, "s0")
    assert watch(matching, {1: 0}, 1.5, 1) == [None]
    assert watch(matching, {1: 0}, 1.6, 60) == [None]


def test_the_others_keep_their_names_and_another_track_may_have_it() -> None:
    matching = matching_of(0, 1)
    assert watch(matching, {1: 0, 2: 1}, 0.0) == ["s0", "s1"]
    matching.deny(1, "s0")
    assert watch(matching, {1: 0, 2: 1, 3: 0}, 1.5, 30) == [None, "s1", "s0"]


def test_another_name_that_was_denied_changes_nothing() -> None:
    matching = matching_of(0, 1)
    for name in ("s1", "nobody"):
        matching.deny(1, name)
    assert watch(matching, {1: 0}, 0.0) == ["s0"]


def test_it_can_be_taken_back() -> None:
    matching = matching_of(0, 1)
    watch(matching, {1: 0}, 0.0)
    matching.deny(1, "s0")
    assert watch(matching, {1: 0}, 1.5) == [None]
    matching.deny(1, "s0", False)
    assert watch(matching, {1: 0}, 3.0) == ["s0"]


def test_it_ends_with_the_track_and_a_new_list_of_students_keeps_it() -> None:
    matching = matching_of(0, 1)
    watch(matching, {1: 0}, 0.0)
    matching.deny(1, "s0")
    again = matching_of(0, 1, 2, denied=matching.denied)
    assert watch(again, {1: 0}, 1.5, 40) == [None]
    again.forget([2])
    assert again.denied == {}


def test_without_students_there_is_nothing_to_deny() -> None:
    Strangers().deny(1, "s0")
