"""Networks of others: the order of their emotions, what they see, and (with the data folder) that they run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fewshot.errors import ModelUnavailable
from fewshot.research.evaluation.peers import FACEAPI, MINI_XCEPTION, NEVER, PEERS, Peer, available, peer_outputs
from fewshot.types import EMOTIONS

TINY = Peer("tiny", "tiny.onnx", "none", 4, "rgb", ("neutral", "happy", "sad"), logits=True, features=3)


def tiny_network(folder: Path) -> None:
    """Logits and features are the means of red, green and blue, divided by 255."""
    nodes = [
        helper.make_node("ReduceMean", ["rgb"], ["sums"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["sums", "scale"], ["logits"]),
        helper.make_node("Identity", ["logits"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("logits", "features")],
        [helper.make_tensor("scale", TensorProto.FLOAT, [1], [1 / 255])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (folder / "models/peers").mkdir(parents=True)
    onnx.save(model, str(folder / "models/peers/tiny.onnx"))


def test_no_crops(tmp_path: Path) -> None:
    tiny_network(tmp_path)
    outputs, features = peer_outputs(TINY, tmp_path, np.zeros((0, 4, 4, 3), np.uint8), tmp_path)
    assert outputs.shape == (0, 7) and features is not None and features.shape == (0, 3)


def test_channels_and_emotions_are_put_in_order(tmp_path: Path) -> None:
    tiny_network(tmp_path)
    blue = np.zeros((1, 8, 8, 3), np.uint8)
    blue[..., 0] = 255  # BGR: blue is this network's third colour, which it calls sad
    outputs, features = peer_outputs(TINY, tmp_path, blue, tmp_path)
    assert features is not None and features[0] == pytest.approx([0, 0, 1])
    assert EMOTIONS[int(outputs[0].argmax())] == "sad"
    known = [EMOTIONS.index(word) for word in TINY.outputs]
    assert np.exp(outputs[0, known]).sum() == pytest.approx(1.0)
    assert outputs[0, EMOTIONS.index("fear")] == pytest.approx(np.log(NEVER))


def test_the_second_time_the_file_is_not_needed(tmp_path: Path) -> None:
    tiny_network(tmp_path)
    crops = np.full((2, 8, 8), 100, np.uint8)
    first, _ = peer_outputs(TINY, tmp_path, crops, tmp_path)
    (tmp_path / "models/peers/tiny.onnx").unlink()
    again, _ = peer_outputs(TINY, tmp_path, crops, tmp_path)
    assert np.array_equal(first, again)
    with pytest.raises(ModelUnavailable, match=r"tiny\.onnx"):
        peer_outputs(TINY, tmp_path, crops + 1, tmp_path)


def test_peers_as_data(tmp_path: Path) -> None:
    assert available(tmp_path) == []
    assert all(set(peer.outputs) <= set(EMOTIONS) and peer.licence for peer in PEERS)


def test_real_peers_run(shared: Path, tmp_path: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 255, (2, 48, 48)).astype(np.uint8)
    for peer in (MINI_XCEPTION, FACEAPI):
        outputs, features = peer_outputs(peer, shared, crops, tmp_path)
        assert outputs.shape == (2, 7) and np.exp(outputs).sum(axis=1) == pytest.approx([1, 1], abs=1e-4)
        assert features is not None and features.shape == (2, peer.features)
