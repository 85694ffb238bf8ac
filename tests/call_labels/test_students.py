"""Names from labels only, and beside faces: who disagrees has no name."""

from __future__ import annotations

import numpy as np
import pytest
from label_fakes import CLASS, FRAME, Class, Script, faces

from fewshot.call_labels.students import DISAGREE, TWICE, LabelledStudents
from fewshot.call_labels.tile_labels import Text, TileLabels
from fewshot.live.loop import Loop
from fewshot.live.readings import reading_of
from fewshot.live.sources.base import CapturedFrame
from tests.live.live_fakes import FakePerception, FakeReader, face


class Faces:
    """Students by face: what is told."""

    def __init__(self, *names: str | None) -> None:
        self.names = names
        self.denied: list[tuple[int, str, bool]] = []

    def wanted(self, tracks, faces, time):
        return list(range(len(faces)))

    def assign(self, faces, time):
        return [(name, 0.7 if name else 0.2) for name in self.names]

    def forget(self, alive):
        pass

    def deny(self, track, student, denied=True):
        self.denied.append((track, student, denied))


def named(script: Script, *places: int, by_face: Faces | None = None, room: Class | None = None):
    students = LabelledStudents(TileLabels(script, wait=True), (room or Class(*CLASS)).look, by_face)
    seen = []
    for moment in (0.0, 3.0, 6.0, 9.0):
        seen = faces(*places)
        students.see(FRAME, seen, moment)
        matches = students.assign(seen, moment)
    return students, seen, matches


def test_names_from_labels_only_need_no_identity_vector() -> None:
    students, seen, matches = named(Script(x5="Asha Patel", x50="Visitor", x90="Anne"), 5, 50, 90)
    assert students.wanted([0, 1, 2], seen, 9.0) == []
    assert matches == [("Asha Patel", None), (None, None), ("Anne", None)]
    assert [one.named_by for one in seen] == ["label", "", "label"]


def test_the_loop_computes_no_identity_vector_for_names_from_labels() -> None:
    perception = FakePerception(*[[face(5), face(50)] for _ in range(40)])
    students = LabelledStudents(TileLabels(Script(x5="Asha Patel"), wait=True), Class(*CLASS).look)
    loop = Loop(perception, FakeReader(), students, labels=students)
    results = [loop.step(CapturedFrame("call", index, 0.25 * index, FRAME)).result for index in range(40)]
    last = results[-1].readings
    assert perception.identified == []
    assert [(one.student, one.named_by, one.identity_score) for one in last] == [
        ("Asha Patel", "label", None),
        (None, "", None),
    ]
    assert results[0].readings[0].student is None


def test_two_tiles_with_one_label_name_nobody() -> None:
    _, seen, matches = named(Script(x5="Asha Patel", x50="Asha Patel"), 5, 50)
    assert matches == [(None, None)] * 2 and [one.doubt for one in seen] == [TWICE] * 2


def test_where_label_and_face_disagree_neither_is_shown() -> None:
    script = Script(x5="Ben Okafor", x50="Kim Visitor", x90="Asha Patel")
    _, seen, matches = named(script, 5, 50, 90, by_face=Faces("Asha Patel", "Ben Okafor", "Asha Patel"))
    assert [name for name, _ in matches] == [None, "Ben Okafor", "Asha Patel"]
    assert [one.doubt for one in seen] == [DISAGREE, "", ""]
    made = reading_of(seen[0], matches[0], None, 0.0, CapturedFrame("call", 0, 0.0, FRAME))
    assert made.student is None and made.doubt == DISAGREE and "Ben" not in repr(made) and "Asha" not in repr(made)


def test_the_label_of_somebody_without_consent_disagrees_and_is_not_named() -> None:
    room = Class(*CLASS, consenting=("Asha Patel",))
    _, seen, matches = named(Script(x5="Ben Okafor"), 5, by_face=Faces("Asha Patel"), room=room)
    assert matches[0][0] is None and seen[0].doubt == DISAGREE
    students, _, matches = named(Script(x5="Ben Okafor"), 5, room=room)
    assert matches == [(None, None)] and "Ben" not in repr(students.labels._tracks)


def test_beside_faces_a_label_alone_names_nobody_but_is_offered() -> None:
    students, seen, matches = named(Script(x5="Asha Patel"), 5, by_face=Faces(None))
    assert matches == [(None, 0.2)] and seen[0].doubt == "" and students.labels.offer_of(0) == "Asha Patel"


@pytest.mark.parametrize("by_face", [None, Faces("Asha Patel")])
def test_a_name_that_the_teacher_denied_stays_away(by_face: Faces | None) -> None:
    students, seen, _ = named(Script(x5="Asha Patel"), 5, by_face=by_face)
    students.deny(0, "Asha Patel")
    if by_face is not None:
        assert by_face.denied == [(0, "Asha Patel", True)]
        return
    assert students.assign(seen, 9.0) == [(None, None)]
    students.deny(0, "Asha Patel", False)
    assert students.assign(seen, 9.0) == [("Asha Patel", None)]
    students.deny(0, "Asha Patel")
    students.forget(())
    assert students._denied == frozenset()


def test_when_two_tiles_change_places_the_names_are_read_again() -> None:
    students, seen, _ = named(Script(x5="Asha Patel"), 5)
    other = faces(5)
    other[0].crop = np.random.default_rng(1).integers(0, 255, (112, 112, 3)).astype(np.uint8)
    students.see(FRAME, seen, 10.0)
    students.see(FRAME, other, 10.1)
    assert students.assign(other, 10.1) == [(None, None)]


def picture_of(by_face: Faces | None, *labels: str, room: Class | None = None) -> tuple[list, FakePerception]:
    """The readings of one picture with two or three faces that have these labels, and what was computed for it."""
    places = (20, 50, 90)[: len(labels)]
    perception = FakePerception([face(place) for place in places])
    students = LabelledStudents(TileLabels(Everywhere(*labels)), (room or Class(*CLASS)).look, by_face)
    loop = Loop(perception, FakeReader(), students, labels=students)
    step = loop.step(CapturedFrame("gallery.png", 0, 0.0, FRAME, independent=True))
    return list(step.result.readings), perception


class Everywhere:
    """Reads the faces of a picture in their order, in any size."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def read(self, _frame: object, _boxes: object, wanted: list[int]) -> list[Text]:
        return [Text(self.texts[number], 0.99) for number in wanted]


def test_the_labels_of_a_single_picture_name_its_faces_without_identity_vectors() -> None:
    readings, perception = picture_of(None, "Asha Patel", "Visitor Zzyzx", "Anne")
    assert [(one.student, one.named_by, one.identity_score) for one in readings] == [
        ("Asha Patel", "label", None), (None, "", None), ("Anne", "label", None),
    ]  # fmt: skip
    assert perception.identified == [] and "Zzyzx" not in repr(readings)
    assert [one.student for one in picture_of(None, "Asha Patel", "Asha Patel")[0]] == [None, None]


def test_a_given_name_of_two_students_and_a_class_without_students_name_nobody_in_a_picture() -> None:
    room = Class("Asha Patel", "Asha Rao", "Ben Okafor")
    assert [one.student for one in picture_of(None, "Asha", "Ben", room=room)[0]] == [None, "Ben Okafor"]
    assert [one.student for one in picture_of(None, "Asha", room=Class())[0]] == [None]


def test_in_a_picture_too_a_label_and_a_face_that_disagree_name_nobody() -> None:
    readings, _ = picture_of(Faces("Asha Patel", "Ben Okafor", None), "Ben Okafor", "Ben Okafor (Host)", "Anne")
    # The label of two tiles is nobody's, so it contradicts nobody; a label alone names nobody beside faces.
    assert [one.student for one in readings] == ["Asha Patel", "Ben Okafor", None]
    readings, _ = picture_of(Faces("Asha Patel", "Ben Okafor"), "Anne", "Visitor")
    assert [(one.student, one.doubt) for one in readings] == [(None, DISAGREE), ("Ben Okafor", "")]


def test_what_a_picture_said_is_forgotten_with_it() -> None:
    students = LabelledStudents(TileLabels(Everywhere("Asha Patel")), Class(*CLASS).look)
    seen = faces(20, track=-1)
    students.see_picture(FRAME, seen)
    assert students.assign(seen, 0.0) == [("Asha Patel", None)]
    assert students.assign(seen, 0.0) == [(None, None)]
