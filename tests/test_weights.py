"""What ships: the files are the ones the registry names, fit each other, and stay small."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.checksums import sha256_of
from fewshot.embedding import runtime
from fewshot.embedding.runtime import Embedder, open_embedder
from fewshot.inference.onnx import Choice, Engine
from fewshot.loops import open_population
from fewshot.models import files
from fewshot.models.files import REGISTRY, REPOSITORY_WEIGHTS, WEIGHTS, resolve
from fewshot.perception import open_perception
from fewshot.types import EMOTIONS


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_weights_stay_small() -> None:
    assert size_of(WEIGHTS) < 10_500_000  # with the network of the version before
    assert size_of(WEIGHTS) + size_of(REPOSITORY_WEIGHTS) < 28_500_000


@pytest.mark.parametrize("name", ["expression", "expression_previous", "expression_fp32", "identity", "landmarks"])
def test_the_registry_knows_the_files(name: str) -> None:
    path = resolve(name, download=False)
    assert path.parent == (WEIGHTS if name != "expression_fp32" else REPOSITORY_WEIGHTS)
    assert (sha256_of(path), path.stat().st_size) == (REGISTRY[name].sha256, REGISTRY[name].size)


def test_the_population_was_made_by_the_shipped_network() -> None:
    embedder, population = open_embedder(), open_population()
    assert population.network == embedder.network
    assert population.classes == EMOTIONS
    assert population.prototypes.shape == (7, embedder.dimension)


def test_any_crop_gives_unit_vectors() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    crops[0] = 0
    embedder = open_embedder()
    for vectors in (embedder.embed(crops), embedder.identify(crops)):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_eight_bits_give_nearly_the_same_vectors(engine: Engine) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    exact, coarse = (Embedder(resolve(name), engine=engine) for name in ("expression_fp32", "expression"))
    assert exact.network == coarse.network
    # Smooth pictures with a drawn face: what the network sees in noise nobody needs. On faces it is 0.995 and more
    # (experiments/results/quantised.md); drawings lie far from what the scales were read off.
    rng = np.random.default_rng(0)
    crops = np.stack([_drawing(rng) for _ in range(32)])
    assert (exact.embed_grey(crops) * coarse.embed_grey(crops)).sum(axis=1).mean() > 0.97


@pytest.fixture
def any_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine is here, and what it runs is really run by the processor."""
    really_open = runtime.open_session
    monkeypatch.setattr(runtime, "choose_engine", lambda engine: Choice("cuda" if engine == "auto" else engine, ""))
    monkeypatch.setattr(
        runtime,
        "open_session",
        lambda path, threads, engine, fast: really_open(path, threads, "onnxruntime", fast=fast),
    )


@pytest.mark.usefixtures("any_engine")
def test_graphics_cards_get_the_file_in_32_bits() -> None:
    engines: tuple[Engine, ...] = ("onnxruntime", "openvino", "cuda", "coreml")
    opened = [open_embedder(engine=engine) for engine in engines]
    assert [embedder.path.name for embedder in opened] == ["expression.onnx"] * 2 + ["expression_fp32.onnx"] * 2
    assert [embedder.note for embedder in opened] == [None] * 4
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    assert all(embedder.identify(crop).shape == (1, embedder.identity_dimension) for embedder in opened)


@pytest.mark.usefixtures("any_engine")
@pytest.mark.parametrize("damaged", [False, True])
def test_without_that_file_a_graphics_card_runs_the_8_bits_and_says_so_once(
    damaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REPOSITORY_WEIGHTS", tmp_path)
    if damaged:
        (tmp_path / "expression_fp32.onnx").write_bytes(b"half of it")
    for engine in ("cuda", "coreml"):
        embedder = open_embedder(engine=engine)
        assert embedder.path == WEIGHTS / "expression.onnx"
        assert (
            embedder.note is not None and engine in embedder.note.text and "fewshot models list" in embedder.note.hint
        )
    assert open_embedder(engine="onnxruntime").note is None
    notes = open_perception("cascade", download=False, recogniser="own").notes
    assert len([note for note in notes if "8-bit network" in note.text]) == 1


@pytest.mark.usefixtures("any_engine")
def test_a_network_of_your_own_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "REPOSITORY_WEIGHTS", tmp_path)
    embedder = open_embedder(WEIGHTS / "expression.onnx", engine="cuda")
    assert embedder.note is None


def _drawing(rng: np.random.Generator) -> np.ndarray:
    """A grey oval with eyes and a mouth somewhere near their places, shape (112, 112)."""
    crop = np.full((112, 112), rng.integers(40, 120), np.uint8)
    cv2.ellipse(crop, (56, 60), (40, 54), 0, 0, 360, int(rng.integers(130, 230)), -1)
    for x in (38, 74):
        cv2.circle(crop, (x + int(rng.integers(-2, 3)), 46), int(rng.integers(3, 7)), 40, -1)
    width, open_by = (int(value) for value in rng.integers((12, 1), (24, 12)))
    cv2.ellipse(crop, (56, 84), (width, open_by), 0, 0, 360, 60, -1)
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.5), np.uint8)


def test_the_safetensors_are_the_onnx_files() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    from fewshot.research.training.export import largest_difference, load_state, stored_fingerprint

    safetensors = REPOSITORY_WEIGHTS / "expression.safetensors"
    network, heads = load_state(safetensors)
    crops = np.random.default_rng(1).integers(0, 256, (2, *[network.config["size"]] * 2), dtype=np.uint8)
    # The identity's weights are kept in fp16 after its norms were folded into them.
    for output, name, most in (("expression", "expression_fp32", 1e-4), ("identity", "identity", 1e-3)):
        assert largest_difference(network, resolve(name), output, crops) < most
    assert stored_fingerprint(safetensors) == open_embedder().network
    assert heads["votes.weight"].shape == torch.Size([8, 128])
