"""What trained networks answer to training faces: softer than the labels, and often more right than they."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fewshot.embedding.runtime import shrunk
from fewshot.inference.onnx import open_session
from fewshot.research.datasets.framing import cut
from fewshot.research.training.export import export_onnx, from_checkpoint
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.losses import CosinePrototypes

LOSSES = ("votes", "labels")
_BATCH = 256


@torch.inference_mode()
def answers(checkpoint: Path, table: FaceTable) -> dict[str, NDArray[np.float32]]:
    """Probabilities with the training set's frequencies, averaged over both framings and their mirror images.

    Args:
        checkpoint: of ``experiments/train.py``.
        table: faces, n of them.

    Returns:
        ``votes``, shape (n, 8), and ``labels``, shape (n, 7), rows that sum to 1; ``features``, shape (n, f), what they
        are read from, averaged as well.
    """
    network, learned = from_checkpoint(checkpoint)
    network.eval()
    heads = {name: _head(learned, name) for name in LOSSES}
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in (*LOSSES, "features")}
    with tempfile.TemporaryDirectory() as folder:
        # Through the runtime's engine: three times as fast as torch on a CPU, and the answers are the same.
        file = Path(folder) / "features.onnx"
        export_onnx(network, file, "features", name="teacher")
        session = open_session(file, os.cpu_count(), fast=True)
        for start in range(0, len(table), _BATCH):
            rows = range(start, min(start + _BATCH, len(table)))
            sums: dict[str, NDArray[np.float32]] = dict.fromkeys(parts, np.zeros(1, np.float32))
            for framing in (0, 1):
                crops = np.stack([cut(table.faces[row], table.to_crop[row, framing]) for row in rows])
                grey = shrunk(crops, network.config["size"])
                for picture in (grey, np.ascontiguousarray(grey[:, :, ::-1])):
                    features = np.asarray(session.run(["features"], {"crops": picture})[0], np.float32)
                    sums["features"] = sums["features"] + features / np.float32(4)
                    expression = network.project(torch.from_numpy(features))
                    for name, (head, prior) in heads.items():
                        probabilities = (head(expression) + prior).softmax(1).numpy()
                        sums[name] = sums[name] + probabilities / np.float32(4)
            for name, values in sums.items():
                parts[name].append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def common_axes(features: Sequence[NDArray[np.floating]], count: int) -> NDArray[np.float32]:
    """What several networks see in the same faces, as the leading principal components of all their features.

    Args:
        features: of each network, shape (n, f); each counts as much as another.
        count: how many components.

    Returns:
        Standardised components, shape (n, count).
    """
    alike = []
    for one in features:
        centred = one - one.mean(axis=0)
        alike.append(centred / np.sqrt((centred**2).sum(axis=1).mean()))
    stacked = np.concatenate(alike, axis=1).astype(np.float64)
    _, axes = np.linalg.eigh(stacked.T @ stacked)
    components = stacked @ axes[:, ::-1][:, :count]
    return np.asarray(components / components.std(axis=0), np.float32)


def _head(learned: dict[str, torch.Tensor], name: str) -> tuple[CosinePrototypes, torch.Tensor]:
    """Class vectors of a loss as they were trained, and what is added to their logits."""
    weight = learned[f"{name}.weight"]
    head = CosinePrototypes(*weight.shape)
    head.load_state_dict({part: learned[f"{name}.{part}"] for part in ("weight", "log_scale")})
    return head.eval(), learned.get(f"{name}_prior", torch.zeros(len(weight)))
