"""The expression network in 8-bit integers: a third of the size, and twice as fast where CPUs multiply bytes.

Static quantisation (Jacob et al. 2018, https://arxiv.org/abs/1712.05877) with one scale a channel; scales of
activations are read off crops of the training set.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from fewshot.errors import FewshotError
from fewshot.research.datasets.fer2013 import TRAINING, Fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.training.datamodule import TRUSTED_LANDMARKS

_QUANTISED = ["Conv", "Add", "Relu", "ReduceMean"]
"""The projection (Gemm) stays in fp32: a thousandth of the work, and it can make up for what came before it."""
_EXACT = slice(1, 5)
"""Of the convolutions in their order, those that stay in fp32: right behind the first, where a few channels are far
larger than the others and share one scale with them. They cost a tenth of the time; without them the vectors' cosine to
fp32 is 0.982, with them 0.994."""
_BATCH = 64
_CALIBRATED = 512
"""Crops that scales are read off; the histograms of more would not fit into a small machine's memory."""
_RIDGE = 1e-2
"""How strongly the projection is held where training left it, as a share of its inputs' mean square."""


def calibration_crops(fer: Fer2013, prepared: Path, count: int = 2048, seed: int = 0) -> NDArray[np.uint8]:
    """Grey crops (count, 112, 112) of FER2013's training pictures, every other one aligned as in the live loop.

    Args:
        prepared: folder that ``experiments/prepare.py`` wrote.
    """
    with np.load(prepared / "fer2013_prepared.npz") as data:
        usable = np.flatnonzero((fer.usage == TRAINING) & ~data["excluded"])
        rows = np.random.default_rng(seed).choice(usable, min(count, len(usable)), replace=False)
        matrices = framings(48, data["landmarks"][rows], data["scores"][rows] > TRUSTED_LANDMARKS)
    return np.stack([cut(fer.faces[row], matrices[index, index % 2]) for index, row in enumerate(rows)])


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    """Grey crops (n, 112, 112) in batches of one size: ONNX Runtime cannot put others together."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        whole = max(len(crops) // _BATCH * _BATCH, min(len(crops), _BATCH))
        self._batches = (crops[start : start + _BATCH] for start in range(0, whole, _BATCH))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        crops = next(self._batches, None)
        return None if crops is None else {"crops": crops}


def quantise(source: Path, target: Path, crops: NDArray[np.uint8], seven_bits: bool = True) -> None:
    """Write the 8-bit copy of an exported expression network.

    Args:
        source: what ``export_onnx`` wrote, fp32.
        crops: grey, to calibrate with, shape (n, 112, 112); some thousands, of the training set alone.
        seven_bits: keep weights within -64..64. CPUs without VNNI add two products of bytes in 16 bits: twice 255 x 127
            overflows there, twice 255 x 64 (32640 < 2^15) does not.

    Raises:
        FewshotError: the network is not built as expected.
    """
    original = onnx.load(str(source))
    with tempfile.TemporaryDirectory() as folder:
        whole, prepared, coarse = (Path(folder) / f"{name}.onnx" for name in ("whole", "prepared", "coarse"))
        shifted = _whole_numbers_first(onnx.load(str(source)))
        first, scale, zero = _input_scale(shifted)
        onnx.save(shifted, str(whole))
        quant_pre_process(str(whole), str(prepared), skip_symbolic_shape=True)
        convolutions = [node.name for node in onnx.load(str(prepared)).graph.node if node.op_type == "Conv"]
        quantize_static(
            str(prepared),
            str(coarse),
            _Crops(crops[:_CALIBRATED]),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTISED,
            nodes_to_exclude=convolutions[_EXACT],
            per_channel=True,
            reduce_range=seven_bits,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            # Not the extremes: single outliers would cost all others their precision.
            extra_options={
                "CalibPercentile": 99.99,
                "TensorQuantOverrides": {first: [{"scale": scale, "zero_point": zero}]},
            },
        )
        model = onnx.load(str(coarse))
    _read_bytes(model)
    _refit_projection(model, original, crops)
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    onnx.checker.check_model(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))


def _constants(model: ModelProto) -> dict[str, onnx.TensorProto]:
    return {entry.name: entry for entry in model.graph.initializer}


def _set(model: ModelProto, name: str, value: NDArray[Any]) -> None:
    _constants(model)[name].CopyFrom(numpy_helper.from_array(value, name))


def _normalisation(model: ModelProto, end: str) -> list[NodeProto]:
    """The nodes from the cast of the bytes to the value ``end``: Cast, Sub, Div.

    Raises:
        FewshotError: there are others.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    chain: list[NodeProto] = []
    while end in makers and (not chain or chain[0].op_type != "Cast"):
        chain.insert(0, makers[end])
        end = chain[0].input[0]
    found = [node.op_type for node in chain]
    if found != ["Cast", "Sub", "Div"]:
        raise FewshotError(f"The network begins with {found}, expected Cast, Sub, Div. Export it again.")
    return chain


def _whole_numbers_first(model: ModelProto) -> ModelProto:
    """Subtract 128 from the bytes of a crop where training subtracts 127.5, and put the rest into the first bias.

    x - 127.5 lies half-way between two steps of any byte scale, and would be rounded up or down by chance.
    """
    stem = next(node for node in model.graph.node if node.op_type == "Conv")
    _, shift, divide = _normalisation(model, stem.input[0])
    values = {name: numpy_helper.to_array(entry) for name, entry in _constants(model).items()}
    rest = (np.ceil(values[shift.input[1]]) - values[shift.input[1]]) / values[divide.input[1]]
    weight = values[stem.input[1]]
    if len(stem.input) == 2:
        stem.input.append(f"{stem.input[1]}_bias")
        model.graph.initializer.append(numpy_helper.from_array(np.zeros(len(weight), np.float32), stem.input[2]))
    bias = values.get(stem.input[2], np.zeros(len(weight), np.float32))
    _set(model, stem.input[2], (bias + rest * weight.sum(axis=(1, 2, 3))).astype(np.float32))
    _set(model, shift.input[1], np.ceil(values[shift.input[1]]))
    return model


def _input_scale(model: ModelProto) -> tuple[str, NDArray[np.float32], NDArray[np.uint8]]:
    """Name, scale and zero point of what the first convolution reads, such that its bytes are those of the crop."""
    stem = next(node for node in model.graph.node if node.op_type == "Conv")
    _, shift, divide = _normalisation(model, stem.input[0])
    values = {name: numpy_helper.to_array(entry) for name, entry in _constants(model).items()}
    scale, zero = 1 / values[divide.input[1]], values[shift.input[1]]
    return stem.input[0], np.asarray(scale, np.float32), np.asarray(zero, np.uint8)


def _read_bytes(model: ModelProto) -> None:
    """Take out what turns bytes into numbers and back into the same bytes at the beginning of a quantised network."""
    first = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
    chain = _normalisation(model, first.input[0])
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == first.output[0]:
                node.input[index] = chain[0].input[0]
    for node in [*chain, first]:
        model.graph.node.remove(node)
    for node in chain[1:]:
        if not any(node.input[1] in other.input for other in model.graph.node):
            model.graph.initializer.remove(_constants(model)[node.input[1]])


def _refit_projection(model: ModelProto, original: ModelProto, crops: NDArray[np.uint8]) -> None:
    """Fit the projection anew, so that quantised features give the original's vectors: ridge regression to them."""
    before, after = (next(node for node in graph.graph.node if node.op_type == "Gemm") for graph in (original, model))
    wanted = _values(original, before.output[0], crops)
    features = _values(model, after.input[0], crops).astype(np.float64)
    weight, bias = (numpy_helper.to_array(_constants(model)[name]) for name in after.input[1:3])
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    start = np.concatenate([weight, bias[:, None]], axis=1).T
    gram = features.T @ features
    hold = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    fitted = start + np.linalg.solve(gram + hold, features.T @ (wanted - features @ start))
    _set(model, after.input[1], np.ascontiguousarray(fitted[:-1].T, dtype=np.float32))
    _set(model, after.input[2], fitted[-1].astype(np.float32))


def _values(model: ModelProto, name: str, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An inner value of a network for crops (n, 112, 112), shape (n, width)."""
    tapped = ModelProto()
    tapped.CopyFrom(model)
    tapped.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = [session.run([name], {"crops": crops[at : at + _BATCH]})[0] for at in range(0, len(crops), _BATCH)]
    return np.concatenate(rows)
