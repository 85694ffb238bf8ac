"""From a training checkpoint to what ships: safetensors with its config, and ONNX for the runtime."""

from __future__ import annotations

import hashlib
import json
import pickle  # nosec B403: only its error is used
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxconverter_common import float16
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fewshot.errors import FewshotError, UsageError
from fewshot.research.training.network import ExpressionNetwork
from fewshot.research.training.recogniser import RecogniserNetwork

# The cast from bytes has to stay a cast to float32: the converter does not rewrite its target type.
BLOCKED = [*float16.DEFAULT_OP_BLOCK_LIST, "Cast"]


OUTPUTS = ("expression", "identity")
"""Each in an ONNX file of its own: every frame needs the first, the second is asked for seldom or never."""


class _FromBytes(nn.Module):
    """One output of the network, from the runtime's input: grey bytes (n, 112, 112)."""

    def __init__(self, network: ExpressionNetwork, output: str) -> None:
        super().__init__()
        self.network = network
        self.index = None if output == "features" else OUTPUTS.index(output)

    def forward(self, crops: Tensor) -> Tensor:
        grey = crops.unsqueeze(1).float()
        vectors: Tensor = self.network.features(grey)[0] if self.index is None else self.network(grey)[self.index]
        return vectors


def save_state(network: ExpressionNetwork, heads: dict[str, Tensor], path: Path) -> None:
    """Write weights in fp16 with the network's config and fingerprint; ``heads`` are the learned prototypes."""
    state = {f"network.{name}": value for name, value in network.state_dict().items()} | heads
    half = {name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"config": json.dumps(network.config), "network": fingerprint(network)}
    save_file(half, str(path), metadata=about)
    path.chmod(0o644)  # safetensors leaves a file that only its owner may read


def fingerprint(network: ExpressionNetwork) -> str:
    """Name of the trained weights: backbone and a hash of them as they are stored, in fp16.

    What is made of them (fp32, fp16 or 8-bit files) bears the same name, because its vectors mean the same.
    """
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        stored = value.half() if value.is_floating_point() else value
        digest.update(name.encode() + stored.contiguous().numpy().tobytes())
    return f"{network.config['backbone']}-{digest.hexdigest()[:12]}"


def stored_fingerprint(path: Path) -> str | None:
    """The fingerprint that stands in a file of ``save_state``; older files have none."""
    with safe_open(str(path), framework="pt") as stored:
        name: str | None = (stored.metadata() or {}).get("network")
        return name


def _of_expression(config: dict[str, Any]) -> dict[str, Any]:
    """A config without what only the identity output is built by."""
    return {name: value for name, value in config.items() if not name.startswith("identity")}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """``state_dict`` and the ``network``'s config of a training checkpoint, or of what ``save_state`` wrote.

    Tensors and plain values only: a checkpoint is a pickle, and one that would call anything else is refused unopened.

    Raises:
        UsageError: it is not a checkpoint, or holds more than tensors and plain values.
    """
    if path.suffix != ".safetensors":
        try:
            return dict(torch.load(path, map_location="cpu", weights_only=True))
        except pickle.UnpicklingError as error:
            raise UsageError(
                f"{path} is not a checkpoint of experiments/train.py: it holds more than tensors and plain values, or "
                "is damaged. It was not opened, because opening it could run any program. Give a checkpoint that this "
                "version trained, or a .safetensors file."
            ) from error
    network, learned = load_state(path)
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    return {"state_dict": state | learned, "network": network.config}


def from_checkpoint(path: Path, *others: Path) -> tuple[ExpressionNetwork, dict[str, Tensor]]:
    """The network of a training checkpoint, and what else was learned: class vectors, their scales and frequencies.

    Args:
        path: of a checkpoint, or of the weights that ship.
        others: of runs that went on from the same weights: all are averaged (model soup, Wortsman et al. 2022).

    Raises:
        UsageError: one of them is of another network, the identity output aside.
    """
    checkpoint, *more = (read_checkpoint(each) for each in (path, *others))
    state = checkpoint["state_dict"]
    for other, where in zip(more, others, strict=True):
        if _of_expression(other["network"]) != _of_expression(checkpoint["network"]):
            raise UsageError(f"{where} is of another network than {path}.")
    for name, value in state.items() if more else ():
        # What one of them alone has (a loss's own layer) and who is who stay as the first has them.
        parts = [value, *(other["state_dict"][name] for other in more if name in other["state_dict"])]
        if value.is_floating_point() and len(parts) == 1 + len(more) and "identity_head" not in name:
            state[name] = torch.stack(parts).mean(dim=0)
    network = built(checkpoint["network"])
    network.load_state_dict({k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")})
    return network, {name: value for name, value in state.items() if not name.startswith("network.")}


def built(config: dict[str, Any]) -> ExpressionNetwork:
    """The untrained network of a checkpoint's config."""
    return RecogniserNetwork(**config) if "recogniser" in config else ExpressionNetwork(**config)


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


def export_onnx(network: ExpressionNetwork, path: Path, output: str, name: str | None = None) -> None:
    """Write one output of the network as fp32 ONNX: input ``crops`` uint8 (n, 112, 112), ``output`` (n, dimension).

    Args:
        output: "expression" or "identity", of whose file only the layers it needs are part; or "features", which the
            expression is a linear view of: for teachers.
        name: fingerprint of the weights that the runtime will show; computed if None.
    """
    example = torch.zeros(2, network.config["size"], network.config["size"], dtype=torch.uint8)
    program = torch.onnx.export(
        _FromBytes(network, output).eval(),
        (example,),
        dynamo=True,
        input_names=["crops"],
        output_names=[output],
        dynamic_shapes={"crops": {0: torch.export.Dim("n", min=1, max=4096)}},
        verbose=False,
    )
    if program is None:
        raise FewshotError("torch.onnx.export returned nothing. Expected an ONNX program; check torch's version.")
    model = without_traces(program.model_proto)
    for key, value in {**network.config, "network": name or fingerprint(network)}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what torch wrote about the lines of code, and their folders, that each node came from."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def keep_half(path: Path, least: int = 1024) -> None:
    """Keep a file's large weights in fp16, from which they are cast when it is opened; it computes in fp32 as before.

    Nothing is lost of weights that came from fp16.

    Args:
        path: written by ``export_onnx``; changed in place.
        least: numbers of a weight, from which it is worth a node.
    """
    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= least:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, str(path))


def to_half(source: Path, target: Path) -> None:
    """A copy with fp16 weights and arithmetic, half the size; inputs and outputs stay as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one for every weight that is nearly 0
        model = float16.convert_float_to_float16(onnx.load(str(source)), keep_io_types=True, op_block_list=BLOCKED)
    onnx.save(model, str(target))


def largest_difference(network: ExpressionNetwork, path: Path, output: str, crops: NDArray[np.uint8]) -> float:
    """Largest absolute difference between torch and the ONNX file of an output on grey crops (n, 112, 112)."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run([output], {"crops": crops})[0]
    with torch.inference_mode():
        direct = _FromBytes(network, output).eval()(torch.from_numpy(crops))
    return float(np.abs(exported - direct.numpy()).max())
