"""From your own pictures to a network that the product runs: train, export, population, evaluate, enroll."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")
pytest.importorskip("pytorch_lightning", reason="needs the extra 'train'")

from experiments import evaluate, export, population
from fewshot.embedding.runtime import Embedder
from fewshot.faces.align import EXPRESSION_TEMPLATE
from fewshot.faces.detections import Detections
from fewshot.prototypes.population import Population
from fewshot.research.evaluation import protocol_results
from fewshot.research.training import train
from fewshot.research.training.drawn_faces_table import drawn_face
from fewshot.types import EMOTIONS, Frame

CONF = str(Path(__file__).resolve().parents[2] / "conf")
SILENT = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
QUIET = ["+trainer.enable_progress_bar=false", "+trainer.enable_model_summary=false", *SILENT]
TINY = ["backbone.backbone=test_efficientnet", "+backbone.size=48", "+data.size=48", "data.workers=0"]
SIDE = 112


class WholePicture:
    """A detector for pictures that are cut to the face."""

    name, note = "whole", None

    def detect(self, frame: Frame) -> Detections:
        height, width = frame.shape[:2]
        points = EXPRESSION_TEMPLATE / SIDE * (width, height)
        return Detections(
            np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32), points[None].astype(np.float32)
        )


def drawn(folder: Path, subjects: str = "abcdefgh", words: tuple[str, ...] = EMOTIONS) -> None:
    rng = np.random.default_rng(0)
    for subject in subjects:
        for word in words:
            (folder / subject / word).mkdir(parents=True)
            for number in range(2):
                picture = cv2.resize(drawn_face(word, rng), (SIDE, SIDE))
                cv2.imwrite(str(folder / subject / word / f"{number}.png"), picture)


def script(monkeypatch: pytest.MonkeyPatch, main: object, *words: str) -> int:
    """Run the ``main`` of a script with a command line; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["script.py", *words])
    try:
        main()  # type: ignore[operator]
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("PL_SEED_WORKERS", "1")
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return tmp_path


def test_a_network_of_own_pictures_goes_all_the_way(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    drawn(place / "faces")
    own = ["--own", "faces", "--faces", "whole"]
    words = ["data=folder", "data.root=faces", "data.faces=whole", "trainer.max_epochs=2", "hydra.run.dir=run"]
    assert script(monkeypatch, train.main, *words, *TINY, *QUIET, "shared=nowhere") == 0
    assert script(monkeypatch, export.main, "run/last.ckpt", "--out", "mine", *own) == 0
    assert script(monkeypatch, population.main, "--weights", "mine", *own) == 0
    said = capfd.readouterr().out
    assert "training faces" in said and "Balanced accuracy on the validation faces" in said

    made = Population.load("mine/expression.json")
    embedder = Embedder(Path("mine/expression.onnx"), engine="onnxruntime")
    assert made.network == embedder.network and set(made.classes) == set(EMOTIONS)
    assert made.dimension == embedder.dimension and made.variances.within > 0

    # SCRFD finds no face in a drawing.
    monkeypatch.setattr(protocol_results, "open_detector", lambda kind: WholePicture())
    asked = ["protocol=own", "own=faces", "network=mine/expression.onnx", "estimator=cl2n", "outputs=kept"]
    few = ["protocol.episodes.episodes=20", "protocol.episodes.shots=[1]"]
    assert script(monkeypatch, evaluate.main, "--config-path", CONF, *asked, *few, "hydra.run.dir=asked", *SILENT) == 0
    said = capfd.readouterr().out
    assert "Written: kept/own" in said and made.network in said


def test_what_the_chain_lacks_is_said_in_words(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    drawn(place / "faces", "ab", ("happy", "sad"))
    for main, words, told in (
        (population.main, ["--own", "faces"], "--own goes with --weights FOLDER"),
        (population.main, ["--own", "faces", "--weights", "gone"], "gone"),
        (export.main, ["gone.ckpt", "--own", "faces"], "gone.ckpt"),
        (export.main, ["gone.safetensors", "--own", "faces"], "gone.safetensors"),
    ):
        assert script(monkeypatch, main, *words) > 0
        said = capfd.readouterr().err
        assert told in said and "Traceback" not in said, said


def test_the_smoke_network_goes_on_with_own_pictures(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Trained on what ``experiment=smoke`` draws; its prototypes are of words and people of somebody's own."""
    words = ["experiment=smoke", "data.limit=64", "logger=csv", "callbacks=none", "hydra.run.dir=run"]
    assert script(monkeypatch, train.main, *words, *TINY, *QUIET, "shared=nowhere") == 0
    drawn(place / "faces", "abcd", ("happy", "sad"))
    for folder in (place / "faces").glob("*/sad"):
        folder.rename(folder.with_name("confused"))
    flat = place / "flat"  # nobody knows who is on them
    for picture in sorted((place / "faces").glob("*/*/*.png")):
        target = flat / picture.parent.name / f"{picture.parents[1].name}{picture.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture.read_bytes())
    own = ["--own", "flat", "--faces", "whole"]
    assert script(monkeypatch, export.main, "run/last.ckpt", "--out", "mine", *own) == 0
    assert script(monkeypatch, population.main, "--weights", "mine", *own) == 0
    said = capfd.readouterr().out
    assert "Classes: happy, confused." in said and "How much people differ was not measured" in said
    variances = json.loads(Path("mine/expression.json").read_text())["variances"]
    assert all(value >= 0 for value in variances.values()) and variances["student"] > 0
