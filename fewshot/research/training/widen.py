"""An expression vector that keeps more of the backbone than the seven classes asked for, without training.

Trained on classes, a projection falls in on them: what tells states apart that nobody was trained on is still among the
pooled features, and hardly in the vector. The vector here is a second linear view of the same features: the trained
projection beside their leading principal directions, turned to as many axes as a vector has. It costs the runtime
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from fewshot.errors import UsageError
from fewshot.research.training.face_data import FaceCrops
from fewshot.research.training.network import ExpressionNetwork
from fewshot.unit_vectors import unit_rows

Matrix = NDArray[np.float64]
QUARTERS = (16,)
"""Strides of the maps whose quarters are tried."""
_BATCH = 256


def hush(network: nn.Module, least: float) -> int:
    """Keep batch norms from shouting: a channel that was next to silent in training is divided by next to nothing.

    Such a channel tells the training faces nothing, and in one picture of a hundred its answer is thirty times as large
    as any other: the vector of that picture shows it and little else.

    Args:
        network: changed in place.
        least: variance below which a channel is divided as if it had this one.

    Returns:
        How many channels were changed.
    """
    changed = 0
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_var is not None:
            changed += int((part.running_var < least).sum())
            part.running_var.clamp_(min=least)
    return changed


@dataclass(frozen=True, eq=False)
class Projection:
    """features (n, f) -> ``features @ weight.T + bias``, which the network then brings to length 1.

    Attributes:
        weight: shape (d, f).
        bias: shape (d,).
    """

    weight: Matrix
    bias: Matrix

    def __call__(self, features: NDArray[np.floating]) -> Matrix:
        """Vectors of length 1, shape (n, d)."""
        made = features @ self.weight.T + self.bias
        return np.asarray(unit_rows(made), np.float64)


def principal_directions(features: NDArray[np.floating], count: int, whiten: float = 0.0) -> tuple[Matrix, Matrix]:
    """The directions along which features differ most, each feature first brought to standard deviation 1.

    Args:
        features: pooled, of training faces, shape (n, f).
        count: how many directions.
        whiten: 0 leaves them their spread, 1 gives all the same; between, a power of it.

    Returns:
        (weight, shape (count, f); bias, shape (count,)): ``features @ weight.T + bias`` has mean 0.

    Raises:
        UsageError: there are not so many directions.
    """
    if not 0 < count <= min(features.shape):
        raise UsageError(f"{count} directions of {features.shape[0]} faces with {features.shape[1]} features.")
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    # A feature that is next to silent would only shout its noise.
    unit = np.maximum(spread, 0.05 * spread.mean() + 1e-12)
    scaled = (features - mean) / unit
    values, axes = np.linalg.eigh(scaled.T @ scaled / len(features))
    values, axes = values[::-1][:count], axes[:, ::-1][:, :count]
    axes = axes * np.maximum(values, 1e-12) ** (-whiten / 2)
    weight = axes.T / unit
    return weight, -weight @ mean


def widened(
    trained: tuple[NDArray[np.floating], NDArray[np.floating]],
    features: NDArray[np.floating],
    share: float,
    directions: int,
    whiten: float = 0.0,
) -> Projection:
    """The trained projection and principal directions as one, turned to as many axes as the trained one has.

    Args:
        trained: its weight, shape (d, f), and bias, shape (d,).
        features: pooled, of training faces, shape (n, f).
        share: of the squared length of a vector that the principal directions get, on average: 0 leaves the trained
            projection as it is (but for a turn), 1 leaves nothing of it.
        directions, whiten: see ``principal_directions``.

    Raises:
        UsageError: ``share`` is not between 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise UsageError(f"A share of {share}, expected 0 to 1.")
    weight, bias = (np.asarray(part, np.float64) for part in trained)
    more_weight, more_bias = principal_directions(features, directions, whiten)
    parts = []
    for part_weight, part_bias, length in (
        (weight, bias, np.sqrt(1 - share)),
        (more_weight, more_bias, np.sqrt(share)),
    ):
        own = np.sqrt(((features @ part_weight.T + part_bias) ** 2).sum(axis=1).mean())
        parts.append((part_weight * (length / own), part_bias * (length / own)))
    stacked, offset = np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    made = features @ stacked.T + offset
    _, axes = np.linalg.eigh(made.T @ made)
    axes = axes[:, ::-1][:, : len(weight)]
    return Projection(axes.T @ stacked, axes.T @ offset)


def with_quarters(network: ExpressionNetwork) -> ExpressionNetwork:
    """The same network with more features behind its own; its projection is yet to be made."""
    wide = ExpressionNetwork(**{**network.config, "quarters": QUARTERS})
    kept = {name: value for name, value in network.state_dict().items() if "project_expression" not in name}
    wide.load_state_dict(kept, strict=False)
    return wide


@torch.inference_mode()
def features_of(network: ExpressionNetwork, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features that the projection reads, shape (n, f), of grey crops of the network's size, shape (n, size, size)."""
    grey = torch.from_numpy(crops).unsqueeze(1)
    return np.concatenate([network.features(part.float())[0].numpy() for part in grey.split(_BATCH)])


def crops_features(network: ExpressionNetwork, crops: FaceCrops) -> NDArray[np.float32]:
    """Features that the projection reads, shape (n, f), of all crops of a table, in its order."""
    return np.concatenate([features_of(network, batch["grey"][:, 0].numpy()) for batch in DataLoader(crops, _BATCH)])
