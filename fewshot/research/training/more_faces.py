"""Training faces beside FER2013: RAF-DB's web pictures, and posed faces with the shares of their raters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.research.datasets.framing import framings
from fewshot.research.datasets.mosaics import LabelledFaces, may_train, read_mosaics
from fewshot.research.training.face_table import FaceTable, joined
from fewshot.types import EMOTIONS

SMOOTHING = 0.1
"""Of labels that are one word, though most pictures show a little of another emotion."""
ACTED = 0.5
"""Weight of the emotion that a performer acted; the shares of the raters have the rest."""
ABSENT = -20.0
"""Log prior of a class that a data set does not have: its logit takes no part there."""


def training_faces(data: Path, name: str) -> LabelledFaces:
    """The faces of one data set that may train: see ``experiments/data_use.json``."""
    faces = read_mosaics(data / name)
    return faces.rows(may_train(faces))


def targets_of(faces: LabelledFaces) -> NDArray[np.float32]:
    """Probabilities of the 8 classes of FER+, shape (n, 8): smoothed labels, mixed with the shares of the raters."""
    n, kinds = len(faces), len(EMOTIONS)
    targets = np.full((n, kinds), SMOOTHING / kinds, np.float32)
    targets[np.arange(n), faces.labels] += 1 - SMOOTHING
    if faces.shares is not None:
        # The raters could not answer "neutral": of a neutral face their shares say nothing.
        rated = (faces.labels != EMOTIONS.index("neutral"))[:, None]
        targets = np.where(rated, ACTED * targets + (1 - ACTED) * faces.shares, targets)
    return np.concatenate([targets, np.zeros((n, 1), np.float32)], axis=1)


def log_prior(targets: NDArray[np.floating], used: NDArray[np.floating]) -> NDArray[np.float32]:
    """Log frequencies of the classes in one data set, for logit adjustment (Menon et al. 2021), shape (k,)."""
    share = (targets * used[:, None]).sum(0)
    share = share / max(float(share.sum()), 1e-9)
    return np.where(share > 1e-6, np.log(np.maximum(share, 1e-6)), ABSENT).astype(np.float32)


def as_table(faces: LabelledFaces, like: FaceTable) -> FaceTable:
    """Faces as a table with the targets that ``like`` has; what nobody knows of them has weight 0."""
    n, votes = len(faces), targets_of(faces)
    grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in faces.pictures]
    size = faces.pictures.shape[1]
    trusted = np.asarray(np.isfinite(faces.landmarks).all(axis=(1, 2)))
    to_crop = framings(size, np.nan_to_num(faces.landmarks), trusted)
    # Their own framing differs from one data set to the next: only the aligned one is of use.
    to_crop[:, 0] = to_crop[:, 1]
    known: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "votes": votes,
        "has_votes": np.ones(n, np.float32),
        "label": np.full(n, -1),
        "published": np.full(n, -1),
        "row": np.full(n, -1),
        "prior": np.repeat(log_prior(votes, np.ones(n))[None], n, axis=0),
    }
    for name, values in like.targets.items():
        if name not in known:
            known[name] = np.zeros((n, *values.shape[1:]), values.dtype)
    return FaceTable(grey, to_crop, {name: known[name] for name in like.targets})


def with_more_faces(table: FaceTable, data: Path, repeats: Mapping[str, int]) -> FaceTable:
    """The training table and the faces of other data sets behind it.

    Args:
        table: of FER2013.
        data: the folder that holds the other data sets.
        repeats: how often each face of a data set occurs in an epoch, by its name: small sets would hardly count.
    """
    prior = log_prior(*(np.asarray(table.targets[name], np.float32) for name in ("votes", "has_votes")))
    table.targets["prior"] = np.repeat(prior[None], len(table), axis=0)
    parts = [table]
    for name, times in repeats.items():
        parts += [as_table(training_faces(data, name), table)] * times
    return joined(*parts)
