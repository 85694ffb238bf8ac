import pytest
import pytorch_lightning as lightning
import torch
from torch import nn
from torch.utils.data import DataLoader

from fewshot.research.training.module import LossWeights, ProtoNet, StillNorms, climb
from fewshot.research.training.network import ExpressionNetwork


def test_the_weights_climb_so_far_and_come_back() -> None:
    first, second, frozen = (nn.Parameter(torch.tensor(values)) for values in ([1.0, 2.0], [3.0], [4.0]))
    first.grad, second.grad = torch.tensor([2.0, 0.0]), torch.tensor([-1.5])
    before = [part.detach().clone() for part in (first, second, frozen)]
    back = climb([first, second, frozen], 0.5)
    # The gradient is 2.5 long in all.
    torch.testing.assert_close(first.detach(), torch.tensor([1.4, 2.0]))
    torch.testing.assert_close(second.detach(), torch.tensor([2.7]))
    back()
    assert all(torch.equal(part, was) for part, was in zip((first, second, frozen), before, strict=True))


def test_on_level_ground_nothing_moves() -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.zeros(2)
    climb([weight], 0.5)
    assert torch.equal(weight.detach(), torch.ones(2))


def test_norms_do_not_follow_within() -> None:
    norm = nn.BatchNorm1d(3, momentum=0.3)
    with StillNorms(norm):
        norm(torch.randn(8, 3) + 5)
    assert torch.equal(norm.running_mean, torch.zeros(3)) and norm.momentum == 0.3
    norm(torch.randn(8, 3) + 5)
    assert bool((norm.running_mean > 1).all())


class Valley(ProtoNet):
    """One weight under x**4: its loss is known everywhere."""

    def __init__(self, sharpness: float) -> None:
        super().__init__(ExpressionNetwork("resnet10t", 8, 4, size=48), LossWeights(), sharpness=sharpness)
        self.place = nn.Parameter(torch.tensor(1.0))

    def on_fit_start(self) -> None: ...

    def training_step(self, batch: torch.Tensor, batch_index: int) -> torch.Tensor:
        return self.place**4

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([self.place], lr=0.01)


@pytest.mark.parametrize(("sharpness", "slope"), [(0.0, 4.0), (0.5, 4 * 1.5**3)])
def test_a_step_follows_the_gradient_from_above(sharpness: float, slope: float) -> None:
    trainer = lightning.Trainer(
        max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    valley = Valley(sharpness)
    trainer.fit(valley, DataLoader(torch.zeros(1)))
    assert valley.place.item() == pytest.approx(1 - 0.01 * slope)
