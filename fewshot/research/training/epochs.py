"""What is random in an epoch follows from the seed and the epoch's number alone.

So a run that is resumed goes on as it would have gone on, and neither the number of workers nor that of processes
changes what is done to a face.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.overrides.distributed import UnrepeatedDistributedSampler
from torch.utils.data import DistributedSampler


class ShuffledFaces(DistributedSampler[int]):
    """Faces in the order of the epoch, shared out among the processes; the dataset is told the epoch too.

    Args:
        dataset: has an attribute ``epoch``.
        trainer: says which of how many processes this is; None for one process.
        seed: of the run.
        epoch: to begin with.
    """

    def __init__(self, dataset: Any, trainer: lightning.Trainer | None, seed: int, epoch: int = 0) -> None:
        processes, rank = (trainer.world_size, trainer.global_rank) if trainer else (1, 0)
        super().__init__(dataset, processes, rank, shuffle=True, seed=seed)
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Tell the sampler and its faces which epoch it is."""
        super().set_epoch(epoch)
        self.dataset.epoch = epoch  # type: ignore[attr-defined]


def shared_out(dataset: Any, trainer: lightning.Trainer | None) -> UnrepeatedDistributedSampler | None:
    """A sampler that gives every process its part of the faces, none twice; None for one process.

    Lightning's own repeats some, so that all parts are as long, and they would count twice in what is measured.
    """
    if trainer is None or trainer.world_size == 1:
        return None
    return UnrepeatedDistributedSampler(dataset, trainer.world_size, trainer.global_rank, shuffle=False)


class EpochSeed(lightning.Callback):
    """Seeds torch anew in every epoch, for dropout and the shots of episodes; in each process otherwise.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, _module: lightning.LightningModule, _batch: Any, batch_idx: int
    ) -> None:
        """Seed torch before the first batch of an epoch."""
        # Not at the epoch's start: a DataLoader draws a number when it begins, which in a resumed run is before that.
        if batch_idx == 0:
            torch.manual_seed(self.seed + 1_000_003 * trainer.current_epoch + 7_919 * trainer.global_rank)
