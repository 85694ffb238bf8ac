"""FER2013's square faces as crops for the network: the whole picture as published, or aligned as in the live loop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE, EXPRESSION_TEMPLATE, similarity_transforms


def framings(size: int, landmarks: NDArray[np.float32], trusted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Matrices from a square picture of ``size`` to the crop, shape (n, 2, 2, 3): whole picture, and aligned.

    Args:
        size: pixels.
        landmarks: in units of ``size``, shape (n, 5, 2).
        trusted: rows whose landmarks hold; the others get the whole picture twice, shape (n,).
    """
    zoom = CROP_SIZE / size
    # Pixel centres: (x + 0.5) * zoom - 0.5, else every crop sits half a source pixel off.
    whole = np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]], np.float32)
    both = np.repeat(whole[None, None], len(landmarks), axis=0).repeat(2, axis=1)
    both[trusted, 1] = similarity_transforms(landmarks[trusted] * size, EXPRESSION_TEMPLATE)
    return both


def cut(face: NDArray[np.uint8], matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One grey crop (112, 112) of a grey picture."""
    size = (CROP_SIZE, CROP_SIZE)
    return np.asarray(
        cv2.warpAffine(face, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
