from dataclasses import replace

import numpy as np
import pytest
from drawn_faces import THRESHOLDS, make_face, person_vector

from fewshot.classroom.matching import PATIENCE, RECHECK, VOTES_PER_FRAME, TrackStudents, assign_students
from fewshot.classroom.thresholds import FALLBACK_THRESHOLDS, identity_thresholds
from fewshot.types import Face

STRANGER = 9


def students(count: int = 3) -> TrackStudents:
    keys = [f"s{person}" for person in range(count)]
    return TrackStudents(keys, np.stack([person_vector(p) for p in range(count)]), THRESHOLDS)


def watch(matching: TrackStudents, people: dict[int, int], start: float, frames: int, wobble: float = 0.5) -> list:
    """Run the loop's side: {track: person} in view for some frames at 10 a second; the last answers."""
    answers: list = []
    for frame in range(frames):
        time = start + frame / 10
        faces = [make_face(track=track) for track in people]
        for index in matching.wanted([face.track for face in faces], faces, time):
            seed = 1000 * faces[index].track + round(time * 10)
            faces[index].identity = person_vector(people[faces[index].track], wobble, seed)
        answers = matching.assign(faces, time)
    return answers


def test_nobody_enrolled_and_nobody_there() -> None:
    nobody = TrackStudents([], np.zeros((0, 16), np.float32), THRESHOLDS)
    assert nobody.wanted([1], [make_face(track=1)], 0.0) == []
    assert nobody.assign([make_face(1, track=1)], 0.0) == [(None, None)]
    assert students().wanted([], [], 0.0) == []
    assert students().assign([], 0.0) == []


def test_a_track_is_decided_by_several_frames_and_kept() -> None:
    matching = students()
    assert watch(matching, {1: 0, 2: STRANGER}, 0.0, 8)[0][0] == "s0"
    stranger = watch(matching, {1: 0, 2: STRANGER}, 0.8, 2)[1]
    assert stranger[0] is None
    assert stranger[1] is not None and stranger[1] < THRESHOLDS.accept
    # Decided tracks are left alone until it is time to look again.
    faces = [make_face(track=1), make_face(track=2)]
    assert matching.wanted([1, 2], faces, 1.0) == []
    assert matching.assign(faces, 1.0)[0][0] == "s0"


def test_one_middling_frame_decides_nothing_but_a_sure_one_does() -> None:
    matching = students()
    middling = (0.48 * person_vector(0) + np.sqrt(1 - 0.48**2) * person_vector(STRANGER)).astype(np.float32)
    face = make_face(track=1)
    face.identity = middling
    assert matching.assign([face], 0.0)[0] == (None, pytest.approx(0.48, abs=0.01))
    assert matching.assign([make_face(track=1)], PATIENCE)[0][0] == "s0"
    assert matching.assign([make_face(0, track=2, wobble=0.2)], 2.0)[0][0] == "s0"


def test_a_stranger_is_never_the_nearest_student() -> None:
    matching = students()
    assert [key for key, _ in watch(matching, {1: STRANGER, 2: 10, 3: 11}, 0.0, 30)] == [None, None, None]


def test_one_student_is_on_one_face_at_a_time() -> None:
    matching = students()
    weak, strong = make_face(0, track=1, wobble=0.8, seed=1), make_face(0, track=2, wobble=0.1, seed=2)
    answers = matching.assign([weak, strong], 0.0)
    assert [key for key, _ in answers] == [None, "s0"]


def test_a_track_that_jumped_to_somebody_else_is_noticed() -> None:
    matching = students()
    assert watch(matching, {1: 0}, 0.0, 10)[0][0] == "s0"
    after = RECHECK + 1.5
    assert watch(matching, {1: 1}, 1.0, round(10 * after))[0][0] == "s1"


def test_rechecks_take_turns() -> None:
    matching = students()
    watch(matching, {1: 0, 2: 1, 3: 2}, 0.0, 10)
    faces = [make_face(track=track) for track in (1, 2, 3)]
    assert len(matching.wanted([1, 2, 3], faces, 30.0)) == 1


def test_everybody_new_is_looked_at_at_once_and_later_looks_are_rationed() -> None:
    faces = [make_face(track=track) for track in range(49)]
    matching = students()
    assert len(matching.wanted(range(49), faces, 0.0)) == 49
    for face in faces:
        face.identity = person_vector(STRANGER, 0.5, face.track)
    matching.assign(faces, 0.0)
    assert len(matching.wanted(range(49), faces, 0.2)) == VOTES_PER_FRAME


def test_unreadable_faces_are_not_asked_for() -> None:
    assert students().wanted([1], [make_face(track=1, unreadable=1)], 0.0) == []


def test_pictures_without_tracks_are_decided_at_once_and_alone() -> None:
    matching = students()
    faces = [make_face(0, track=-1, wobble=0.5), make_face(STRANGER, track=-1, wobble=0.5), make_face(track=-1)]
    assert matching.wanted([-1, -1, -1], faces, 0.0) == [0, 1, 2]
    answers = matching.assign(faces, 0.0)
    assert [key for key, _ in answers] == ["s0", None, None]
    assert answers[2] == (None, None)
    assert matching.assign([make_face(track=-1)], 0.0) == [(None, None)]


def test_tracks_that_ended_are_forgotten() -> None:
    matching = students()
    watch(matching, {1: 0}, 0.0, 10)
    matching.forget({2})
    assert matching.assign([make_face(track=1)], 1.0) == [(None, None)]


def test_the_mean_of_references_is_the_template() -> None:
    keys = ["a", "b", "a"]
    matching = TrackStudents(keys, np.stack([person_vector(p) for p in (0, 1, 2)]), THRESHOLDS)
    face: Face = make_face(track=-1)
    face.identity = person_vector(0) * np.sqrt(0.5) + person_vector(2) * np.sqrt(0.5)
    key, score = matching.assign([face], 0.0)[0]
    assert (key, score) == ("a", pytest.approx(1.0, abs=1e-5))


@pytest.mark.parametrize(
    ("scores", "held", "expected"),
    [
        (np.zeros((0, 2)), [], []),
        ([[0.8, 0.1], [0.1, 0.8]], [-1, -1], [0, 1]),
        ([[0.3, 0.1]], [-1], [-1]),  # below the floor
        ([[0.6, 0.58]], [-1], [-1]),  # no lead
        ([[0.6, 0.58], [0.3, 0.75]], [-1, -1], [0, 1]),  # the rival is clearly another face
        ([[0.8, 0.1], [0.9, 0.1]], [-1, -1], [-1, 0]),  # both the same student
        ([[0.8, 0.1], [0.82, 0.1]], [0, -1], [0, -1]),  # who had the student keeps it
        ([[0.39, 0.1]], [0], [0]),  # ... also a little below the floor
        ([[0.7, 0.5], [0.69, 0.1]], [-1, -1], [-1, 0]),  # never the second best
    ],
)
def test_assignment(scores: object, held: list[int], expected: list[int]) -> None:
    matrix = np.array(scores, np.float32).reshape(len(expected), 2)
    chosen = assign_students(matrix, np.full(len(expected), 0.42), np.array(held, dtype=int), 0.05)
    assert chosen.tolist() == expected


def blend(person: int, similarity: float, other: int = STRANGER) -> np.ndarray:
    """A unit vector with this cosine to a person."""
    return (similarity * person_vector(person) + np.sqrt(1 - similarity**2) * person_vector(other)).astype(np.float32)


def clear_students() -> TrackStudents:
    keys = [f"s{person}" for person in range(3)]
    thresholds = replace(THRESHOLDS, clear=0.44, lead=0.15)
    return TrackStudents(keys, np.stack([person_vector(p) for p in range(3)]), thresholds)


@pytest.mark.parametrize(
    ("vector", "student"),
    [
        (blend(0, 0.43), None),
        (blend(0, 0.45), "s0"),  # far below `sure`, but nobody else is near
        (blend(0, 0.50, other=1), "s1"),
        ((0.47 * np.eye(16)[0] + 0.40 * np.eye(16)[1] + 0.787 * np.eye(16)[STRANGER]).astype(np.float32), None),
    ],
)
def test_one_clear_look_decides(vector: np.ndarray, student: str | None) -> None:
    face = make_face(track=1)
    face.identity = vector
    assert clear_students().assign([face], 0.0)[0][0] == student
    assert students().assign([face], 0.0)[0][0] == (student if student == "s1" else None)


def test_a_clear_and_sure_look_needs_no_second_one_and_a_clear_one_does() -> None:
    matching = clear_students()
    sure, clear = make_face(track=1), make_face(track=2)
    sure.identity, clear.identity = blend(0, 0.7), blend(1, 0.48)
    assert [key for key, _ in matching.assign([sure, clear], 0.0)] == ["s0", "s1"]
    assert matching.wanted([1, 2], [make_face(track=1), make_face(track=2)], 0.1) == [1]


def test_whoever_comes_back_on_another_track_is_known_at_once() -> None:
    matching = students()
    watch(matching, {1: 0, 2: 1}, 0.0, 10)
    assert watch(matching, {2: 1}, 1.0, 10)[0][0] == "s1"
    answers = watch(matching, {2: 1, 3: 0}, 2.0, 1, wobble=0.2)
    assert [key for key, _ in answers] == ["s1", "s0"]


def test_a_track_that_was_out_of_view_is_looked_at_again_and_one_look_suffices() -> None:
    matching = students()
    watch(matching, {1: 0, 2: 1}, 0.0, 10)
    assert watch(matching, {2: 1}, 1.0, 6)[0][0] == "s1"
    # Somebody else sits on the tile that track 1 was on.
    assert [key for key, _ in watch(matching, {1: 2, 2: 1}, 1.6, 1, wobble=0.2)] == ["s2", "s1"]


def test_slow_frames_are_no_absence() -> None:
    matching = students()
    watch(matching, {1: 0}, 0.0, 10)
    face = make_face(track=1)
    assert [matching.wanted([1], [face], 1.0 + 0.5 * step) for step in range(3)] == [[]] * 3


def test_a_picture_that_changes_is_looked_at_again() -> None:
    matching = students()
    first, second = make_face(track=1), make_face(track=1)
    first.crop[:56], second.crop[:, 56:] = 200, 200
    for time in (0.0, 0.1, 0.2, 0.3, 0.4):
        for index in matching.wanted([1], [first], time):
            first.identity = person_vector(0, 0.2, seed=index)
        assert matching.assign([first], time)[0][0] == "s0"
        first.identity = None
    assert matching.wanted([1], [second], 0.5) == [0]
    second.identity = person_vector(1)
    assert matching.assign([second], 0.5)[0][0] == "s1"


def unreadable_on(matching: TrackStudents, person: int, start: float) -> list:
    """A student is known on track 1; then its picture changes to an unreadable face of this person, for a second."""
    watch(matching, {1: 0}, start, 10)
    answers = []
    for frame in range(10):
        face = make_face(track=1, unreadable=1)
        face.crop[:56] = 200
        for _ in matching.wanted([1], [face], start + 1 + frame / 10):
            face.identity = person_vector(person, 0.3, seed=frame)
        answers += matching.assign([face], start + 1 + frame / 10)
    return answers


def test_a_name_does_not_stay_on_somebody_else_who_cannot_be_read() -> None:
    matching = students()
    assert unreadable_on(matching, STRANGER, 0.0) == [(None, None)] * 10
    # The student back in their place is known at once, and is free for another place before that.
    assert watch(matching, {1: 0, 2: STRANGER}, 2.0, 1, wobble=0.2)[0][0] == "s0"
    matching = students()
    unreadable_on(matching, STRANGER, 0.0)
    face = make_face(track=1, unreadable=1)
    assert [key for key, _ in matching.assign([face, make_face(0, track=2, wobble=0.2)], 2.0)] == [None, "s0"]


def test_a_student_who_cannot_be_read_any_more_keeps_the_name_if_still_alike() -> None:
    matching = students()
    assert {key for key, _ in unreadable_on(matching, 0, 0.0)} == {"s0"}
    assert matching.wanted([1], [make_face(track=1, unreadable=1)], 2.3) == []


def test_thresholds_belong_to_a_network() -> None:
    assert identity_thresholds("nothing-known") == FALLBACK_THRESHOLDS
    assert identity_thresholds("w600k_mbf").accept == 0.45


def seen_for_long(matching: TrackStudents, vector: np.ndarray) -> list:
    """The answers on a track whose identity vectors are all the same."""
    answers: list = []
    for frame in range(8):
        face = make_face(track=1)
        face.identity = vector
        answers = matching.assign([face], frame / 10)
    return answers


@pytest.mark.parametrize(
    ("vector", "student"),
    [
        (blend(0, 0.39), "s0"),
        (blend(0, 0.37), None),
        ((0.39 * np.eye(16)[0] + 0.31 * np.eye(16)[1] + 0.867 * np.eye(16)[STRANGER]).astype(np.float32), None),
    ],
)
def test_what_all_frames_agree_on_names_a_student_whom_no_single_frame_names(vector, student) -> None:
    keys = [f"s{person}" for person in range(3)]
    thresholds = replace(THRESHOLDS, patient=0.38, patient_lead=0.10)
    references = np.stack([person_vector(p) for p in range(3)])
    single = make_face(track=1)
    single.identity = vector
    assert TrackStudents(keys, references, thresholds).assign([single], 0.0)[0][0] is None
    assert seen_for_long(TrackStudents(keys, references, thresholds), vector)[0][0] == student
    assert seen_for_long(students(), vector)[0][0] is None
