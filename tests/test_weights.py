"""What ships: the files are the ones the registry names, fit each other, and stay small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewshot.embedding.runtime import open_embedder
from fewshot.models import REGISTRY, resolve
from fewshot.registry import sha256_of
from fewshot.room import open_population
from fewshot.types import EMOTIONS

WEIGHTS = Path(__file__).resolve().parents[1] / "fewshot" / "weights"


def test_all_weights_together_stay_under_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 25_000_000


@pytest.mark.parametrize("name", ["expression", "landmarks"])
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
    expression, identity = open_embedder().embed(crops)
    np.testing.assert_allclose(np.linalg.norm(expression, axis=1), 1.0, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(identity, axis=1), 1.0, atol=1e-4)


def test_the_safetensors_are_the_onnx_file() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    from fewshot.embedding.training.export import largest_difference, load_state

    network, heads = load_state(WEIGHTS / "expression.safetensors")
    crops = np.random.default_rng(1).integers(0, 256, (2, 112, 112), dtype=np.uint8)
    assert largest_difference(network, WEIGHTS / "expression.onnx", crops) < 1e-4
    assert heads["votes.weight"].shape == torch.Size([8, 128])
