"""``--names``: names from the labels of a call, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot import room as room_module
from fewshot.call_labels import reader as reader_module
from fewshot.call_labels.students import DISAGREE
from fewshot.call_labels.tile_labels import Text
from tests.test_cli import drawn, enroll, fewshot, lesson, photos, records

__all__ = ["drawn", "lesson", "photos"]
SECRET = "Zzyzx"


class Reader:
    """Reads the three squares of ``lesson`` by their place."""

    labels = ("Asha (Host)", "Bela", f"Visitor {SECRET}")

    def read(self, _frame: object, boxes: list, wanted: list[int]) -> list[Text]:
        return [Text(self.labels[round((float(boxes[number][0]) - 20) / 150)], 0.99) for number in wanted]


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    monkeypatch.setattr(room_module, "open_reader", Reader)
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


def test_what_it_needs_is_said(photos: Path, lesson: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    enroll(photos)
    assert "Give one" in fewshot("analyze", lesson, "--names", "labels", code=2)
    assert "--names" in fewshot("analyze", lesson, "--names", "labels", "--jobs", "2", code=2)
    assert "face" in fewshot("live", "--names", "eyes", code=2)
    monkeypatch.setattr(room_module, "open_reader", reader_module.open_reader)
    monkeypatch.setattr(reader_module, "find_spec", lambda _name: None)
    said = fewshot("analyze", lesson, "--class", "physics", "--names", "labels", code=2)
    assert "rapidocr, which is not installed" in said
    monkeypatch.setenv("FEWSHOT_API", "https://school.example/api")
    monkeypatch.setenv("FEWSHOT_TOKEN", "x" * 40)
    assert "--names cannot be used" in fewshot("live", "--class", "physics", "--names", "both", code=2)
