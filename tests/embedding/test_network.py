"""Network, export and the runtime that reads the export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.embedding.runtime import Embedder, grey_crops  # noqa: E402
from fewshot.embedding.training.export import (  # noqa: E402
    export_onnx,
    largest_difference,
    load_state,
    save_state,
    to_half,
)
from fewshot.embedding.training.network import ExpressionNetwork  # noqa: E402
from fewshot.errors import ModelUnavailable  # noqa: E402

TINY = "test_efficientnet"


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    torch.manual_seed(0)
    return ExpressionNetwork(TINY, dimension=8, identity_dimension=4).eval()


@pytest.fixture(scope="module")
def exported(network: ExpressionNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    export_onnx(network, path)
    return path


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 112, 112), dtype=np.uint8)


def test_both_outputs_lie_on_the_unit_sphere(network: ExpressionNetwork) -> None:
    expression, identity = network(torch.rand(3, 1, 112, 112) * 255)
    assert expression.shape == (3, 8) and identity.shape == (3, 4)
    assert torch.allclose(expression.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(identity.norm(dim=1), torch.ones(3), atol=1e-5)


def test_a_new_network_is_in_training_mode_throughout() -> None:
    # Measuring the backbone's width once left it in evaluation mode, and batch norm would never have learned.
    assert all(module.training for module in ExpressionNetwork(TINY, 8, 4).modules())


def test_onnx_agrees_with_torch_at_any_batch_size(
    network: ExpressionNetwork, exported: Path, crops: np.ndarray
) -> None:
    for n in (1, 2, 5):
        assert largest_difference(network, exported, crops[:n]) < 1e-4


def test_the_half_precision_copy_is_smaller_and_close(
    network: ExpressionNetwork, exported: Path, crops: np.ndarray, tmp_path: Path
) -> None:
    half = tmp_path / "half.onnx"
    to_half(exported, half)
    assert half.stat().st_size < 0.8 * exported.stat().st_size
    assert largest_difference(network, half, crops) < 2e-2


def test_weights_survive_the_way_to_disk(network: ExpressionNetwork, tmp_path: Path) -> None:
    heads = {"votes.weight": torch.rand(8, 8)}
    save_state(network, heads, tmp_path / "w.safetensors")
    again, again_heads = load_state(tmp_path / "w.safetensors")
    assert again.config == network.config
    assert torch.allclose(again_heads["votes.weight"], heads["votes.weight"], atol=1e-3)
    pictures = torch.rand(2, 1, 112, 112) * 255
    assert torch.allclose(again(pictures)[0], network(pictures)[0], atol=2e-2)


def test_the_runtime_reads_the_export(exported: Path, crops: np.ndarray) -> None:
    embedder = Embedder(exported)
    assert (embedder.dimension, embedder.identity_dimension) == (8, 4)
    assert embedder.network.startswith(f"{TINY}-")
    expression, identity = embedder.embed(np.repeat(crops[..., None], 3, axis=3))
    direct, _ = embedder.embed_grey(crops)
    assert expression.dtype == np.float32 and identity.shape == (5, 4)
    np.testing.assert_allclose(expression, direct, atol=1e-5)


def test_no_crops_give_no_vectors(exported: Path) -> None:
    expression, identity = Embedder(exported).embed(np.empty((0, 112, 112, 3), np.uint8))
    assert expression.shape == (0, 8) and identity.shape == (0, 4)


def test_grey_is_opencvs_weighting_of_bgr() -> None:
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    crop[..., 2] = 200  # red, in OpenCV's order
    assert grey_crops(crop)[0, 0, 0] == 60  # 0.299 * 200


@pytest.mark.parametrize("content", [None, b"", b"not an onnx file"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"net\.onnx"):
        Embedder(path)
