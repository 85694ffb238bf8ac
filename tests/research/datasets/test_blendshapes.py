"""What MediaPipe sees move in a face, made free of left and right."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import FewshotError, UsageError
from fewshot.research.datasets.blendshapes import NAMES, PAIRS, SHAPES, SINGLES, BlendshapeTeacher, mirror_free

TASK = "models/pretrained/face_landmarker.task"


def swapped(values: np.ndarray) -> np.ndarray:
    """The same face in a mirror. What a jaw or a mouth does to one side, it does to the other."""
    other = [name.replace("Left", "?").replace("Right", "Left").replace("?", "Right") for name in NAMES]
    return values[:, [NAMES.index(name) for name in other]]


def test_names_stand_in_the_order_of_the_model() -> None:
    assert len(NAMES) == 52 and len(set(NAMES)) == 52
    places = {1: "browDownLeft", 9: "eyeBlinkLeft", 25: "jawOpen", 38: "mouthPucker", 44: "mouthSmileLeft"}
    assert {place: NAMES[place] for place in places} == places


def test_a_mirrored_face_gives_the_same_numbers() -> None:
    values = np.random.default_rng(0).random((20, 52))
    made = mirror_free(values)
    assert made.shape == (20, SHAPES)
    np.testing.assert_allclose(mirror_free(swapped(values)), made, atol=1e-6)


def test_a_crooked_smile_is_half_a_smile_and_crooked() -> None:
    values = np.zeros((1, 52))
    values[0, NAMES.index("mouthSmileLeft")] = 0.64
    values[0, NAMES.index("jawOpen")] = 0.25
    made = mirror_free(values)[0]
    smile = len(SINGLES) + PAIRS.index("mouthSmile")
    assert made[smile] == pytest.approx(0.4) and made[smile + len(PAIRS)] == pytest.approx(0.8)
    assert made[SINGLES.index("jawOpen")] == pytest.approx(0.5)
    assert made.sum() == pytest.approx(0.4 + 0.8 + 0.5)


def test_looking_to_a_side_is_one_number() -> None:
    values = np.zeros((2, 52))
    values[0, [NAMES.index("eyeLookInLeft"), NAMES.index("eyeLookOutRight")]] = 0.49
    # Squinting inwards looks to no side.
    values[1, [NAMES.index("eyeLookInLeft"), NAMES.index("eyeLookInRight")]] = 0.49
    assert mirror_free(values)[:, -1].tolist() == pytest.approx([1.4, 0.0])


def test_a_missing_or_wrong_file_is_said(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT, which is no dependency: uv pip install ai-edge-litert")
    with pytest.raises(UsageError, match="No face landmarker"):
        BlendshapeTeacher(tmp_path / "absent.task")
    with zipfile.ZipFile(tmp_path / "other.task", "w") as archive:
        archive.writestr("face_detector.tflite", b"")
    with pytest.raises(UsageError, match=r"not MediaPipe's face landmarker.*face_landmarks_detector"):
        BlendshapeTeacher(tmp_path / "other.task")


def test_without_litert_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(FewshotError, match="uv pip install ai-edge-litert"):
        BlendshapeTeacher(Path("any.task"))


def test_real_smiles_smile(shared: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT, which is no dependency: uv pip install ai-edge-litert")
    from fewshot.faces.detectors.scrfd import ScrfdDetector
    from fewshot.research.datasets.subjects import read_subjects

    teacher = BlendshapeTeacher(shared / TASK)
    detector = ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx")
    smiles: dict[str, list[float]] = {"happy": [], "neutral": []}
    for picture in read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=["happy", "neutral"]):
        if len(smiles[picture.emotion]) == 8:
            continue
        frame = cv2.imread(str(shared / "data" / picture.path))
        frame = cv2.copyMakeBorder(frame, 64, 64, 64, 64, cv2.BORDER_REPLICATE)  # too tight for the detector
        found = detector.detect(frame)
        values, score = teacher.see(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), found.landmarks[0])
        assert score > 0.7
        smiles[picture.emotion].append(
            float(values[[NAMES.index(f"mouthSmile{side}") for side in ("Left", "Right")]].mean())
        )
    assert min(smiles["happy"]) > max(smiles["neutral"])
