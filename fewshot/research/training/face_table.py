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


def joined(*tables: FaceTable) -> FaceTable:
    """All tables as one, with the targets of the first."""
    targets = {name: np.concatenate([table.targets[name] for table in tables]) for name in tables[0].targets}
    faces = [face for table in tables for face in table.faces]
    return FaceTable(faces, np.concatenate([table.to_crop for table in tables]), targets)
