"""Classes of one program share their models, and nothing else."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from fewshot import shared_models
from fewshot.errors import Note
from fewshot.perception import Perception
from fewshot.room import Classroom
from fewshot.shared_models import SharedModels


class Part:
    network = identity_network = name = "x"
    has_identity = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was opened; the detector "weak" has a note."""
    calls: list[dict[str, Any]] = []

    def open_perception(detector: Any, **named: Any) -> Perception:
        calls.append({"detector": detector, **named})
        notes = [Note("A weaker one is used.")] if detector == "weak" else []
        return Perception(Part(), Part(), Part(), notes=notes)  # type: ignore[arg-type]

    monkeypatch.setattr(shared_models, "open_perception", open_perception)
    return calls


def test_a_second_class_loads_nothing_and_has_its_own_notes(opened: list[Any]) -> None:
    models = SharedModels()
    first, second = models.perception("auto"), models.perception("auto")
    assert len(opened) == 1 and first.embedder is second.embedder and first.detector is second.detector
    first.notes += (Note("only of this class"),)
    assert second.notes == ()


def test_what_is_asked_for_decides(opened: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    models, network = SharedModels(), tmp_path / "own.onnx"
    network.write_bytes(b"1")
    kept = [
        models.perception(),
        models.perception("yunet"),
        models.perception(threads=2),
        models.perception(network=network),
    ]
    monkeypatch.setenv("FEWSHOT_ENGINE", "openvino")
    kept.append(models.perception())
    assert len(opened) == len({id(one.embedder) for one in kept}) == 5


def test_a_network_that_was_trained_anew_is_opened_anew(opened: list[Any], tmp_path: Path) -> None:
    import os

    models, network = SharedModels(), tmp_path / "own.onnx"
    network.write_bytes(b"1")
    first = models.perception(network=network)
    os.utime(network, ns=(1, 1))
    assert models.perception(network=network).embedder is not first.embedder and len(opened) == 2


def test_weaker_models_are_looked_for_again(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    models = SharedModels()
    first, second = models.perception("weak"), models.perception("weak")
    assert len(opened) == 2 and first.notes == second.notes != ()
    assert first.embedder is second.embedder, "no better ones were found: one copy in memory is enough"
    monkeypatch.setattr(
        shared_models,
        "open_perception",
        lambda *_, **__: Perception(Part(), Part(), Part()),  # type: ignore[arg-type]
    )
    better = models.perception("weak")
    assert better.notes == () and better.embedder is not first.embedder
    assert models.perception("weak").embedder is better.embedder


def test_a_detector_that_is_open_is_used_as_it_is(opened: list[Any]) -> None:
    models, detector = SharedModels(), Part()
    kept = [models.perception(detector), models.perception(detector)]  # type: ignore[arg-type]
    assert [call["detector"] for call in opened] == [detector] * 2 and len(kept) == 2


def test_models_leave_memory_with_the_last_class(opened: list[Any]) -> None:
    models = SharedModels()
    first, second = models.perception(), models.perception()
    del first
    gc.collect()
    assert len(models._open) == 1
    del second
    gc.collect()
    assert len(models._open) == 0


def test_a_class_uses_the_shared_models_and_adds_no_note_to_another(opened: list[Any]) -> None:
    models = SharedModels()
    rooms = [Classroom.temporary(name) for name in ("physics", "maths")]
    for room in rooms:
        room.open_models = models.perception
    one, other = (room.perception for room in rooms)
    assert one.embedder is other.embedder and one is not other and len(opened) == 1
