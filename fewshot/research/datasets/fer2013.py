"""FER2013 (Goodfellow et al. 2013) with the FER+ votes (Barsoum et al. 2016)."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.research.datasets import fer2013_forms
from fewshot.types import EMOTIONS
from fewshot.unit_vectors import unit_rows

FERPLUS_CLASSES = (*EMOTIONS, "contempt")
TRAINING, PUBLIC_TEST, PRIVATE_TEST = 0, 1, 2

_FACE = 48
_MOSAIC = 40


@dataclass(frozen=True)
class Fer2013:
    """All 35,887 faces of FER2013, in the order of the files they were read from (the forms have different ones).

    Attributes:
        faces: grey pictures, uint8, shape (n, 48, 48).
        labels: FER2013's own label, an index into ``EMOTIONS``, shape (n,).
        usage: ``TRAINING``, ``PUBLIC_TEST`` or ``PRIVATE_TEST``, shape (n,).
        votes: FER+ votes, columns ``FERPLUS_CLASSES``, unknown, not a face, shape (n, 10); -1 where there are none.
        leaked: training pictures that are, pixel for pixel, in a test split, shape (n,).
        notes: what this form of the data lacks, in words.
    """

    faces: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.int64]
    votes: NDArray[np.float32]
    leaked: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

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
    """Read FER2013 in whichever form it lies there, with FER+ votes where ``fer2013new.csv`` lies beside it.

    Args:
        folder: holds ``fer2013.csv`` or ``icml_face_data.csv``, or the Kaggle image folders ``train`` and ``test``, or
            the compact form (``labels.npz`` and mosaics); or the path of a csv itself. See
            docs/reference/data-sets.md.

    Raises:
        UsageError: none of these is there, or a file is damaged.
    """
    folder = Path(folder)
    if (folder / "labels.npz").is_file():
        return _compact(folder)
    notes: tuple[str, ...] = ()
    table = fer2013_forms.find_csv(folder)
    if table is not None:
        faces, labels, usage = fer2013_forms.read_csv(table)
        votes_file = table.with_name("fer2013new.csv")
        if votes_file.is_file():
            votes = fer2013_forms.read_votes(votes_file, usage)
        else:
            votes, notes = _no_votes(len(faces)), (f"No {votes_file}, so there are no FER+ votes.",)
    elif fer2013_forms.is_image_folders(folder):
        faces, labels, usage = fer2013_forms.read_image_folders(folder)
        votes, notes = _no_votes(len(faces)), (fer2013_forms.FOLDERS_NOTE.format(folder=folder),)
    else:
        raise UsageError(
            f"No FER2013 in {folder}. Expected fer2013.csv or icml_face_data.csv, the folders train/ and test/ with a "
            "folder for every emotion, or labels.npz with faces_00.webp ... there. Set data.root."
        )
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Fer2013(faces, labels, usage, votes, repeated_in_tests(faces, usage), notes)


def _no_votes(n: int) -> NDArray[np.float32]:
    return np.full((n, len(fer2013_forms.VOTE_COLUMNS)), -1, np.float32)


def repeated_in_tests(faces: NDArray[np.uint8], usage: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Training pictures that occur, pixel for pixel, in PublicTest or PrivateTest, shape (n,)."""
    tested = {faces[row].tobytes() for row in np.flatnonzero(usage != TRAINING)}
    return np.array(
        [use == TRAINING and face.tobytes() in tested for face, use in zip(faces, usage, strict=True)], bool
    )


def order_of(faces: NDArray[np.uint8]) -> str:
    """sha256 of all pixels in their order: what goes row by row belongs to faces with the same one."""
    return hashlib.sha256(faces.tobytes()).hexdigest()


def check_order(fer: Fer2013, prepared: Mapping[str, NDArray[np.generic]], path: Path) -> None:
    """Refuse what ``experiments/prepare.py`` wrote for the same faces in another order, as another form has them.

    Args:
        fer: the faces.
        prepared: the arrays of ``path``. A file without "order" was made before it was kept, and is not checked.
        path: for the message.

    Raises:
        UsageError: it goes with other faces, or with these in another order.
    """
    if "order" in prepared and str(prepared["order"]) != order_of(fer.faces):
        raise UsageError(
            f"{path} was made of FER2013 in another form or order. Run: python -m fewshot.research.training.prepare"
        )


def _compact(folder: Path) -> Fer2013:
    """Mosaics ``faces_NN.webp`` of 40x40 faces and ``labels.npz``."""
    with np.load(folder / "labels.npz", allow_pickle=False) as table:
        arrays = {name: table[name] for name in table.files}
    n = len(arrays["labels"])
    mosaics = []
    for path in sorted(folder.glob("faces_*.webp")):
        mosaic = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mosaic is None or mosaic.shape != (_MOSAIC * _FACE, _MOSAIC * _FACE):
            raise UsageError(f"{path} is no picture of {_MOSAIC}x{_MOSAIC} faces. Copy it again.")
        tiles = mosaic.reshape(_MOSAIC, _FACE, _MOSAIC, _FACE).transpose(0, 2, 1, 3)
        mosaics.append(tiles.reshape(-1, _FACE, _FACE))
    if sum(map(len, mosaics)) < n:
        raise UsageError(f"{folder} has {sum(map(len, mosaics))} faces, labels.npz has {n}. Copy the mosaics again.")
    names = [str(name) for name in arrays["ferplus_names"]]
    order = [names.index(name) for name in fer2013_forms.VOTE_COLUMNS]
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
        return unit_rows(flat)

    rows, columns = standardised(faces), standardised(others).T
    found = [np.max(rows[start : start + 1024] @ columns, axis=1) for start in range(0, len(rows), 1024)]
    return np.concatenate(found) > threshold
