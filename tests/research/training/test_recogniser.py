"""A recogniser's ONNX file as a trunk that can be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from fewshot.errors import UsageError  # noqa: E402
from fewshot.research.training.export import built, export_onnx, from_checkpoint  # noqa: E402
from fewshot.research.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.research.training.network import GREY_SPREAD  # noqa: E402
from fewshot.research.training.recogniser import SPREAD, RecogniserNetwork  # noqa: E402

SIDE = 32


def write_recogniser(path: Path) -> None:
    """A small one of the same kind: stem, a residual step at half the size, a narrow layer, a vector."""
    rng = np.random.default_rng(0)
    weights = {
        "stem": rng.standard_normal((6, 3, 3, 3)) * 0.3,
        "stem_bias": rng.standard_normal(6),
        "slope": rng.random((6, 1, 1)),
        "deep": rng.standard_normal((6, 1, 3, 3)) * 0.5,
        "deep_bias": rng.standard_normal(6),
        "wide": rng.standard_normal((8, 6, 1, 1)) * 0.5,
        "wide_bias": rng.standard_normal(8),
        "narrow": rng.standard_normal((2, 8, 1, 1)),
        "narrow_bias": rng.standard_normal(2),
        "narrow_slope": rng.random((2, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["input", "stem", "stem_bias"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("PRelu", ["a", "slope"], ["b"]),
        helper.make_node("Conv", ["b", "deep", "deep_bias"], ["c"], group=6, pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Conv", ["d", "wide", "wide_bias"], ["e"], strides=[2, 2]),
        helper.make_node("Conv", ["e", "narrow", "narrow_bias"], ["f"]),
        helper.make_node("PRelu", ["f", "narrow_slope"], ["g"]),
        helper.make_node("Flatten", ["g"], ["h"]),
    ]
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("h", "e")]
    kept = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "recogniser", [picture], outputs, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 10
    onnx.save(model, str(path))


@pytest.fixture
def recogniser(tmp_path: Path) -> Path:
    write_recogniser(tmp_path / "recogniser.onnx")
    return tmp_path / "recogniser.onnx"


def grey(n: int = 6) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, 1, SIDE, SIDE)).astype(np.float32)


def test_the_trunk_answers_as_the_file_does_before_and_after_its_norms_are_unfolded(recogniser: Path) -> None:
    network = RecogniserNetwork(str(recogniser), 4, size=SIDE).eval()
    session = onnxruntime.InferenceSession(str(recogniser), providers=["CPUExecutionProvider"])
    pictures = grey()
    colour = np.repeat((pictures - 127.5) / SPREAD, 3, axis=1)
    expected = session.run(["e"], {"input": colour})[0]
    asked = (torch.from_numpy(pictures) - 127.5) / GREY_SPREAD
    with torch.no_grad():
        np.testing.assert_allclose(network.backbone(asked), expected, atol=1e-3)
        network.unfold_batch_norm(torch.from_numpy(pictures))
        np.testing.assert_allclose(network.eval().backbone(asked), expected, atol=1e-3)
        np.testing.assert_allclose(network.train().backbone(asked), expected, atol=1e-3)
    norm = network.backbone.layers[0][1]
    assert float(norm.running_var.min()) != 1.0


def test_it_learns_is_kept_and_is_exported(recogniser: Path, tmp_path: Path) -> None:
    network = RecogniserNetwork(str(recogniser), 4, size=SIDE)
    module = ProtoNet(network, LossWeights(identity=0.0), frozen_blocks=0)
    features, maps = network.features(torch.from_numpy(grey()))
    assert features.shape == (6, 5 * 8) and maps.shape[1] == 8
    network.expression(torch.from_numpy(grey())).sum().backward()
    assert all(one.grad is not None for one in network.backbone.parameters())
    saved = {"state_dict": module.state_dict(), "network": network.config}
    torch.save(saved, tmp_path / "last.ckpt")
    again, _ = from_checkpoint(tmp_path / "last.ckpt")
    assert isinstance(again, RecogniserNetwork) and isinstance(built(network.config), RecogniserNetwork)
    export_onnx(again.eval(), tmp_path / "features.onnx", "features", name="teacher")
    session = onnxruntime.InferenceSession(str(tmp_path / "features.onnx"), providers=["CPUExecutionProvider"])
    said = session.run(["features"], {"crops": grey()[:, 0].astype(np.uint8)})[0]
    with torch.no_grad():
        np.testing.assert_allclose(said, again.features(torch.from_numpy(grey()))[0], atol=1e-3)


def test_the_first_layers_can_stay_as_they_are(recogniser: Path) -> None:
    network = RecogniserNetwork(str(recogniser), 4, size=SIDE)
    assert network.front(0) == [] and len(network.front(5)) == len(network.backbone.layers)


def test_what_is_no_recogniser_is_refused(recogniser: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No recogniser at"):
        RecogniserNetwork(str(tmp_path / "none.onnx"))
    model = onnx.load(str(recogniser))
    del model.graph.node[:7]
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(UsageError, match="does not begin with convolutions"):
        RecogniserNetwork(str(tmp_path / "other.onnx"))
