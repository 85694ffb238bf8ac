"""The JSON lines: what is written, that it is valid, and that docs/reference/json-lines.md says the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from live_fakes import blank, reading, result

from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.jsonl import VERSION, JsonLines, as_record
from fewshot.types import EMOTIONS, FrameResult, Reading

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "json-lines.md"
FRAME = {"version": int, "source": str, "frame": int, "time": float, "width": int, "height": int, "faces": list}
FACE = {
    "track": int,
    "box": list,
    "score": float,
    "student": (str, type(None)),
    "identity_score": (float, type(None)),
    "emotion": (str, type(None)),
    "confidence": (float, type(None)),
    "probabilities": dict,
    "prototypes": str,
    "age": float,
    "quality": dict,
    "person": (int, type(None)),
    "named_by": (str, type(None)),
    "doubt": (str, type(None)),
}
NAN = float("nan")
CONFUSED = {**dict.fromkeys(EMOTIONS, 0.1), "confused": 0.3}


def check(record: dict) -> None:
    """Holds a record to the interface."""
    assert list(record) == list(FRAME) and record["version"] == VERSION
    for key, kind in FRAME.items():
        assert isinstance(record[key], kind), key
    for face in record["faces"]:
        assert list(face) == list(FACE)
        for key, kind in FACE.items():
            assert isinstance(face[key], kind), key
        x0, y0, x1, y1 = face["box"]
        assert 0 <= x0 < x1 <= record["width"] and 0 <= y0 < y1 <= record["height"]
        if face["probabilities"]:
            assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
            assert set(EMOTIONS) <= set(face["probabilities"])
        else:
            assert face["confidence"] is None and face["emotion"] is None
        assert face["prototypes"] in ("personal", "class", "population")


@pytest.mark.parametrize(
    "readings",
    [
        (),
        (reading(),),
        (reading(emotion=None),),
        (reading(student=None, emotion=None, confidence=None, probabilities={}),),
        (reading(0), reading(1, student="Zoë", emotion="confused", probabilities=CONFUSED)),
        (Reading(0, (NAN, -5.0, 900.0, 2.0), NAN, "a", NAN, "happy", NAN, {}, "class", NAN),),
        (reading(box=(63.9, 47.9, 63.95, 47.95)),),
        (reading(box=(30.0, 30.0, 10.0, 10.0)),),
    ],
)
def test_every_record_keeps_the_interface(readings: tuple[Reading, ...]) -> None:
    record = as_record(result(*readings))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    check(record)


def test_numbers_are_what_they_were() -> None:
    record = as_record(FrameResult("b.mp4", 12, 0.4, 64, 48, (reading(3),)))
    assert (record["frame"], record["time"], record["source"]) == (12, 0.4, "b.mp4")
    face = record["faces"][0]
    assert (face["track"], face["box"], face["student"], face["identity_score"]) == (3, [10, 12, 30, 36], "asha", 0.7)
    assert (face["emotion"], face["confidence"], face["probabilities"]["happy"]) == ("happy", 0.8, 0.8)


def test_a_line_a_frame_each_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    sink = JsonLines(path)
    for index in range(3):
        sink.write(result(*[reading(student="Zoë")] * index, index=index), blank())
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) == index + 1
        check(json.loads(lines[-1]))
    sink.close()
    sink.close()
    assert "Zoë" in path.read_text(encoding="utf-8")


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        JsonLines(tmp_path / "nowhere" / "out.jsonl")
    with pytest.raises(OutputError, match="cannot be written"):
        JsonLines(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full (Linux)")
def test_a_full_disk_is_named() -> None:
    sink = JsonLines("/dev/full")
    with pytest.raises(OutputError, match=r"/dev/full cannot be written: No space left"):
        sink.write(result(), blank())
    with pytest.raises(OutputError):
        sink.close()


def test_the_document_shows_a_valid_line_and_every_key() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    example = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])
    check(example)
    assert f"version {VERSION}" in text.splitlines()[0]
    first_cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}
    assert documented == set(FRAME) | set(FACE)
