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
from fewshot.models.files import REGISTRY, resolve
from fewshot.room import open_population
from fewshot.types import EMOTIONS

WEIGHTS = Path(__file__).resolve().parents[1] / "fewshot" / "weights"


def test_all_weights_together_stay_under_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 25_000_000


@pytest.mark.parametrize("name", ["expression", "expression_fp32", "identity", "landmarks"])
def test_the_registry_knows_the_shipped_files(name: str) -> None:
    path = resolve(name, download=False)
    assert path.parent == WEIGHTS
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
    exact, coarse = (Embedder(WEIGHTS / f"{name}.onnx", engine=engine) for name in ("expression_fp32", "expression"))
    assert exact.network == coarse.network
    # Smooth pictures with a drawn face: what the network sees in noise nobody needs. On faces it is 0.995 and more
    # (experiments/results/quantised.md); drawings lie far from what the scales were read off.
    rng = np.random.default_rng(0)
    crops = np.stack([_drawing(rng) for _ in range(32)])
    assert (exact.embed_grey(crops) * coarse.embed_grey(crops)).sum(axis=1).mean() > 0.97


def test_graphics_cards_get_the_file_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(runtime, "choose_engine", lambda engine: Choice(engine, ""))
    monkeypatch.setattr(runtime, "Embedder", lambda path, *options: opened.append(path))
    for engine in ("onnxruntime", "openvino", "cuda", "coreml"):
        open_embedder(engine=engine)  # type: ignore[arg-type]
    assert [path.name for path in opened] == ["expression.onnx"] * 2 + ["expression_fp32.onnx"] * 2


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

    safetensors = WEIGHTS / "expression.safetensors"
    network, heads = load_state(safetensors)
    crops = np.random.default_rng(1).integers(0, 256, (2, *[network.config["size"]] * 2), dtype=np.uint8)
    # The identity's weights are kept in fp16 after its norms were folded into them.
    for output, file, most in (("expression", "expression_fp32.onnx", 1e-4), ("identity", "identity.onnx", 1e-3)):
        assert largest_difference(network, WEIGHTS / file, output, crops) < most
    assert stored_fingerprint(safetensors) == open_embedder().network
    assert heads["votes.weight"].shape == torch.Size([8, 128])
