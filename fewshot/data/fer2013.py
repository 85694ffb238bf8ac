"""FER2013 (Goodfellow et al. 2013) with the FER+ votes (Barsoum et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.types import EMOTIONS

FER2013_CLASSES = EMOTIONS
FERPLUS_CLASSES = (*EMOTIONS, "contempt")
TRAINING, PUBLIC_TEST, PRIVATE_TEST = 0, 1, 2

_FACE = 48
_MOSAIC = 40
# FER+ writes the votes in its own order and with its own words.
_FERPLUS_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")


@dataclass(frozen=True)
class Fer2013:
    """All 35,887 faces of FER2013, in the order of the original csv.

    Attributes:
        faces: grey pictures, uint8, shape (n, 48, 48).
        labels: FER2013's own label, an index into ``FER2013_CLASSES``, shape (n,).
        usage: ``TRAINING``, ``PUBLIC_TEST`` or ``PRIVATE_TEST``, shape (n,).
        votes: FER+ votes, columns ``FERPLUS_CLASSES``, unknown, not a face, shape (n, 10); -1 where there are none.
        leaked: training pictures that are, pixel for pixel, in a test split, shape (n,).
    """

    faces: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.int64]
    votes: NDArray[np.float32]
    leaked: NDArray[np.bool_]

    def vote_distribution(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """FER+ votes as class probabilities over the 8 classes.

        Single votes are outliers and dropped, as FER+ does; pictures whose votes then go mostly to "unknown" or
        "not a face", or that were never voted on, carry no target.

        Returns:
            (distribution, shape (n, 8), rows sum to 1 where usable; usable, shape (n,)).
        """
        votes = np.where(self.votes > 1, self.votes, 0.0)
        emotions = votes[:, :8]
        total = emotions.sum(axis=1)
        usable = (total > 0) & (votes.argmax(axis=1) < 8)
        return (emotions / np.maximum(total, 1.0)[:, None]).astype(np.float32), usable

    def ferplus_published(self, n_classes: int = 7) -> NDArray[np.int64]:
        """The label by FER+'s published "majority" rule, or -1: votes of 1 dropped, the winner has more than half.

        Args:
            n_classes: 7 leaves contempt out of the pictures that count (it still takes part in the vote), 8 keeps it.
        """
        votes = np.where(self.votes > 1, self.votes, 0.0)
        winner = votes.argmax(axis=1)
        clear = votes.max(axis=1) > 0.5 * votes.sum(axis=1)
        return np.where(clear & (winner < n_classes), winner, -1)

    def ferplus_plurality(self) -> NDArray[np.int64]:
        """The one of the seven emotions with most votes where no other column has more, or -1."""
        winner = self.votes.argmax(axis=1)
        return np.where((winner < 7) & (self.votes.max(axis=1) > 0), winner, -1)


def load_fer2013(folder: Path) -> Fer2013:
    """Read the compact form: mosaics ``faces_NN.webp`` of 40x40 faces and ``labels.npz``.

    Raises:
        UsageError: the folder does not hold it.
    """
    if not (folder / "labels.npz").is_file():
        raise UsageError(f"No FER2013 in {folder}: expected labels.npz and faces_00.webp ... there. Set data.root.")
    with np.load(folder / "labels.npz", allow_pickle=False) as table:
        arrays = {name: table[name] for name in table.files}
    n = len(arrays["labels"])
    mosaics = []
    for path in sorted(folder.glob("faces_*.webp")):
        mosaic = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mosaic is None:
            raise UsageError(f"{path} cannot be read as a picture. Copy it again.")
        tiles = mosaic.reshape(_MOSAIC, _FACE, _MOSAIC, _FACE).transpose(0, 2, 1, 3)
        mosaics.append(tiles.reshape(-1, _FACE, _FACE))
    names = [str(name) for name in arrays["ferplus_names"]]
    order = [names.index(name) for name in _FERPLUS_COLUMNS] + [names.index("unknown"), names.index("NF")]
    return Fer2013(
        faces=np.concatenate(mosaics)[:n],
        labels=arrays["labels"].astype(np.int64),
        usage=arrays["usage"].astype(np.int64),
        votes=arrays["ferplus_votes"][:, order].astype(np.float32),
        leaked=arrays["train_duplicate_of_test"].astype(bool),
    )


def correlates_with(faces: NDArray[np.uint8], others: NDArray[np.uint8], threshold: float = 0.99) -> NDArray[np.bool_]:
    """Which of ``faces`` [n, h, w] correlate above ``threshold`` with any of ``others`` [m, h, w], shape (n,)."""

    def standardised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        flat = pictures.reshape(len(pictures), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)

    rows, columns = standardised(faces), standardised(others).T
    found = [np.max(rows[start : start + 1024] @ columns, axis=1) for start in range(0, len(rows), 1024)]
    return np.concatenate(found) > threshold
