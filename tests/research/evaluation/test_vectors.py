"""Pictures through a made-up chain: what is cached, under which key, and what is asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from fewshot.errors import FewshotError, UsageError
from fewshot.faces.detections import Detections
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation import vectors as vectors_module
from fewshot.research.evaluation.crops import crop_pictures
from fewshot.research.evaluation.vectors import beside, detector_of, embed_pictures, spread, weights_of
from fewshot.types import Frame


class Detector:
    """One face in every picture whose middle is not black; counts its looks."""

    name, note = "made-up", None
    looks = 0

    def detect(self, frame: Frame) -> Detections:
        self.looks += 1
        if not frame[frame.shape[0] // 2, frame.shape[1] // 2].any():
            return Detections.of(np.zeros((0, 4)), [], np.zeros((0, 5, 2)), frame)
        landmarks = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)
        return Detections.of([[20, 20, 100, 120], [0, 0, 5, 5]], [0.9, 0.8], [landmarks, landmarks / 20], frame)


class Embedder:
    """Mean and spread of a crop; counts its crops."""

    network, identity_network = "made-up-1", "made-up-1:identity"
    engine, dimension, identity_dimension = "numpy", 2, 2
    seen = 0

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"a network")

    def embed_grey(self, crops: np.ndarray) -> np.ndarray:
        self.seen += len(crops)
        return np.array([(crop.mean(), crop.std()) for crop in crops], np.float32).reshape(-1, 2)


@pytest.fixture
def chain(tmp_path: Path) -> Perception:
    return Perception(Detector(), cast(Any, Embedder(tmp_path / "expression_fp32.onnx")))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Picture]:
    """Bright, black, grey: the second has no face."""
    made = []
    for number, level in enumerate((200, 0, 90)):
        frame = np.full((140, 120, 3), level, np.uint8)
        frame[60:90, 50:70] = level // 2
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame)
        made.append(Picture("made", f"{number}.png", f"person{number}", "happy", "1"))
    return made


def darker(frame: Frame) -> Frame:
    return frame // 2


def test_no_pictures(chain: Perception, tmp_path: Path) -> None:
    seen = embed_pictures(chain, [], tmp_path, tmp_path / "cache")
    assert seen.vectors.shape == (0, 2) and seen.found.shape == (0,) and seen.pictures == []


def test_rows_stay_at_the_places_of_their_pictures(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    seen = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    assert seen.found.tolist() == [True, False, True]
    assert not seen.vectors[1].any() and seen.vectors[0, 0] > seen.vectors[2, 0] > 0
    assert seen.subjects == ["made_person0", "made_person1", "made_person2"]
    kept = seen.only(seen.found)
    assert [picture.subject for picture in kept.pictures] == ["person0", "person2"]
    assert kept.vectors == pytest.approx(seen.vectors[[0, 2]])


def test_the_second_time_nothing_is_looked_at(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    first = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    looks, seen = cast(Any, chain.detector).looks, cast(Any, chain.embedder).seen
    again = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    assert (cast(Any, chain.detector).looks, cast(Any, chain.embedder).seen) == (looks, seen)
    assert np.array_equal(first.vectors, again.vectors)


def test_another_network_needs_no_new_detection(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    looks = cast(Any, chain.detector).looks
    other = Perception(chain.detector, cast(Any, Embedder(tmp_path / "other.onnx")))
    cast(Any, other.embedder).network = "made-up-2"
    embed_pictures(other, pictures, tmp_path, tmp_path / "cache")
    assert cast(Any, chain.detector).looks == looks and cast(Any, other.embedder).seen == 2


def test_a_change_is_kept_apart(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    plain = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    changed = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache", change=darker)
    assert changed.vectors[0, 0] == pytest.approx(plain.vectors[0, 0] / 2, abs=1.0)
    assert np.array_equal(embed_pictures(chain, pictures, tmp_path, tmp_path / "cache").vectors, plain.vectors)
    with pytest.raises(UsageError, match="name"):
        embed_pictures(chain, pictures, tmp_path, tmp_path / "cache", change=lambda frame: frame)


def test_a_changed_file_is_looked_at_again(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    cv2.imwrite(str(tmp_path / "1.png"), np.full((150, 130, 3), 120, np.uint8))
    assert embed_pictures(chain, pictures, tmp_path, tmp_path / "cache").found.all()


def test_colour_crops_serve_as_grey_ones(chain: Perception, pictures: list[Picture], tmp_path: Path) -> None:
    colour = crop_pictures(chain, pictures, tmp_path, tmp_path / "cache", colour=True)
    looks = cast(Any, chain.detector).looks
    grey = crop_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    assert cast(Any, chain.detector).looks == looks
    assert colour.colour is not None and colour.colour.shape == (3, 112, 112, 3) and grey.colour is None
    assert np.array_equal(grey.grey, colour.grey)
    assert np.abs(colour.colour[0].mean(axis=2) - grey.grey[0]).max() <= 1


def test_broken_pictures_and_missing_files_are_named(
    chain: Perception, pictures: list[Picture], tmp_path: Path
) -> None:
    (tmp_path / "2.png").write_bytes(b"no picture")
    with pytest.raises(FewshotError, match=r"2\.png"):
        embed_pictures(chain, pictures, tmp_path, tmp_path / "cache")
    with pytest.raises(UsageError, match="No detector"):
        detector_of(tmp_path)
    with pytest.raises(UsageError, match=r"expression\.safetensors"):
        weights_of(tmp_path / "expression_fp32.onnx")


def test_features_come_from_the_weights_beside_the_network(
    chain: Perception, pictures: list[Picture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "expression.safetensors").write_bytes(b"weights")
    asked: list[Path] = []

    def features(weights: Path, crops: np.ndarray) -> np.ndarray:
        asked.append(weights)
        return np.ones((len(crops), 3), np.float32)

    monkeypatch.setattr(vectors_module, "backbone_features", features)
    for _ in range(2):
        seen = embed_pictures(chain, pictures, tmp_path, tmp_path / "cache", features=True)
        assert seen.features is not None and seen.features.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1]]
    assert asked == [tmp_path / "expression.safetensors"]


def test_spread() -> None:
    rows = np.array([[1.0, 2.0]], np.float32)
    assert spread(rows, np.array([False, True])).tolist() == [[0, 0], [1, 2]]


def test_the_shipped_networks_files_lie_in_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, repository, other = tmp_path / "package", tmp_path / "repository", tmp_path / "other"
    for folder in (package, repository, other):
        folder.mkdir()
    (package / "expression.json").write_bytes(b"numbers")
    (repository / "expression.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(vectors_module, "WEIGHTS", package)
    monkeypatch.setattr(vectors_module, "REPOSITORY_WEIGHTS", repository)
    for network in (package / "expression.onnx", repository / "expression_fp32.onnx"):
        assert weights_of(network) == repository / "expression.safetensors"
        assert beside(network, ".json") == package / "expression.json"
    # The files of the shipped network are never taken for those of another one.
    assert beside(other / "expression.onnx", ".json") == other / "expression.json"
    with pytest.raises(UsageError, match=r"expression\.safetensors"):
        weights_of(other / "expression.onnx")
    (repository / "expression.safetensors").unlink()
    with pytest.raises(UsageError, match="experiments/weights of a checkout"):
        weights_of(package / "expression.onnx")
