"""Batches of crops for training: FER2013 with FER+ votes, and faces that teach identity alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fewshot.embedding.runtime import shrunk
from fewshot.errors import UsageError
from fewshot.faces.align import CROP_SIZE
from fewshot.research.datasets.blendshapes import mirror_free
from fewshot.research.datasets.fer2013 import PUBLIC_TEST, TRAINING, check_order, load_fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.epochs import ShuffledFaces, shared_out
from fewshot.research.training.face_table import FaceTable, joined
from fewshot.research.training.more_faces import with_more_faces
from fewshot.unit_vectors import unit_rows

# MediaPipe's own score of a face, under which its blendshapes are of something else.
TRUSTED_BLENDSHAPES = 0.7
SEEN = 64
"""How many components of what other networks see are learned."""
# A landmark score under this means the five points are a guess: the picture keeps its own framing.
TRUSTED_LANDMARKS = 0.55


class FaceCrops(Dataset[dict[str, Tensor]]):
    """Crops with targets. With an augmentation the framing is drawn at random, else it is the one asked for.

    Args:
        table: faces and targets.
        augmentation: None for evaluation.
        aligned: framing for evaluation: by landmarks as in the live loop, or the whole picture as published.
        seed: of the augmentation.
        size: of the crops, pixels.

    Attributes:
        epoch: the augmentation of a face follows from the seed, this and its place, whichever process makes the crop.
    """

    def __init__(
        self,
        table: FaceTable,
        augmentation: Augmentation | None = None,
        aligned: bool = False,
        seed: int = 0,
        size: int = CROP_SIZE,
    ) -> None:
        self.table, self.augmentation, self.aligned, self.size = table, augmentation, aligned, size
        self.seed, self.epoch = seed, 0

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        table, change = self.table, self.augmentation
        rng = np.random.default_rng((self.seed, self.epoch, index))
        which = int(rng.random() < 0.5) if change else int(self.aligned)
        matrix = table.to_crop[index, which]
        if change:
            matrix = change.framing(matrix, rng)
        crop = cut(table.faces[index], matrix)
        if change:
            crop = change.picture(crop, rng)
        crop = shrunk(crop, self.size)
        row = {name: torch.as_tensor(values[index]) for name, values in table.targets.items()}
        row["grey"] = torch.from_numpy(crop).unsqueeze(0)
        return row


class FerDataModule(lightning.LightningDataModule):
    """FER2013 Training (without what leaks) with FER+ votes, plus identity-only faces; PublicTest for choosing.

    Args:
        root: folder of the compact FER2013.
        prepared: folder that ``experiments/prepare.py`` wrote.
        augmentation: of the training crops.
        batch_size: crops a batch, of each process where there are several.
        resolutions: crops are shrunk to resolutions[0] at the first epoch and rise linearly to resolutions[1];
            training small first costs a third and ends as well (Tan & Le 2021, progressive learning). None leaves them.
        full_size_epochs: how many epochs at the end run at resolutions[1].
        limit: keep only so many training faces (tests); 0 keeps all.
        workers: processes that make crops.
        size: of the crops that the network gets, pixels; they are cut at 112 and shrunk, as the runtime does.
        identity_faces: add the faces that teach identity alone.
        blendshapes: read what MediaPipe saw in the training faces too, as ``experiments/prepare.py`` wrote it.
        answers: how much of every target other networks decide, as ``experiments/teach.py`` wrote it; 0 nothing.
        seen: read the components of their features too, as it wrote them.
        more: further data sets to train on, and how often each of their faces occurs in an epoch: names of folders
            beside ``root`` (``more_faces``).

    Attributes:
        mapped: what the network gets in place of the crops (``front.Front``); None: the crops.
    """

    def __init__(
        self,
        root: str,
        prepared: str,
        augmentation: Augmentation,
        batch_size: int = 128,
        resolutions: tuple[int, int] | None = (64, 112),
        full_size_epochs: int = 8,
        limit: int = 0,
        workers: int = 1,
        seed: int = 0,
        size: int = CROP_SIZE,
        identity_faces: bool = True,
        blendshapes: bool = False,
        answers: float = 0.0,
        seen: bool = False,
        more: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.more = dict(more or {})
        self.mapped: Callable[[FaceCrops], FaceCrops] | None = None
        self.seen = seen
        self.size, self.identity_faces, self.blendshapes, self.answers = size, identity_faces, blendshapes, answers
        self.root, self.prepared, self.augmentation = Path(root), Path(prepared), augmentation
        self.batch_size, self.resolutions, self.full_size_epochs = batch_size, resolutions, full_size_epochs
        self.limit, self.workers, self.seed = limit, workers, seed
        self.first_epoch = 0

    def setup(self, stage: str) -> None:  # noqa: ARG002 (Lightning passes it by name)
        """Read the tables, once."""
        if not hasattr(self, "tables"):
            self.tables = training_tables(self.root, self.prepared, self.limit, self.identity_faces)
            if self.blendshapes:
                add_blendshapes(self.tables, self.root, self.prepared)
            if self.answers:
                add_answers(self.tables["train"], self.root, self.prepared, self.answers)
            if self.seen:
                add_seen(self.tables, self.root, self.prepared)
            if self.more:
                self.tables["train"] = with_more_faces(self.tables["train"], self.root.parent, self.more)

    def class_frequencies(self) -> tuple[Tensor, Tensor]:
        """Shares of the eight classes in the training votes and of the seven in FER2013's labels."""
        targets = self.tables["train"].targets
        votes = (targets["votes"] * targets["has_votes"][:, None]).sum(0)
        labels = np.bincount(targets["label"][targets["label"] >= 0], minlength=7)
        # One face at least: the logarithm of nothing makes every loss infinite.
        counts = (np.maximum(one, 1) for one in (votes, labels))
        return tuple(torch.as_tensor(one / one.sum()).float() for one in counts)  # type: ignore[return-value]

    def state_dict(self) -> dict[str, Any]:
        """How many epochs are over, for ``load_state_dict``."""
        loop: Any = self.trainer and self.trainer.fit_loop
        return {"epochs": loop.epoch_progress.current.processed if loop else 0}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the epochs of ``state_dict``."""
        # Lightning starts the workers of a resumed run before it tells the sampler which epoch it is.
        self.first_epoch = state_dict["epochs"]

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Augmented crops in a new order each epoch."""
        crops = FaceCrops(self.tables["train"], self.augmentation, seed=self.seed, size=self.size)
        crops = self.mapped(crops) if self.mapped else crops
        return DataLoader(
            crops,
            batch_size=self.batch_size,
            sampler=ShuffledFaces(crops, self.trainer, self.seed, self.first_epoch),
            drop_last=True,
            num_workers=self.workers,
            prefetch_factor=8 if self.workers else None,
        )

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Aligned crops of PublicTest, in order."""
        crops = FaceCrops(self.tables["public"], aligned=True, size=self.size)
        crops = self.mapped(crops) if self.mapped else crops
        return DataLoader(crops, batch_size=256, sampler=shared_out(crops, self.trainer))

    def resolution(self) -> int:
        """Side of the training crops in this epoch, pixels, a multiple of 8."""
        low, high = self.resolutions or (self.size, self.size)
        if self.trainer is None or not self.trainer.max_epochs:
            return high
        rising = max(self.trainer.max_epochs - self.full_size_epochs, 1)
        progress = min(self.trainer.current_epoch / rising, 1.0)
        return int(round((low + (high - low) * progress) / 8) * 8)

    def on_after_batch_transfer(self, batch: dict[str, Tensor], _dataloader_idx: int) -> dict[str, Tensor]:
        """Grey bytes to floats, at the side that this epoch trains with: shape (n, 1, side, side)."""
        batch["grey"] = batch["grey"].float()
        if self.trainer is not None and self.trainer.training and (side := self.resolution()) != self.size:
            batch["grey"] = torch.nn.functional.interpolate(
                batch["grey"], size=(side, side), mode="bilinear", antialias=True
            )
        return batch


def training_tables(root: Path, prepared: Path, limit: int = 0, identity_faces: bool = True) -> dict[str, FaceTable]:
    """The tables ``train`` and ``public``.

    Raises:
        UsageError: ``experiments/prepare.py`` has not been run, or on FER2013 in another order.
    """
    if not (prepared / "fer2013_prepared.npz").is_file():
        raise UsageError(f"No fer2013_prepared.npz in {prepared}. Run: python -m fewshot.research.training.prepare")
    fer = load_fer2013(root)
    with np.load(prepared / "fer2013_prepared.npz") as stored:
        check_order(fer, stored, prepared / "fer2013_prepared.npz")
        landmarks, scores, excluded = stored["landmarks"], stored["scores"], stored["excluded"]
        identity = stored["identity"].astype(np.float32)
    with np.load(prepared / "lfw_prepared.npz") as stored:
        lfw_faces, lfw_landmarks = stored["faces"], stored["landmarks"]
        lfw_identity = stored["identity"].astype(np.float32)
    votes, has_votes = fer.vote_distribution()
    published = fer.ferplus_published(7)
    to_crop = framings(48, landmarks, scores > TRUSTED_LANDMARKS)

    # The recogniser's 512 numbers, turned to the axes along which training faces differ most.
    has_identity = np.abs(identity).sum(1) > 0
    axes = principal_axes(np.concatenate([identity[has_identity], lfw_identity]), 128)

    def rows(chosen: NDArray[np.int64]) -> FaceTable:
        return FaceTable(
            faces=[fer.faces[i] for i in chosen],
            to_crop=to_crop[chosen],
            targets={
                "votes": votes[chosen],
                "has_votes": has_votes[chosen].astype(np.float32),
                "label": fer.labels[chosen],
                "published": published[chosen],
                "identity": unit_rows(identity[chosen] @ axes),
                "has_identity": has_identity[chosen].astype(np.float32),
                "row": chosen,
            },
        )

    train = np.flatnonzero((fer.usage == TRAINING) & ~excluded)
    tables = {
        "train": rows(train[:limit] if limit else train),
        "public": rows(np.flatnonzero((fer.usage == PUBLIC_TEST) & ~excluded)),
    }
    if not identity_faces:
        return tables
    n = len(lfw_faces)
    lfw = FaceTable(
        faces=list(lfw_faces),
        to_crop=framings(lfw_faces.shape[1], lfw_landmarks, np.ones(n, bool)),
        targets={
            "votes": np.full((n, 8), 1 / 8, np.float32),
            "has_votes": np.zeros(n, np.float32),
            "label": np.full(n, -1),
            "published": np.full(n, -1),
            "identity": unit_rows(lfw_identity @ axes),
            "has_identity": np.ones(n, np.float32),
            "row": np.full(n, -1),
        },
    )
    # LFW's own framing is far wider than a crop: only the aligned one is of use.
    lfw.to_crop[:, 0] = lfw.to_crop[:, 1]
    tables["train"] = joined(tables["train"], lfw)
    return tables


def add_blendshapes(tables: dict[str, FaceTable], root: Path, prepared: Path) -> None:
    """Give both tables ``shapes`` (``data.blendshapes.mirror_free``, standardised over training faces) and
    ``has_shapes``; identity-only faces have none.

    Raises:
        UsageError: ``experiments/prepare.py`` has not written them, or for FER2013 in another order.
    """
    stored = _of_every_face(
        root, prepared / "fer2013_blendshapes.npz", "-m fewshot.research.training.prepare --only blendshapes"
    )
    shapes, known = mirror_free(stored["blendshapes"]), stored["scores"] > TRUSTED_BLENDSHAPES
    rows = {name: table.targets["row"] for name, table in tables.items()}
    taught = rows["train"][(rows["train"] >= 0) & known[rows["train"]]]
    shapes = (shapes - shapes[taught].mean(axis=0)) / shapes[taught].std(axis=0)
    for name, table in tables.items():
        table.targets["shapes"] = shapes[rows[name]].astype(np.float32)
        table.targets["has_shapes"] = ((rows[name] >= 0) & known[rows[name]]).astype(np.float32)


def add_answers(table: FaceTable, root: Path, prepared: Path, share: float) -> None:
    """Mix the answers of earlier networks into the votes of training faces, and give FER2013's labels, as
    ``label_answers``, shape (n, 7), the same company.

    Raises:
        UsageError: ``experiments/teach.py`` has not written them, or for FER2013 in another order.
    """
    stored = _of_every_face(
        root, prepared / "fer2013_answers.npz", "experiments/teach.py CHECKPOINT... (in a checkout)"
    )
    votes, labels = (stored[name].astype(np.float32) for name in ("votes", "labels"))
    targets, row = table.targets, table.targets["row"]
    taught = (row >= 0)[:, None]
    targets["votes"] = np.where(taught, (1 - share) * targets["votes"] + share * votes[row], targets["votes"])
    own = np.eye(7, dtype=np.float32)[np.maximum(targets["label"], 0)]
    targets["label_answers"] = np.where(taught, (1 - share) * own + share * labels[row], own)


def add_seen(tables: dict[str, FaceTable], root: Path, prepared: Path) -> None:
    """Give both tables ``seen``, shape (n, SEEN), standardised components of what other networks see in the faces.

    Raises:
        UsageError: ``experiments/teach.py`` has not written them, or for FER2013 in another order.
    """
    stored = _of_every_face(
        root, prepared / "fer2013_answers.npz", "experiments/teach.py CHECKPOINT... (in a checkout)"
    )
    if "seen" not in stored:
        raise UsageError(
            f"{prepared / 'fer2013_answers.npz'} is an older one. Run in a checkout: python experiments/teach.py"
        )
    for table in tables.values():
        table.targets["seen"] = stored["seen"][table.targets["row"]].astype(np.float32)
        table.targets["has_seen"] = (table.targets["row"] >= 0).astype(np.float32)


def _of_every_face(root: Path, path: Path, script: str) -> dict[str, NDArray[np.floating]]:
    """The arrays that a script wrote of all faces of FER2013.

    Raises:
        UsageError: it has not, or for FER2013 in another order.
    """
    if not path.is_file():
        raise UsageError(f"No {path.name} in {path.parent}. Run: python {script}")
    with np.load(path) as stored:
        check_order(load_fer2013(root), stored, path)
        return dict(stored)


def principal_axes(vectors: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """The leading eigenvectors of the second moment, not centred: cosines shall survive. Shape (k, dimension)."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(axes[:, ::-1][:, :dimension])
