"""FER2013 with FER+ votes for training, and faces that teach identity alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.errors import UsageError
from fewshot.faces.align import CROP_SIZE
from fewshot.research.datasets.blendshapes import mirror_free
from fewshot.research.datasets.fer2013 import FERPLUS_CLASSES, PUBLIC_TEST, TRAINING, check_order, load_fer2013
from fewshot.research.datasets.framing import framings
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.drawn_faces_table import drawn_tables
from fewshot.research.training.face_data import FaceCrops, FaceDataModule
from fewshot.research.training.face_table import FaceTable, joined
from fewshot.research.training.more_faces import with_more_faces
from fewshot.research.training.task_sampler import TaskRules
from fewshot.unit_vectors import unit_rows

__all__ = ["FaceCrops", "FerDataModule", "training_tables"]

# MediaPipe's own score of a face, under which its blendshapes are of something else.
TRUSTED_BLENDSHAPES = 0.7
SEEN = 64
"""How many components of what other networks see are learned."""
# A landmark score under this means the five points are a guess: the picture keeps its own framing.
TRUSTED_LANDMARKS = 0.55


class FerDataModule(FaceDataModule):
    """FER2013 Training (without what leaks) with FER+ votes, plus identity-only faces; PublicTest for choosing.

    Args:
        root: folder of the compact FER2013. None: a few drawn faces in its place, to see whether training runs at all.
        prepared: folder that ``experiments/prepare.py`` wrote; not read for drawn faces.
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
        task: batches are episodes, drawn by these rules; None: shuffled faces.
    """

    classes = FERPLUS_CLASSES

    def __init__(
        self,
        root: str | None,
        prepared: str | None,
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
        task: TaskRules | None = None,
    ) -> None:
        super().__init__(augmentation, batch_size, resolutions, full_size_epochs, workers, seed, size, task)
        self.more = dict(more or {})
        self.seen, self.limit = seen, limit
        self.identity_faces, self.blendshapes, self.answers = identity_faces, blendshapes, answers
        self.root, self.prepared = Path(root) if root else None, Path(prepared or "outputs")

    def setup(self, stage: str) -> None:  # noqa: ARG002 (Lightning passes it by name)
        """Read the tables, once."""
        if hasattr(self, "tables"):
            return
        if self.root is None:
            self._draw()
            return
        self.tables = training_tables(self.root, self.prepared, self.limit, self.identity_faces)
        if self.blendshapes:
            add_blendshapes(self.tables, self.root, self.prepared)
        if self.answers:
            add_answers(self.tables["train"], self.root, self.prepared, self.answers)
        if self.seen:
            add_seen(self.tables, self.root, self.prepared)
        if self.more:
            self.tables["train"] = with_more_faces(self.tables["train"], self.root.parent, self.more)

    def _draw(self) -> None:
        if self.blendshapes or self.answers or self.seen or self.more:
            raise UsageError(
                "Drawn faces have no blendshapes, no answers of other networks and no further data sets. Give "
                "data.root=FOLDER with FER2013, or choose an experiment without them, such as experiment=smoke."
            )
        self.tables = drawn_tables(self.limit or 512, self.seed)

    def class_frequencies(self) -> tuple[Tensor, Tensor]:
        """Shares of the eight classes in the training votes and of the seven in FER2013's labels."""
        targets = self.tables["train"].targets
        votes = (targets["votes"] * targets["has_votes"][:, None]).sum(0)
        labels = np.bincount(targets["label"][targets["label"] >= 0], minlength=7)
        # One face at least: the logarithm of nothing makes every loss infinite.
        counts = (np.maximum(one, 1) for one in (votes, labels))
        return tuple(torch.as_tensor(one / one.sum()).float() for one in counts)  # type: ignore[return-value]


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
    if not (prepared / "lfw_prepared.npz").is_file():
        raise UsageError(
            f"No lfw_prepared.npz in {prepared}. Run: python -m fewshot.research.training.prepare --only lfw"
        )
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
