"""A run that begins with the weights of an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.errors import UsageError  # noqa: E402
from fewshot.research.training.export import from_checkpoint, read_checkpoint, save_state  # noqa: E402
from fewshot.research.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.research.training.network import ExpressionNetwork  # noqa: E402
from fewshot.research.training.train import begin_with  # noqa: E402


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


def test_a_run_can_go_on_from_what_ships(tmp_path: Path) -> None:
    first, second = model(), model(stride=4)
    heads = {name: value for name, value in first.state_dict().items() if not name.startswith("network.")}
    save_state(first.network, heads, tmp_path / "shipped.safetensors")
    begin_with(second, str(tmp_path / "shipped.safetensors"))
    for name, value in first.network.backbone.state_dict().items():
        assert torch.allclose(second.network.backbone.state_dict()[name].float(), value.float(), atol=1e-3)
    assert torch.allclose(second.votes.weight, first.votes.weight, atol=1e-3)


def test_norms_of_the_first_layers_can_stay_as_they_are() -> None:
    for still in (False, True):
        network = ExpressionNetwork("test_efficientnet", 8, 8, size=64)
        one = ProtoNet(network, LossWeights(), frozen_blocks=1, still_norms=still)
        before = network.backbone.bn1.running_mean.clone()
        one.train().on_train_epoch_start()
        network.features(torch.rand(4, 1, 64, 64) * 255)
        assert torch.equal(network.backbone.bn1.running_mean, before) == still
        assert network.backbone.blocks[-1].training


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"another network: .*project_expression"):
        begin_with(model(dimension=8), saved(model(dimension=16), tmp_path / "other.ckpt"))
    torch.save({"state_dict": {}}, tmp_path / "empty.ckpt")
    with pytest.raises(UsageError, match="another network"):
        begin_with(model(), str(tmp_path / "empty.ckpt"))


def test_runs_that_went_on_from_one_another_are_averaged(tmp_path: Path) -> None:
    paths, models = [], []
    for name, dimension in (("first", 8), ("second", 8), ("other", 16)):
        one = model(dimension)
        one.votes_prior.fill_(len(name))
        paths.append(tmp_path / f"{name}.ckpt")
        torch.save({"state_dict": one.state_dict(), "network": one.network.config}, paths[-1])
        models.append(one)
    network, learned = from_checkpoint(paths[0], paths[1])
    mean = (models[0].network.project_expression.weight + models[1].network.project_expression.weight) / 2
    assert torch.allclose(network.project_expression.weight, mean)
    assert torch.equal(learned["votes_prior"], torch.full((8,), 5.5))
    alone, _ = from_checkpoint(paths[0])
    assert torch.equal(alone.project_expression.weight, models[0].network.project_expression.weight)
    with pytest.raises(UsageError, match="of another network"):
        from_checkpoint(paths[0], paths[2])


class Malicious:
    """What a pickle may hold: a call of any function with any arguments, made when it is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.trace,)


def test_a_checkpoint_that_would_run_something_is_refused(tmp_path: Path) -> None:
    trace, path = tmp_path / "it ran", tmp_path / "bad.ckpt"
    one = model()
    good = {"state_dict": one.state_dict(), "network": one.network.config}
    torch.save(good | {"extra": Malicious(trace)}, path)
    torch.load(path, weights_only=False)
    assert trace.exists(), "this is what would happen"
    trace.unlink()
    with pytest.raises(UsageError, match=r"bad\.ckpt is not a checkpoint .* \.safetensors"):
        read_checkpoint(path)
    assert not trace.exists()
    path.write_bytes(b"not a checkpoint at all")
    with pytest.raises(UsageError, match="or is damaged"):
        read_checkpoint(path)
