"""``--names``: names from the labels of a call, on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_faces import draw_photo

from fewshot import room as room_module
from fewshot.call_labels import reader as reader_module
from fewshot.call_labels.students import DISAGREE
from fewshot.call_labels.tile_labels import Text
from fewshot.classroom.store import ClassStore
from fewshot.commands import runs as runs_module
from tests.test_cli import ASHA, BELA, HAPPY, drawn, enroll, fewshot, lesson, photos, records

__all__ = ["drawn", "lesson", "photos"]
SECRET = "Zzyzx"


class Reader:
    """Reads the three squares of ``lesson`` by their place."""

    labels = ("Asha (Host)", "Bela", f"Visitor {SECRET}")

    def read(self, frame: np.ndarray, boxes: list, wanted: list[int]) -> list[Text]:
        places = [float(boxes[number][0]) * 480 / frame.shape[1] for number in wanted]
        return [Text(self.labels[round((x - 20) / 150)], 0.99) for x in places]


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    for module in (room_module, runs_module):
        monkeypatch.setattr(module, "open_reader", Reader)
    monkeypatch.setattr("fewshot.call_labels.tile_labels.EVERY", 0.3)
    monkeypatch.setattr(Reader, "labels", Reader.labels)
    return Reader


def names_of(path: Path) -> list[tuple[object, object, object]]:
    last = records(path)[-1]["faces"]
    return [(one["student"], one["named_by"], one["doubt"]) for one in sorted(last, key=lambda one: one["box"][0])]


def test_names_from_labels_only(photos: Path, lesson: Path, tmp_path: Path) -> None:
    enroll(photos)
    out = tmp_path / "out.jsonl"
    said = fewshot("analyze", lesson, "--class", "physics", "--names", "labels", "--jsonl", out, "--csv", "out.csv")
    assert names_of(out) == [("asha", "label", None), ("bela", "label", None), (None, None, None)]
    assert all(one["identity_score"] is None and one["person"] is None for row in records(out) for one in row["faces"])
    everything = said + out.read_text() + Path("out.csv").read_text()
    assert SECRET not in everything
    again = tmp_path / "again.jsonl"
    fewshot("analyze", lesson, "--class", "physics", "--names", "labels", "--jsonl", again)
    assert again.read_bytes() == out.read_bytes()


def test_a_label_and_a_face_that_disagree(
    photos: Path, lesson: Path, tmp_path: Path, reader: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(photos)
    monkeypatch.setattr(reader, "labels", ("Bela", "Visitor", "Asha"))
    out = tmp_path / "out.jsonl"
    fewshot("analyze", lesson, "--class", "physics", "--names", "both", "--jsonl", out)
    assert names_of(out) == [(None, None, DISAGREE), ("bela", "face", None), (None, None, None)]
    fewshot("analyze", lesson, "--class", "physics", "--jsonl", out)
    assert names_of(out) == [("asha", "face", None), ("bela", "face", None), (None, None, None)]


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """A screenshot of three people, of whom the third is not enrolled."""
    return draw_photo(tmp_path / "gallery.png", {ASHA: 100, BELA: 100, 5: 100}, HAPPY)


def test_a_single_picture_of_a_gallery(
    photos: Path, gallery: Path, tmp_path: Path, reader: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(photos)
    out = tmp_path / "out.jsonl"
    said = fewshot("analyze", gallery, "--class", "physics", "--names", "labels", "--jsonl", out, "--csv", "out.csv")
    assert names_of(out) == [("asha", "label", None), ("bela", "label", None), (None, None, None)]
    assert all(one["identity_score"] is None and one["person"] is None for one in records(out)[0]["faces"])
    assert SECRET not in said + out.read_text() + Path("out.csv").read_text()
    monkeypatch.setattr(reader, "labels", ("Bela", "Visitor", "Asha"))
    fewshot("analyze", gallery, "--class", "physics", "--names", "both", "--jsonl", out)
    assert names_of(out) == [(None, None, DISAGREE), ("bela", "face", None), (None, None, None)]
    fewshot("analyze", gallery, "--class", "physics", "--jsonl", out)  # off by default
    assert names_of(out) == [("asha", "face", None), ("bela", "face", None), (None, None, None)]


def test_a_video_after_a_picture_has_its_own_names(photos: Path, gallery: Path, lesson: Path, tmp_path: Path) -> None:
    enroll(photos)
    out = tmp_path / "out.jsonl"
    fewshot("analyze", gallery, lesson, gallery, "--class", "physics", "--names", "labels", "--jsonl", out)
    first = [[face["student"] for face in row["faces"]] for row in records(out)]
    assert first[0] == first[-1] and set(first[0]) == {"asha", "bela", None}
    assert set(first[1]) == {None}  # the video needs two readings of its own
    assert set(first[-2]) == {"asha", "bela", None}


@pytest.mark.parametrize("source", ["lesson", "gallery"])
def test_a_given_name_of_two_students_is_nobodys_and_a_class_without_consent_is_said(
    photos: Path, source: str, tmp_path: Path, request: pytest.FixtureRequest, reader: type[Reader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    picture, out = request.getfixturevalue(source), tmp_path / "out.jsonl"
    enroll(photos)
    store = ClassStore()
    store.rename_student("physics", "asha", "Asha Patel")
    store.rename_student("physics", "bela", "Asha Rao")
    monkeypatch.setattr(reader, "labels", ("Asha", "Asha R.", "Asha"))
    fewshot("analyze", picture, "--class", "physics", "--names", "labels", "--jsonl", out)
    assert [name for name, _, _ in names_of(out)] == [None, "Asha Rao", None]
    store.create("empty")
    said = fewshot("analyze", picture, "--class", "empty", "--names", "labels", "--jsonl", out)
    assert "No student of empty has a valid consent, so no label names anybody" in said
    assert {name for name, _, _ in names_of(out)} == {None} and "Rao" not in out.read_text()


def test_what_it_needs_is_said(photos: Path, lesson: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    enroll(photos)
    assert "Give one" in fewshot("analyze", lesson, "--names", "labels", code=2)
    assert "face" in fewshot("live", "--names", "eyes", code=2)
    for module in (room_module, runs_module):
        monkeypatch.setattr(module, "open_reader", reader_module.open_reader)
    monkeypatch.setattr(reader_module, "find_spec", lambda _name: None)
    said = fewshot("analyze", lesson, "--class", "physics", "--names", "labels", code=2)
    assert "rapidocr, which is not installed" in said
