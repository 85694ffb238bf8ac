"""From a training checkpoint to what ships: safetensors with its config, and ONNX for the runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxconverter_common import float16
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fewshot.embedding.training.network import ExpressionNetwork
from fewshot.errors import FewshotError
from fewshot.faces.align import CROP_SIZE

# The cast from bytes has to stay a cast to float32: the converter does not rewrite its target type.
BLOCKED = [*float16.DEFAULT_OP_BLOCK_LIST, "Cast"]


class _FromBytes(nn.Module):
    """The network with the runtime's input: grey bytes (n, 112, 112)."""

    def __init__(self, network: ExpressionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        expression, identity = self.network(crops.unsqueeze(1).float())
        return expression, identity


def save_state(network: ExpressionNetwork, heads: dict[str, Tensor], path: Path) -> None:
    """Write weights in fp16 with the network's config; ``heads`` are the learned prototypes."""
    state = {f"network.{name}": value for name, value in network.state_dict().items()} | heads
    half = {name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, str(path), metadata={"config": json.dumps(network.config)})


def load_state(path: Path) -> tuple[ExpressionNetwork, dict[str, Tensor]]:
    """The network, in evaluation mode, and the learned prototypes, as ``save_state`` wrote them."""
    with safe_open(str(path), framework="pt") as stored:
        config = json.loads((stored.metadata() or {})["config"])
        state = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    network = ExpressionNetwork(**config)
    own = {name.removeprefix("network."): value for name, value in state.items() if name.startswith("network.")}
    network.load_state_dict(own)
    return network.eval(), {name: value for name, value in state.items() if not name.startswith("network.")}


def export_onnx(network: ExpressionNetwork, path: Path) -> None:
    """Write the fp32 ONNX file: input ``crops`` uint8 (n, 112, 112), outputs ``expression`` and ``identity``."""
    example = torch.zeros(2, CROP_SIZE, CROP_SIZE, dtype=torch.uint8)
    program = torch.onnx.export(
        _FromBytes(network).eval(),
        (example,),
        dynamo=True,
        input_names=["crops"],
        output_names=["expression", "identity"],
        dynamic_shapes={"crops": {0: torch.export.Dim("n", min=1, max=4096)}},
        verbose=False,
    )
    if program is None:
        raise FewshotError("torch.onnx.export returned nothing. Expected an ONNX program; check torch's version.")
    model = program.model_proto
    for name, value in network.config.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, str(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def to_half(source: Path, target: Path) -> None:
    """A copy with fp16 weights and arithmetic, half the size; inputs and outputs stay as they are."""
    model = float16.convert_float_to_float16(onnx.load(str(source)), keep_io_types=True, op_block_list=BLOCKED)
    onnx.save(model, str(target))


def largest_difference(network: ExpressionNetwork, path: Path, crops: NDArray[np.uint8]) -> float:
    """Largest absolute difference of any output between torch and the ONNX file on grey crops (n, 112, 112)."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(["expression", "identity"], {"crops": crops})
    with torch.inference_mode():
        direct = _FromBytes(network).eval()(torch.from_numpy(crops))
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(exported, direct, strict=True))
