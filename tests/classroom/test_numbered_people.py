"""People who are not enrolled keep one number in all their tracks of a run."""

from __future__ import annotations

import numpy as np
from drawn_faces import THRESHOLDS, make_face, person_vector

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.people import MOST_TRACKS, People
from fewshot.types import Face


def nobody_enrolled(*enrolled: int) -> TrackStudents:
    references = np.stack([person_vector(p) for p in enrolled]) if enrolled else np.zeros((0, 16), np.float32)
    return TrackStudents([f"s{p}" for p in enrolled], references, THRESHOLDS, People(THRESHOLDS))


def watch(matching: TrackStudents, people: dict[int, int], start: float, frames: int) -> list[Face]:
    """Ten frames a second of {track: person}; the faces of the last frame."""
    faces: list[Face] = []
    for frame in range(frames):
        time = start + frame / 10
        faces = [make_face(track=track) for track in people]
        for index in matching.wanted([face.track for face in faces], faces, time):
            faces[index].identity = person_vector(people[faces[index].track], 0.5, 977 * index + round(time * 10))
        matching.assign(faces, time)
        matching.forget(people)
    return faces


def test_a_person_keeps_the_number_in_another_track() -> None:
    matching = nobody_enrolled()
    assert [face.person for face in watch(matching, {1: 5, 2: 6}, 0.0, 15)] == [1, 2]
    assert [face.person for face in watch(matching, {3: 6, 4: 7, 5: 5}, 2.0, 15)] == [2, 3, 1]


def test_nobody_has_a_number_before_it_is_known_who_it_is() -> None:
    matching = nobody_enrolled()
    assert watch(matching, {1: 5}, 0.0, 1)[0].person is None
    assert watch(matching, {1: 5}, 0.1, 12)[0].person == 1


def test_a_student_has_no_number_and_a_stranger_beside_them_has() -> None:
    matching = nobody_enrolled(0, 1)
    assert [face.person for face in watch(matching, {1: 0, 2: 9, 3: 1}, 0.0, 15)] == [None, 1, None]


def test_a_track_that_goes_on_with_somebody_else_gets_their_number() -> None:
    matching = nobody_enrolled()
    watch(matching, {1: 5, 2: 6}, 0.0, 15)
    assert watch(matching, {1: 7}, 2.0, 60)[0].person == 3


def test_pictures_are_joined_one_by_one() -> None:
    matching = nobody_enrolled()
    numbers = []
    for picture, people in enumerate([(5, 6), (6,), (7, 5), ()]):
        faces = [make_face(person, track=-1, wobble=0.3, seed=picture) for person in people]
        matching.assign(faces, 0.0)
        matching.forget(())
        numbers.append([face.person for face in faces])
    assert numbers == [[1, 2], [2], [3, 1], []]


def test_a_face_without_an_identity_has_no_number() -> None:
    matching = nobody_enrolled()
    faces = [make_face(track=1), make_face(track=-1)]
    matching.assign(faces, 0.0)
    assert [face.person for face in faces] == [None, None]


def test_a_person_of_very_many_pictures_is_still_one() -> None:
    matching = nobody_enrolled()
    for picture in range(3 * MOST_TRACKS):
        face = make_face(5, track=-1, wobble=0.4, seed=picture)
        matching.assign([face], 0.0)
        assert face.person == 1
