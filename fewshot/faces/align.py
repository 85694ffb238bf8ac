"""Five-point alignment of all faces of a frame at once (closed-form similarity, Umeyama 1991)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Frame

CROP_SIZE = 112

ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
"""Positions of the five landmarks in the 112x112 crops that ArcFace recognisers were trained on (Deng et al. 2019)."""

# FER2013 crops faces tighter and higher than ArcFace. Measured on its training faces (median of SCRFD's landmarks), its
# framing is ArcFace's template, about 1.15 times as large and shifted up; see docs/explanation/faces.md.
EXPRESSION_SCALE = 1.15
EXPRESSION_SHIFT = (0.0, -10.0)
EXPRESSION_TEMPLATE = (
    (ARCFACE_TEMPLATE - CROP_SIZE / 2) * EXPRESSION_SCALE + CROP_SIZE / 2 + np.array(EXPRESSION_SHIFT)
).astype(np.float32)
"""Positions of the five landmarks in the 112x112 crop for the expression network."""


def similarity_transforms(landmarks: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float32]:
    """Least-squares similarity transform (rotation, one scale, translation) of every landmark set to the template.

    In two dimensions and without reflection Umeyama's solution is linear. With points as complex numbers, the transform
    is z -> a z + b with a = sum conj(z_i) w_i / sum |z_i|^2 over centred points.

    Args:
        landmarks: source points, shape (n, p, 2).
        template: target points, shape (p, 2), or one set per source set, shape (n, p, 2).

    Returns:
        Matrices for ``cv2.warpAffine`` that map source to target, shape (n, 2, 3).
    """
    points = np.asarray(landmarks, dtype=np.float64).reshape(-1, template.shape[-2], 2)
    source = points[..., 0] + 1j * points[..., 1]
    target = template[..., 0].astype(np.float64) + 1j * template[..., 1]
    source_mean, target_mean = source.mean(axis=1, keepdims=True), target.mean(axis=-1, keepdims=True)
    centred = source - source_mean
    spread = np.maximum((np.abs(centred) ** 2).sum(axis=1), 1e-9)
    a = (np.conj(centred) * (target - target_mean)).sum(axis=1) / spread
    b = target_mean[..., 0] - a * source_mean[:, 0]
    rows = np.stack([np.stack([a.real, -a.imag, b.real], -1), np.stack([a.imag, a.real, b.imag], -1)], axis=1)
    return rows.astype(np.float32)


def apply(matrices: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points [n, p, 2] transformed with the matrices [n, 2, 3], one matrix per set; shape (n, p, 2)."""
    return np.asarray(points @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2], np.float32)


def align(
    frame: Frame, landmarks: NDArray[np.floating], template: NDArray[np.floating] = EXPRESSION_TEMPLATE
) -> NDArray[np.uint8]:
    """Cut every face out of the frame, upright and in the framing of ``template``.

    Args:
        frame: shape (height, width, 3) or (height, width).
        landmarks: pixels of the frame, shape (n, 5, 2).
        template: target positions of the landmarks in the 112x112 crop, shape (5, 2).

    Returns:
        Crops, shape (n, 112, 112, 3) or (n, 112, 112).
    """
    matrices = similarity_transforms(landmarks, template)
    crops = np.empty((len(matrices), CROP_SIZE, CROP_SIZE, *frame.shape[2:]), dtype=np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        cv2.warpAffine(frame, matrix, (CROP_SIZE, CROP_SIZE), dst=crop, borderMode=cv2.BORDER_REPLICATE)
    return crops
