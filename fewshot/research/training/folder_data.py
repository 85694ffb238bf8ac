"""Your own labelled pictures as training data: a folder, a csv, or an unpacked data set."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fewshot.errors import UsageError
from fewshot.faces.align import CROP_SIZE
from fewshot.research.datasets.counts import without_copies
from fewshot.research.datasets.forms import load_pictures
from fewshot.research.datasets.parts import classes_of, divided
from fewshot.research.datasets.subjects import Picture
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.face_data import FaceDataModule
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.own_faces import MARGIN, cut_faces, training_detector
from fewshot.research.training.task_sampler import TaskRules
from fewshot.types import EMOTIONS

SMOOTHING = 0.1
"""Of labels that are one word, though most pictures show a little of another emotion."""

_log = logging.getLogger("fewshot.research.training")


class FolderDataModule(FaceDataModule):
    """Pictures of your own: ``<subject>/<emotion>/*``, ``<emotion>/*``, or a csv with path, emotion, subject, split.

    The words of the emotions are the classes, whichever they are. Subjects are never in two parts; see ``divided``.

    Args:
        root: the folder, or the path of the csv.
        augmentation, batch_size, resolutions, full_size_epochs, workers, seed, size, task: see ``FaceDataModule``.
        prepared: folder in which the faces that were found are kept.
        shared: folder whose ``models`` is searched for the detector; None: the models of this computer.
        form: one of ``fewshot.research.datasets.forms.FORMS``, or "auto".
        faces: "detect" finds the face in every picture; "whole" takes the picture itself for the face.
        detector: see ``open_detector``.
        by_subject: False divides the pictures without regard to who is on them.
        limit: keep only so many training faces, drawn by the seed; 0 keeps all.
        identity_faces, blendshapes, answers, seen, more: what only FER2013 has; refused in words.

    Attributes:
        shown: the pictures behind the rows of the tables, for "train" and "val"; there after ``setup``.

    Raises:
        UsageError: no ``root``, or something that only FER2013 has is asked for.
    """

    def __init__(
        self,
        root: str | None,
        augmentation: Augmentation,
        prepared: str = "outputs",
        shared: str | None = None,
        form: str = "auto",
        faces: Literal["detect", "whole"] = "detect",
        detector: str = "auto",
        by_subject: bool = True,
        batch_size: int = 64,
        resolutions: tuple[int, int] | None = None,
        full_size_epochs: int = 8,
        limit: int = 0,
        workers: int = 1,
        seed: int = 0,
        size: int = CROP_SIZE,
        task: TaskRules | None = None,
        identity_faces: bool = False,  # noqa: ARG002 (experiments set it; there are none to leave out)
        blendshapes: bool = False,
        answers: float = 0.0,
        seen: bool = False,
        more: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(augmentation, batch_size, resolutions, full_size_epochs, workers, seed, size, task)
        if not root:
            raise UsageError(
                "Which pictures shall be trained on? Give data.root=FOLDER with SUBJECT/EMOTION/*.jpg or "
                "EMOTION/*.jpg, or data.root=FILE.csv with the columns path,emotion[,subject][,split]."
            )
        if blendshapes or answers or seen or more:
            raise UsageError(
                "Blendshapes, answers of other networks and further data sets go with FER2013 only. Train your own "
                "pictures with experiment=own, or without an experiment."
            )
        if faces not in ("detect", "whole"):
            raise UsageError(f"data.faces={faces} is unknown. Use data.faces=detect or data.faces=whole.")
        self.source, self.prepared, self.shared = Path(root).expanduser(), Path(prepared), shared
        self.form, self.faces, self.detector, self.by_subject = form, faces, detector, by_subject
        self.limit = limit

    @cached_property
    def pictures(self) -> list[Picture]:
        """All pictures with the part that each is in, without copies.

        Raises:
            UsageError: they cannot be divided, or fewer than two classes can be trained.
        """
        everything = load_pictures(self.source, self.form, on_problem=_log.warning)
        there = [picture for picture in everything if (self._folder / picture.path).is_file()]
        if len(there) < len(everything):
            gone = next(picture.path for picture in everything if picture not in there)
            _log.warning("Left out, because the files are missing: %d, such as %s.", len(everything) - len(there), gone)
        unlabelled = sum(not picture.emotion for picture in there)
        if unlabelled:
            raise UsageError(
                f"{unlabelled} of {len(there)} pictures in {self.source} have no emotion. Add a csv with it."
            )
        pictures = divided(without_copies(there, self._folder)[0], self.seed, self.by_subject)
        able, few = classes_of(pictures)
        if len(able) < 2:
            counts = Counter(picture.emotion for picture in pictures if picture.part == "train")
            named = ", ".join(f"{word} ({count})" for word, count in sorted(counts.items()))
            raise UsageError(
                f"Two emotions with 2 or more training pictures each are needed, found {len(able)}. In the training "
                f"part are: {named or 'no pictures'}. Add pictures of another emotion."
            )
        if few:
            _log.warning("Left out, because fewer than 2 training pictures show them: %s.", ", ".join(few))
        if not self.by_subject or not any(picture.subject for picture in pictures):
            _log.warning(
                "The pictures are divided without regard to subjects. Pictures of one person may be in training and in "
                "validation, so the accuracy is too high for new people."
            )
        return [picture for picture in pictures if picture.emotion in able]

    @cached_property
    def classes(self) -> Sequence[str]:  # type: ignore[override]
        """The words of the emotions: of the seven in their order, then all others by name."""
        words = {picture.emotion for picture in self.pictures}
        return [emotion for emotion in EMOTIONS if emotion in words] + sorted(words - set(EMOTIONS))

    def setup(self, stage: str) -> None:  # noqa: ARG002 (Lightning passes it by name)
        """Find and cut the faces, once.

        Raises:
            UsageError: in no training picture, or in no picture to measure on, a face was found.
        """
        if hasattr(self, "tables"):
            return
        chosen = [picture for picture in self.pictures if picture.part != "test"]
        detector = None
        if self.faces == "detect":
            detector = training_detector(self.detector, Path(self.shared) if self.shared else None)
        faces, found = cut_faces(chosen, self._folder, detector, self.prepared, _log.warning)
        self.tables = {}
        self.shown: dict[str, list[Picture]] = {}
        for name, part in (("train", "train"), ("public", "val")):
            rows = np.array([bool(seen) and picture.part == part for picture, seen in zip(chosen, found, strict=True)])
            rows = np.flatnonzero(rows)
            if self.limit and part == "train":
                rows = np.sort(np.random.default_rng(self.seed).permutation(rows)[: self.limit])
            self.shown[part] = [chosen[row] for row in rows]
            self.tables[name] = self._table(self.shown[part], faces[rows])
        empty = [name for name, table in self.tables.items() if not len(table)]
        if empty or len(np.unique(self.tables["train"].targets["votes"].argmax(1))) < 2:
            what = "training" if "train" in empty or not empty else "validation"
            raise UsageError(
                f"Too few faces for {what} were found in {self.source}: {int(found.sum())} in {len(found)} pictures. "
                "If the pictures are cut to the face already, set data.faces=whole."
            )
        counted = ", ".join(
            f"{name} {sum(one.part == name for one in self.pictures)}" for name in ("train", "val", "test")
        )
        _log.info("%d classes (%s); pictures: %s.", len(self.classes), ", ".join(self.classes), counted)

    def class_frequencies(self) -> tuple[Tensor, Tensor]:
        """Shares of the classes in the training part, shape (k,), and equal ones of FER2013's seven labels."""
        counts = np.maximum(self.tables["train"].targets["votes"].sum(0), 1)
        return torch.as_tensor(counts / counts.sum()).float(), torch.full((7,), 1 / 7)

    @property
    def _folder(self) -> Path:
        return self.source if self.source.is_dir() else self.source.parent

    def _table(self, pictures: Sequence[Picture], faces: np.ndarray) -> FaceTable:
        n, k = len(pictures), len(self.classes)
        labels = np.array([self.classes.index(picture.emotion) for picture in pictures], np.int64)
        votes = np.full((n, k), SMOOTHING / k, np.float32)
        votes[np.arange(n), labels] += 1 - SMOOTHING
        inner = np.array([[1, 0, -MARGIN], [0, 1, -MARGIN]], np.float32)
        return FaceTable(
            faces=list(faces),
            to_crop=np.tile(inner, (n, 2, 1, 1)),
            targets={"votes": votes, "has_votes": np.ones(n, np.float32), "label": np.full(n, -1)},
        )
