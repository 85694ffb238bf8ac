"""A run that begins with the weights of an earlier one."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from experiments.train import begin_with  # noqa: E402
from fewshot.embedding.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.embedding.training.network import ExpressionNetwork  # noqa: E402
from fewshot.errors import UsageError  # noqa: E402


def model(dimension: int = 8, shapes: float = 0.0, stride: int = 8) -> ProtoNet:
    network = ExpressionNetwork("test_efficientnet", dimension, 8, size=64, identity_stride=stride)
    return ProtoNet(network, LossWeights(shapes=shapes))


def saved(one: ProtoNet, path: Path) -> str:
    torch.save({"state_dict": one.state_dict()}, path)
    return str(path)


def test_weights_are_taken_and_a_new_loss_starts_fresh(tmp_path: Path) -> None:
    first, second = model(), model(shapes=1.0, stride=4)
    fresh = second.shapes.weight.detach().clone()
    begin_with(second, saved(first, tmp_path / "first.ckpt"))
    for name, value in first.network.backbone.state_dict().items():
        assert torch.equal(second.network.backbone.state_dict()[name], value)
    assert torch.equal(second.votes.weight, first.votes.weight)
    assert torch.equal(second.shapes.weight, fresh)


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"another network: .*project_expression"):
        begin_with(model(dimension=8), saved(model(dimension=16), tmp_path / "other.ckpt"))
    torch.save({"state_dict": {}}, tmp_path / "empty.ckpt")
    with pytest.raises(UsageError, match="another network"):
        begin_with(model(), str(tmp_path / "empty.ckpt"))
