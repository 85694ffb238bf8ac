"""Balanced accuracy over all batches and processes."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class BalancedAccuracy(Metric):
    """The mean recall of those classes that occur: a class with few faces counts as much as one with many.

    Args:
        classes: how many there are.
    """

    right: Tensor
    seen: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.add_state("right", torch.zeros(classes), dist_reduce_fx="sum")
        self.add_state("seen", torch.zeros(classes), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, label: Tensor) -> None:
        """Count a batch: predicted and true classes, both shape (n,)."""
        k = len(self.seen)
        self.seen += torch.bincount(label, minlength=k)
        self.right += torch.bincount(label[predicted == label], minlength=k)

    def compute(self) -> Tensor:
        """The mean recall, 0..1."""
        there = self.seen > 0
        return (self.right[there] / self.seen[there]).mean()
