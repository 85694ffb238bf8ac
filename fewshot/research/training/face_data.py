"""Faces as batches of crops, whichever data set they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from fewshot.research.datasets.framing import cut
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.epochs import ShuffledFaces, shared_out
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.task_sampler import TaskRules, TaskSampler


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


class FaceDataModule(lightning.LightningDataModule):
    """Augmented crops of the table ``train``, and aligned ones of the table ``public`` to measure on.

    Args:
        augmentation, batch_size, resolutions, full_size_epochs, workers, seed, size: see ``FerDataModule``.
        task: batches are episodes, drawn by these rules; None: ``batch_size`` faces in a new order each epoch.

    Attributes:
        classes: what the votes of a face are over, k words.
        tables: "train" and "public", made by ``setup``.
        mapped: what the network gets in place of the crops (``front.Front``); None: the crops.
    """

    classes: Sequence[str]
    tables: dict[str, FaceTable]

    def __init__(
        self,
        augmentation: Augmentation,
        batch_size: int,
        resolutions: tuple[int, int] | None,
        full_size_epochs: int,
        workers: int,
        seed: int,
        size: int,
        task: TaskRules | None = None,
    ) -> None:
        super().__init__()
        self.task = task
        self.augmentation, self.size = augmentation, size
        self.batch_size, self.resolutions, self.full_size_epochs = batch_size, resolutions, full_size_epochs
        self.workers, self.seed = workers, seed
        self.mapped: Callable[[FaceCrops], FaceCrops] | None = None
        self.first_epoch = 0

    @property
    def support(self) -> int:
        """How many rows of each class in a batch are its supports; 0 if batches are no episodes."""
        return self.task.shots if self.task else 0

    def episodes(self, crops: FaceCrops) -> TaskSampler | None:
        """What draws the batches if they are episodes, by the votes of the faces.

        Raises:
            UsageError: there are too few faces for these episodes, or several processes.
        """
        if self.task is None:
            return None
        if self.trainer is not None and self.trainer.world_size > 1:
            raise UsageError("Episodes as batches go with one process. Use trainer=cpu or trainer=gpu.")
        targets = self.tables["train"].targets
        labels = np.where(targets["has_votes"] > 0, targets["votes"].argmax(1), -1)
        return _FaceTasks(crops, labels, self.task, self.seed, self.first_epoch)

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
        loading: dict[str, Any] = {"num_workers": self.workers, "prefetch_factor": 8 if self.workers else None}
        if (batches := self.episodes(crops)) is not None:
            return DataLoader(crops, batch_sampler=batches, **loading)
        return DataLoader(
            crops,
            batch_size=self.batch_size,
            sampler=ShuffledFaces(crops, self.trainer, self.seed, self.first_epoch),
            # A few faces are a small batch; with more of them a last small one would only shake the norms.
            drop_last=len(crops) >= self.batch_size,
            **loading,
        )

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Aligned crops to measure on, in order."""
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


class _FaceTasks(TaskSampler):
    """Episodes of faces, which are told the epoch too."""

    def __init__(self, crops: FaceCrops, labels: NDArray[np.int64], rules: TaskRules, seed: int, epoch: int) -> None:
        super().__init__(labels, rules.ways, rules.shots, rules.queries, rules.tasks, seed)
        self._crops = crops
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        super().set_epoch(epoch)
        self._crops.epoch = epoch
