"""Sharpness-aware minimisation: the gradient is taken where the loss nearby is highest (Foret et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

Undo = Callable[[], None]


@torch.no_grad()
def climb(parameters: Iterable[nn.Parameter], radius: float) -> Undo:
    """Move the weights by ``radius`` in all up their gradients, to where the loss nearby is about highest.

    Args:
        parameters: those without a gradient stay.
        radius: Euclidean length of the step (rho in the paper).

    Returns:
        What takes them back to exactly where they were.
    """
    moved: list[Tensor] = [parameter for parameter in parameters if parameter.grad is not None]
    before = [parameter.detach().clone() for parameter in moved]
    slopes: list[Tensor] = [parameter.grad for parameter in moved if parameter.grad is not None]
    length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(slopes)))
    torch._foreach_add_(moved, slopes, alpha=float(radius / (length + 1e-12)))

    @torch.no_grad()
    def back() -> None:
        for parameter, value in zip(moved, before, strict=True):
            parameter.copy_(value)

    return back


class StillNorms:
    """Within it batch norms do not follow what they see: a batch seen twice counts once in their statistics."""

    def __init__(self, network: nn.Module) -> None:
        kinds = (nn.BatchNorm1d, nn.BatchNorm2d)
        self._norms = [part for part in network.modules() if isinstance(part, kinds)]
        self._momenta: list[float | None] = []

    def __enter__(self) -> None:
        self._momenta = [norm.momentum for norm in self._norms]
        for norm in self._norms:
            norm.momentum = 0.0

    def __exit__(self, *_: Any) -> None:
        for norm, momentum in zip(self._norms, self._momenta, strict=True):
            norm.momentum = momentum
