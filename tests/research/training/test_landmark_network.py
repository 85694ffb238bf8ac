"""The network behind the fallback detector: what goes in and out, and that its file does the same as torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.faces.detectors.cascade import INPUT  # noqa: E402
from fewshot.inference.engines import OnnxRuntimeSession  # noqa: E402
from fewshot.research.training.landmark_network import LandmarkNetwork, export, loss_of  # noqa: E402


def test_light_and_contrast_change_nothing() -> None:
    network = LandmarkNetwork().eval()
    crops = torch.rand(4, 1, INPUT, INPUT)
    found, darker = network(crops), network(0.8 * crops + 0.1)
    assert found.shape == (4, 11)
    torch.testing.assert_close(found, darker, atol=0.02, rtol=0.05)


def test_points_count_only_where_there_is_a_face() -> None:
    targets = torch.zeros(2, 11)
    targets[0, 10], targets[1, :10] = 1.0, float("nan")
    outputs = torch.zeros(2, 11)
    points, face = loss_of(outputs, targets)
    assert points == 0 and face == pytest.approx(np.log(2))
    outputs[0, 0] = 0.5
    assert loss_of(outputs, targets)[0] > 0


def test_the_file_does_what_torch_does(tmp_path: Path) -> None:
    network = LandmarkNetwork()
    export(network, tmp_path / "made" / "landmarks.onnx")
    assert network.training
    crops = torch.rand(5, 1, INPUT, INPUT)
    (found,) = OnnxRuntimeSession(tmp_path / "made" / "landmarks.onnx", 1).run(None, {"crops": crops.numpy()})
    np.testing.assert_allclose(found, network.eval()(crops).detach().numpy(), atol=1e-4)
