"""Faces and their training targets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class FaceTable:
    """Faces and their targets, one row a face.

    Attributes:
        faces: grey square pictures, possibly of different sizes, length n.
        to_crop: matrices from picture to 112x112 crop: as published, and aligned by landmarks, shape (n, 2, 2, 3).
        targets: what a DataLoader makes batches of; every array has n rows.
    """

    faces: list[NDArray[np.uint8]]
    to_crop: NDArray[np.float32]
    targets: dict[str, NDArray[np.float32] | NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.faces)


def joined(first: FaceTable, second: FaceTable) -> FaceTable:
    """Both tables as one."""
    targets = {name: np.concatenate([first.targets[name], second.targets[name]]) for name in first.targets}
    return FaceTable(first.faces + second.faces, np.concatenate([first.to_crop, second.to_crop]), targets)
