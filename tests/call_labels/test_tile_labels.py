"""Labels over time: when they are read, when a name holds, and what is dropped at once."""

from __future__ import annotations

import gc
import logging
import threading
import time

import numpy as np
import pytest
from label_fakes import CLASS, FRAME, Script, faces

from fewshot.call_labels import tile_labels
from fewshot.call_labels.tile_labels import AGAIN, AGREE, EVERY, SOMEBODY, STALE, Text, TileLabels


def labels_of(
    script: Script, students: tuple[str, ...] = CLASS, consenting: tuple[str, ...] | None = None
) -> TileLabels:
    labels = TileLabels(script, wait=True)
    labels.names(students, students if consenting is None else consenting)
    return labels


def see(labels: TileLabels, *places: int, at: list[float]) -> None:
    for moment in at:
        labels.see(FRAME, faces(*places), moment)


def test_two_readings_make_a_name_and_it_is_read_again_now_and_then() -> None:
    script = Script(x5="Asha Patel (Host)")
    labels = labels_of(script)
    labels.see(FRAME, faces(5), 0.0)
    assert labels.student_of(0, 0.0) is None
    see(labels, 5, at=[0.04 * count for count in range(1, 60)])  # until 2.36 s
    assert labels.student_of(0, 2.4) == "Asha Patel" and len(script.asked) == 2
    see(labels, 5, at=[2.4 + 0.1 * count for count in range(300)])
    assert len(script.asked) == pytest.approx(2 + 30 / AGAIN, abs=1)


@pytest.mark.parametrize("text", [None, Text("Asha Patel", 0.5), "Somebody Else", "", "Ann…"])
def test_what_cannot_be_read_or_is_nobody_of_the_class_gives_no_name(text: str | Text | None) -> None:
    labels = labels_of(Script(x5=text))
    see(labels, 5, at=[0.0, 3.0, 6.0, 9.0])
    assert labels.student_of(0, 9.0) is None and labels.offer_of(0) == ""


def test_the_text_of_somebody_who_is_no_student_is_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "Zzyzx Unbekannt"
    labels = labels_of(Script(x5=secret))
    labels._reader.texts = {"x5": "".join(["Zzyzx", " Unbekannt"])}
    see(labels, 5, at=[0.0, 3.0, 6.0])
    held = [one for one in gc.get_objects() if isinstance(one, Text | tile_labels._Track)]
    assert (
        secret not in repr([one for one in held if isinstance(one, tile_labels._Track)]) and secret not in caplog.text
    )


def test_another_label_takes_the_name_away_at_once() -> None:
    script = Script(x5="Asha Patel")
    labels = labels_of(script)
    see(labels, 5, at=[0.0, 3.0])
    for other in ("Ben Okafor", "Somebody Else"):
        script.texts["x5"] = other
        see(labels, 5, at=[8.0])
        assert labels.student_of(0, 8.0) is None
        script.texts["x5"] = "Asha Patel"
        see(labels, 5, at=[11.0, 14.0])
        assert labels.student_of(0, 14.0) == "Asha Patel"
        labels.forget(())


def test_a_name_outlives_a_label_that_is_covered_for_a_moment_but_not_for_long() -> None:
    script = Script(x5="Asha Patel")
    labels = labels_of(script)
    see(labels, 5, at=[0.0, 3.0])
    script.texts.clear()
    see(labels, 5, at=[8.0, 12.0])
    assert labels.student_of(0, 12.0) == "Asha Patel"
    assert labels.student_of(0, 3.0 + STALE + 1) is None


def test_names_that_differ_in_one_letter_need_more_and_surer_readings() -> None:
    script = Script(x5="Anna", x50=Text("Anne", 0.85))
    labels = labels_of(script)
    see(labels, 5, 50, at=[0.0, 3.0])
    assert labels.student_of(0, 3.0) is None
    see(labels, 5, 50, at=[6.0, 9.0])
    assert labels.student_of(0, 9.0) == "Anna" and labels.student_of(1, 9.0) is None


def test_a_track_that_may_show_somebody_else_loses_its_name_and_a_reading_on_its_way() -> None:
    script = Script(x5="Asha Patel")
    labels = labels_of(script)
    see(labels, 5, at=[0.0, 3.0])
    labels.see(FRAME, faces(5), 3.1, changed={0})
    assert labels.student_of(0, 3.1) is None
    labels = TileLabels(script)
    labels.names(CLASS, CLASS)
    script.gate = threading.Event()
    labels.see(FRAME, faces(5), 0.0)
    while not script.asked:
        time.sleep(0.001)
    labels.see(FRAME, faces(5), 0.1, changed={0})
    script.gate.set()
    time.sleep(0.05)
    assert 0 not in labels._tracks


def test_students_who_leave_or_withdraw_lose_their_name_at_once() -> None:
    labels = labels_of(Script(x5="Asha Patel"))
    see(labels, 5, at=[0.0, 3.0])
    labels.names(CLASS, CLASS[1:])
    assert labels.student_of(0, 3.0) is None and labels.offer_of(0) == ""
    see(labels, 5, at=[8.0, 11.0])
    assert labels.student_of(0, 11.0) == SOMEBODY and labels.offer_of(0) == ""


def test_the_loop_never_waits_and_no_second_frame_queues_up() -> None:
    script = Script(x5="Asha Patel")
    script.gate = threading.Event()
    labels = TileLabels(script)
    labels.names(CLASS, CLASS)
    begun = time.perf_counter()
    for moment in range(200):
        labels.see(FRAME, faces(5), float(3 * moment))
    assert time.perf_counter() - begun < 2 and len(script.asked) <= 1
    script.gate.set()


def test_it_rests_between_two_frames_for_as_long_as_the_last_one_took() -> None:
    now = [0.0]

    class Slow(Script):
        def read(self, *asked: object) -> list[Text | None]:
            now[0] += 4.0
            return super().read(*asked)

    script = Slow(x5="Asha Patel")
    labels = TileLabels(script, clock=lambda: now[0])
    labels.names(CLASS, CLASS)
    for _moment in range(60):
        now[0] += 0.5
        labels.see(FRAME, faces(5), now[0])
        while labels._busy or labels._job:
            time.sleep(0.001)
    assert len(script.asked) <= 1 + now[0] / 8


def test_the_thread_ends_when_there_is_no_work_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_labels, "IDLE", 0.05)
    labels = labels_of(Script(x5="Asha Patel"))
    see(labels, 5, at=[0.0])
    until = time.monotonic() + 5
    while labels._thread is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert labels._thread is None
    see(labels, 5, at=[3.0])
    assert labels.student_of(0, 3.0) == "Asha Patel"


def test_a_reader_that_fails_ends_no_lesson_and_says_nothing_about_anybody(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(x5="Asha Patel")
    script.error = ValueError("Asha Patel")
    labels = labels_of(script)
    see(labels, 5, at=[3.0 * count for count in range(9)])
    assert len(script.asked) == 3 and "cannot be read: ValueError" in caplog.text and "Asha" not in caplog.text


def test_other_names_are_offered_only_while_the_teacher_collects_unknown_faces() -> None:
    labels = labels_of(Script(x5="Ravi Kumar (he/him)", x50="Asha Patel"))
    see(labels, 5, 50, at=[0.0, 3.0])
    assert [labels.offer_of(0), labels.offer_of(1)] == ["", "Asha Patel"]
    labels.offers = True
    see(labels, 5, 50, at=[8.0])
    assert labels.offer_of(0) == ""  # one reading is not enough
    see(labels, 5, 50, at=[13.0])
    assert labels.offer_of(0) == "Ravi Kumar" and labels.student_of(0, 13.0) is None
    labels.offers = False
    assert labels.offer_of(0) == "" and "Ravi" not in repr(labels._tracks)


def test_single_pictures_and_ended_tracks() -> None:
    script = Script(x5="Asha Patel")
    labels = labels_of(script)
    labels.see(FRAME, faces(5, track=-1), 0.0)
    assert script.asked == [] and labels.student_of(-1, 0.0) is None
    see(labels, 5, at=[0.0, 3.0])
    labels.forget({7})
    assert labels.student_of(0, 3.0) is None
    see(labels, 5, at=[0.0, 1.0])  # the next file begins at 0
    assert len(script.asked) == 3


assert EVERY > 1 and AGREE > 1


@pytest.mark.parametrize(
    ("texts", "student"),
    [
        (("Asha Patel", "Asha Patel", "0Asha Patel"), "Asha Patel"),  # one slip does not take the name away
        (("Asha Patel", "Asha Patek", "Asha Patel"), "Asha Patel"),
        (("Asha Patel", "Asha Patel", "Asha Patek", "Asha Patek"), None),  # twice is another label
        (("Asha Patel", "Asha Patek", "Asha Patek", "Asha Patel"), None),
        (("Asha Patel", "Asha Patel", "Visitor"), None),
        (("Asha Patel", "Asha Patel", "Anne"), None),
        (("Asha Patel", "Asha Patel", "Asha"), "Asha Patel"),
    ],
)
def test_a_slip_of_the_reader_is_passed_over_once(texts: tuple[str, ...], student: str | None) -> None:
    script = Script()
    labels = labels_of(script)
    for number, text in enumerate(texts):
        script.texts["x5"] = text
        labels.see(FRAME, faces(5), 5.0 * number)
    assert labels.student_of(0, 5.0 * len(texts)) == student


def test_a_label_that_could_be_two_students_is_no_slip() -> None:
    script = Script(x5="Asha P.")
    labels = labels_of(script, ("Asha Patel", "Asha Pfau"))
    script.texts["x5"] = "Asha Patel"
    see(labels, 5, at=[0.0, 5.0, 10.0])
    assert labels.student_of(0, 10.0) == "Asha Patel"
    script.texts["x5"] = "Asha"
    see(labels, 5, at=[15.0])
    assert labels.student_of(0, 15.0) is None


def test_a_fault_of_the_comparison_is_waited_for_by_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_book: object, _text: str) -> None:
        raise ValueError("Zzyzx")

    labels = labels_of(Script(x5="Asha Patel"))
    with monkeypatch.context() as patch:
        patch.setattr(tile_labels.NameBook, "match", fail)
        see(labels, 5, at=[0.0, 3.0])
    see(labels, 5, at=[6.0, 9.0])
    assert labels.student_of(0, 9.0) == "Asha Patel"  # two faults are no reason to give up
    with monkeypatch.context() as patch:
        patch.setattr(tile_labels.NameBook, "match", fail)
        see(labels, 5, at=[15.0, 20.0, 25.0])
    assert "cannot be read: ValueError" in caplog.text and "Zzyzx" not in caplog.text


class Sizes:
    """Says something else of a face in each size of a picture."""

    def __init__(self, *texts: str | Text | None) -> None:
        self.texts, self.places = list(texts), []

    def read(self, frame: np.ndarray, boxes: list[np.ndarray], wanted: list[int]) -> list[Text | None]:
        said = self.texts[len(self.places)] if len(self.places) < len(self.texts) else None
        self.places.append((frame.shape[1] / FRAME.shape[1], [float(boxes[number][0]) for number in wanted]))
        return [Text(said, 0.99) if isinstance(said, str) else said for _ in wanted]


@pytest.mark.parametrize(
    ("texts", "student"),
    [
        (("Asha Patel", "Asha Patel"), "Asha Patel"),
        (("Asha Patel", None, "Asha P."), "Asha Patel"),
        ((None, "Asha", "Asha"), "Asha Patel"),
        (("Asha Patel", "Ben Okafor", "Asha Patel"), None),
        (("Asha Patel", "Visitor", "Visitor"), None),
        (("Anna", None, "Anna", "Anna"), "Anna"),
        (("Anna", None, "Anna"), None),
        (("Anna", "Anna", "Anna"), "Anna"),  # with an Anne in the class all three must agree
        (("Anna", "Anna", Text("Anna", 0.9)), None),
        (("Visitor", "Visitor", "Visitor"), None),
        ((None, None, None), None),
    ],
)
def test_a_single_picture_is_read_in_sizes_that_must_agree(
    texts: tuple[str | Text | None, ...], student: str | None
) -> None:
    reader = Sizes(*texts)
    assert labels_of(reader).in_picture(FRAME, faces(20)) == [student]
    for scale, places in reader.places:  # the box lies where its face is in the larger picture
        assert places == [pytest.approx(20 * scale)]
    assert len(reader.places) == (len(texts) if student else 4)


def test_a_picture_without_faces_or_with_a_reader_that_fails_has_no_names(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(x5="Asha Patel")
    labels = labels_of(script)
    assert labels.in_picture(FRAME, []) == [] and script.asked == []
    script.error = OSError("Zzyzx")
    assert labels.in_picture(FRAME, faces(5, 50)) == [None, None]
    assert "cannot be read" in caplog.text and "Zzyzx" not in caplog.text


def test_what_stands_in_a_picture_is_no_offer_and_the_name_of_somebody_without_consent_is_nobodys() -> None:
    labels = labels_of(Sizes(*["Visitor Zzyzx"] * 3))
    labels.offers = True
    assert labels.in_picture(FRAME, faces(20)) == [None] and labels.offer_of(0) == labels.offer_of(-1) == ""
    assert labels_of(Sizes(*["Ben Okafor"] * 3), consenting=("Anna",)).in_picture(FRAME, faces(20)) == [SOMEBODY]
