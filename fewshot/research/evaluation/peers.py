"""Published emotion classifiers of others, run beside our network on the same pictures."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fewshot.errors import ModelUnavailable
from fewshot.research.evaluation.crops import saved
from fewshot.types import EMOTIONS, Vectors

BATCH = 64
NEVER = 1e-9
"""Probability given to an emotion that a network does not know."""


@dataclass(frozen=True)
class Peer:
    """A network of others as plain data.

    Attributes:
        name: in tables.
        file: in ``models/peers`` of the shared folder.
        licence: of the weights.
        size: side of its input, pixels.
        channels: "grey" in -1..1, or "rgb" or "bgr" in 0..255.
        outputs: emotion of each column of its first output.
        logits: does the first output hold logits? Else probabilities.
        features: length of its second output, a feature vector; 0 without.
    """

    name: str
    file: str
    licence: str
    size: int
    channels: Literal["grey", "rgb", "bgr"]
    outputs: tuple[str, ...]
    logits: bool = False
    features: int = 0


_FACEAPI = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise")
MINI_XCEPTION = Peer("fer mini_XCEPTION", "fer_mini_xception.onnx", "MIT", 64, "grey", EMOTIONS, features=128)
BIG_XCEPTION = Peer("big_XCEPTION", "fer_big_xception.onnx", "MIT", 64, "grey", EMOTIONS, features=256)
FACEAPI = Peer("face-api.js", "faceapi_expression.onnx", "MIT", 112, "rgb", _FACEAPI, logits=True, features=256)
RETAIL = Peer(
    "OpenVINO retail-0003",
    "emotions-recognition-retail-0003.xml",
    "Apache-2.0",
    64,
    "bgr",
    ("neutral", "happy", "sad", "surprise", "angry"),
)
PEERS = (MINI_XCEPTION, BIG_XCEPTION, FACEAPI, RETAIL)


def available(shared: Path) -> list[Peer]:
    """The peers that can run here: their file is there, and OpenVINO for the one that needs it."""
    return [peer for peer in PEERS if _path(shared, peer).is_file() and (peer is not RETAIL or _has_openvino())]


def peer_outputs(
    peer: Peer, shared: Path, crops: NDArray[np.uint8], cache: Path
) -> tuple[NDArray[np.float64], Vectors | None]:
    """What a peer makes of face crops, from the cache if it has seen these.

    Args:
        peer: one of ``PEERS``.
        shared: folder with ``models/peers``.
        crops: grey (n, side, side), or BGR (n, side, side, 3) for a network that sees colour.
        cache: folder to keep the outputs in.

    Returns:
        (log-probabilities of the seven emotions, shape (n, 7); feature vectors, shape (n, f), or None).

    Raises:
        ModelUnavailable: its file, or OpenVINO, is not here.
    """
    digest = hashlib.sha256(crops.tobytes() + peer.file.encode()).hexdigest()[:12]
    stored = cache / f"peer_{Path(peer.file).stem}_{digest}.npz"
    if not stored.is_file():
        raw, features = _run(peer, _path(shared, peer), crops)
        saved(stored, raw=raw, features=features)
    with np.load(stored) as data:
        raw, features = data["raw"], data["features"]
    return _in_order(peer, raw), features if peer.features else None


def _in_order(peer: Peer, raw: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-probabilities in the order of ``EMOTIONS``; what the peer does not know has ``NEVER``."""
    log = raw.astype(np.float64)
    if peer.logits:
        top = log.max(axis=1, keepdims=True)
        log = log - top - np.log(np.exp(log - top).sum(axis=1, keepdims=True))
    else:
        log = np.log(np.maximum(log, NEVER))
    ordered = np.full((len(log), len(EMOTIONS)), np.log(NEVER))
    for column, emotion in enumerate(peer.outputs):
        ordered[:, EMOTIONS.index(emotion)] = log[:, column]
    return ordered


def _input(peer: Peer, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """One crop as the network wants it, shape (channels, size, size)."""
    resized = crop if crop.shape[0] == peer.size else cv2.resize(crop, (peer.size, peer.size))
    if peer.channels == "grey":
        grey = cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY) if resized.ndim == 3 else resized
        return np.asarray(grey, np.float32)[None] / 127.5 - 1.0
    colour = cv2.cvtColor(resized, cv2.COLOR_GRAY2BGR) if resized.ndim == 2 else resized
    ordered = colour[..., ::-1] if peer.channels == "rgb" else colour
    return np.asarray(ordered.transpose(2, 0, 1), np.float32)


def _run(peer: Peer, path: Path, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Raw outputs and features of all crops; features have no columns where the network has none."""
    if not path.is_file():
        raise ModelUnavailable(f"No network {path}. Name the folder with data and models: shared=PATH.")
    if not len(crops):
        return np.zeros((0, len(peer.outputs)), np.float32), np.zeros((0, peer.features), np.float32)
    if path.suffix == ".xml":
        return _run_openvino(path, np.stack([_input(peer, crop) for crop in crops])), np.zeros((len(crops), 0), "f4")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name, parts = session.get_inputs()[0].name, []
    for start in range(0, len(crops), BATCH):
        batch = np.stack([_input(peer, crop) for crop in crops[start : start + BATCH]])
        parts.append(session.run(None, {name: batch}))
    raw, features = (np.concatenate(rows).astype(np.float32) for rows in zip(*parts, strict=True))
    return raw, features


def _run_openvino(path: Path, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """One picture at a time: the published file has a fixed batch of one."""
    if not _has_openvino():
        raise ModelUnavailable(f"{path.name} needs OpenVINO. In the project's folder run: pip install '.[openvino]'")
    import openvino

    # Left to itself it takes bf16 where the processor has it, and another machine would print other digits.
    model = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    rows = [np.asarray(model(picture[None])[0]).reshape(1, -1) for picture in inputs]
    return np.concatenate(rows).astype(np.float32)


def _path(shared: Path, peer: Peer) -> Path:
    return shared / "models/peers" / peer.file


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None
