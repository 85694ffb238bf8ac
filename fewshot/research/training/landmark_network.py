"""The small network behind the fallback detector: five landmarks of a box, and whether there is a face in it at all."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot.faces.detectors.cascade import INPUT


class LandmarkNetwork(nn.Module):
    """Grey crops [n, 1, 48, 48] in 0..1 -> [n, 11]: five points (the crop is -0.5..0.5), logit of being a face."""

    def __init__(self) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, stride: int, groups: int = 1) -> nn.Sequential:
            kernel = nn.Conv2d(inputs, outputs, 3, stride, 1, groups=groups, bias=False)
            return nn.Sequential(kernel, nn.BatchNorm2d(outputs), nn.ReLU())

        self.body = nn.Sequential(
            block(1, 12, 2), block(12, 24, 2),
            block(24, 24, 1, groups=24), nn.Conv2d(24, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU(),
            block(48, 48, 2, groups=48), nn.Conv2d(48, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            block(64, 64, 1, groups=64), nn.Conv2d(64, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(64 * (INPUT // 8) ** 2, 11)

    def forward(self, crops: Tensor) -> Tensor:
        """Landmarks and the score of crops, shape (n, 1, 48, 48); shape (n, 11)."""
        mean = crops.mean(dim=(2, 3), keepdim=True)
        spread = ((crops - mean) ** 2).mean(dim=(2, 3), keepdim=True).sqrt()
        return self.head(self.body((crops - mean) / (spread + 0.02)))


def loss_of(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(distance of the points in units of the crop, smooth L1; cross-entropy of face or not)."""
    face = targets[:, 10] > 0.5
    points = functional.smooth_l1_loss(outputs[face, :10], targets[face, :10], beta=0.02)
    return points, functional.binary_cross_entropy_with_logits(outputs[:, 10], targets[:, 10])


def export(network: LandmarkNetwork, path: Path) -> None:
    """Write the ONNX file, checked against torch."""
    network.eval()
    example = torch.rand(3, 1, INPUT, INPUT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The older exporter made the file that is shipped; the newer one makes another graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=["crops"],
            output_names=["points"],
            dynamic_axes={"crops": {0: "n"}, "points": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = np.abs(session.run(None, {"crops": example.numpy()})[0] - network(example).detach().numpy()).max()
    if difference > 1e-4:
        raise RuntimeError(f"The ONNX file differs from torch by {difference:.1e}")
    network.train()
