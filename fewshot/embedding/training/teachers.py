"""What trained networks answer to training faces: softer than the labels, and often more right than they."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fewshot.data.framing import cut
from fewshot.embedding.runtime import shrunk
from fewshot.embedding.training.datamodule import FaceTable
from fewshot.embedding.training.export import from_checkpoint
from fewshot.embedding.training.losses import CosinePrototypes

LOSSES = ("votes", "labels")
_BATCH = 256


@torch.inference_mode()
def answers(checkpoint: Path, table: FaceTable) -> dict[str, NDArray[np.float32]]:
    """Probabilities with the training set's frequencies, averaged over both framings and their mirror images.

    Args:
        checkpoint: of ``experiments/train.py``.
        table: faces, n of them.

    Returns:
        ``votes``, shape (n, 8), and ``labels``, shape (n, 7), rows that sum to 1.
    """
    network, learned = from_checkpoint(checkpoint)
    network.eval().to(memory_format=torch.channels_last)
    heads = {name: _head(learned, name) for name in LOSSES}
    sums: dict[str, list[NDArray[np.float32]]] = {name: [] for name in LOSSES}
    for start in range(0, len(table), _BATCH):
        rows = range(start, min(start + _BATCH, len(table)))
        sums_here = dict.fromkeys(LOSSES, torch.zeros(()))
        for framing in (0, 1):
            crops = np.stack([cut(table.faces[row], table.to_crop[row, framing]) for row in rows])
            grey = torch.from_numpy(shrunk(crops, network.config["size"])).unsqueeze(1).float()
            for picture in (grey, grey.flip(3)):
                expression = network.expression(picture.contiguous(memory_format=torch.channels_last))
                for name, (head, prior) in heads.items():
                    sums_here[name] = sums_here[name] + (head(expression) + prior).softmax(1) / 4
        for name in LOSSES:
            sums[name].append(sums_here[name].numpy())
    return {name: np.concatenate(parts) for name, parts in sums.items()}


def _head(learned: dict[str, torch.Tensor], name: str) -> tuple[CosinePrototypes, torch.Tensor]:
    """Class vectors of a loss as they were trained, and what is added to their logits."""
    weight = learned[f"{name}.weight"]
    head = CosinePrototypes(*weight.shape)
    head.load_state_dict({part: learned[f"{name}.{part}"] for part in ("weight", "log_scale")})
    return head.eval(), learned.get(f"{name}_prior", torch.zeros(len(weight)))
