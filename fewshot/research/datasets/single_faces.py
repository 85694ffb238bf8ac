"""Data sets of single faces through the one chain that enrollment and the live loop use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_perception import photo_perception
from fewshot.faces.boxes import largest_face
from fewshot.faces.quality import Limits
from fewshot.perception import Perception
from fewshot.pictures import read_picture
from fewshot.types import Face

# Laboratory pictures: whatever their size, light or sharpness, they are what they are.
ANYTHING = Limits(size=1, sharpness=0, yaw=180, pitch=180, roll=180, dark=0, bright=256, contrast=0)


def faces_of(perception: Perception, paths: Sequence[Path]) -> tuple[list[Face], NDArray[np.int64]]:
    """The largest face of every picture that has one, with its vectors.

    Args:
        perception: the chain; its quality limits are not applied.
        paths: n pictures.

    Returns:
        (m faces, their indices in ``paths``, shape (m,)).
    """
    eyes = photo_perception(perception, ANYTHING)
    found: list[Face] = []
    indices: list[int] = []
    for index, path in enumerate(paths):
        frame = read_picture(path)
        largest = largest_face(eyes.look(frame))
        if largest is not None:
            eyes.identify(frame, [largest])
            found.append(largest)
            indices.append(index)
    return found, np.array(indices, dtype=np.int64)
