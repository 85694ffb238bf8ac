"""A recogniser as the start of a teacher: it has seen more faces than all expression data together.

Small networks that began with recognising people are among the best readers of expressions (Zhang et al. 2023, DDAMFN).
InsightFace's recogniser is too slow and not ours to ship, but what it answers to training faces, once it has learned
expressions, can teach the network that ships.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from fewshot.errors import UsageError
from fewshot.research.training.network import GREY_SPREAD, ExpressionNetwork, quarter_means

SPREAD = 127.5
"""What a recogniser's input is divided by, in grey levels."""
_LAYERS = {"Conv", "PRelu", "Add"}


class RecogniserTrunk(nn.Module):
    """The convolutions of a recogniser's ONNX file, on grey pictures, with a batch norm behind each of them.

    The file's own norms are folded into its convolutions. Those here leave the answers as they were, once
    ``ExpressionNetwork.unfold_batch_norm`` has given them their statistics.

    Args:
        path: ``w600k_mbf.onnx`` or another file of convolutions, PReLUs and sums, up to its first other layer.
        last: how many of the last layers are left out: the narrow one that the vector of a person is made of.

    Raises:
        UsageError: there is no such file, or it has too few such layers.
    """

    def __init__(self, path: str | Path, last: int = 2) -> None:
        super().__init__()
        if not Path(path).is_file():
            raise UsageError(f"No recogniser at {path}.")
        graph = onnx.load(str(path)).graph
        values = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
        nodes = list(graph.node)
        end = next((place for place, node in enumerate(nodes) if node.op_type not in _LAYERS), len(nodes)) - last
        if end < 1:
            raise UsageError(f"{path} does not begin with convolutions: it is no recogniser that can be trained.")
        self.layers = nn.ModuleList(_layer(node, values, place == 0) for place, node in enumerate(nodes[:end]))
        places = {graph.input[0].name: -1} | {node.output[0]: place for place, node in enumerate(nodes)}
        self._sources = [[places[name] for name in node.input if name in places] for node in nodes[:end]]
        # What nobody asks for any more is let go of while the pictures are on their way.
        self._used = {source: place for place, sources in enumerate(self._sources) for source in sources}

    def forward(self, grey: Tensor) -> Tensor:
        """Map (n, channels, side / 16, side / 16) of pictures (n, 1, side, side) in units of ``GREY_SPREAD``."""
        made = {-1: grey}
        for place, (layer, sources) in enumerate(zip(self.layers, self._sources, strict=True)):
            inputs = [made[source] for source in sources]
            made[place] = inputs[0] + inputs[1] if len(inputs) == 2 else layer(inputs[0])
            for source in sources:
                if self._used[source] == place:
                    del made[source]
        return made[len(self.layers) - 1]


class RecogniserNetwork(ExpressionNetwork):
    """A prototypical network on a recogniser's trunk; its features are the pooled map and the means over its quarters.

    Args:
        recogniser: path of its ONNX file, from which it is built again when a checkpoint is read.
        dimension, drop_rate, size: as in ``ExpressionNetwork``.
    """

    def __init__(self, recogniser: str, dimension: int = 128, drop_rate: float = 0.2, size: int = 112) -> None:
        nn.Module.__init__(self)
        self.config: dict[str, Any] = {
            "recogniser": str(recogniser),
            "dimension": dimension,
            "drop_rate": drop_rate,
            "size": size,
        }
        self.backbone = RecogniserTrunk(recogniser)
        with torch.no_grad():
            features, _ = self.eval().features(torch.zeros(1, 1, size, size))
        self.dropout = nn.Dropout(drop_rate)
        self.project_expression = nn.Linear(features.shape[1], dimension)
        self.train()

    def features(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 5 * channels) and the map (n, channels, h, w)."""
        maps = self.backbone((grey - 127.5) / GREY_SPREAD)
        return torch.cat([maps.mean((2, 3)), quarter_means(maps)], 1), maps

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Expression vectors (n, dimension), and the map they are read from in an identity's place."""
        features, maps = self.features(grey)
        return self.project(features), maps

    def front(self, blocks: int) -> list[nn.Module]:
        """The first layers, three a block after the stem's five."""
        return list(self.backbone.layers)[: 5 + 3 * blocks] if blocks else []


def _layer(node: onnx.NodeProto, values: dict[str, Tensor], first: bool) -> nn.Module:
    """One layer with its weights; the first convolution sums over the colours of a grey picture."""
    if node.op_type == "Add":
        return nn.Identity()
    if node.op_type == "PRelu":
        slope = values[node.input[1]].flatten()
        activation = nn.PReLU(len(slope))
        activation.weight.data = slope.clone()
        return activation
    weight, bias = values[node.input[1]], values[node.input[2]]
    if first:
        weight = weight.sum(dim=1, keepdim=True) * (GREY_SPREAD / SPREAD)
    said = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    convolution = nn.Conv2d(
        weight.shape[1] * said.get("group", 1),
        len(weight),
        weight.shape[2:],  # type: ignore[arg-type]
        tuple(said.get("strides", (1, 1))),
        tuple(said.get("pads", (0, 0, 0, 0))[:2]),
        groups=said.get("group", 1),
        bias=False,
    )
    convolution.weight.data = weight.clone()
    norm = nn.BatchNorm2d(len(weight))
    norm.bias.data = bias.clone()
    return nn.Sequential(convolution, norm)
