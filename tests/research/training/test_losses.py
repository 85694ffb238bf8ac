"""The losses, on numbers small enough to do by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.research.training.losses import (  # noqa: E402
    CosinePrototypes,
    identity_distillation,
    likeness_distillation,
    prototypical_loss,
    soft_cross_entropy,
    squared_distances,
    standardised_error,
)


def test_squared_distances_by_hand() -> None:
    queries, prototypes = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert torch.equal(squared_distances(queries, prototypes), torch.tensor([[0.0, 1.0], [5.0, 4.0]]))


def test_cosine_prototypes_are_unit_vectors_and_the_nearest_wins() -> None:
    layer = CosinePrototypes(2, 2, scale=3.0)
    layer.weight.data = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    assert torch.allclose(layer.prototypes.norm(dim=1), torch.ones(2))
    # |z - p|^2 is 0 for its own class and 2 for the other one at a right angle.
    assert torch.allclose(layer(torch.tensor([[1.0, 0.0]])), torch.tensor([[0.0, -6.0]]), atol=1e-5)


def test_soft_cross_entropy_leaves_out_rows_without_weight() -> None:
    logits = torch.tensor([[0.0, 0.0], [100.0, -100.0]])
    target = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert soft_cross_entropy(logits, target, torch.tensor([1.0, 0.0])).item() == pytest.approx(math.log(2))
    assert soft_cross_entropy(logits, target, torch.zeros(2)).item() == 0.0


def test_prototypical_loss_of_one_episode_by_hand() -> None:
    # Two classes of two: the first row is the support, the second the query, 1 away from its own prototype's square.
    embeddings = torch.tensor([[0.0, 0.0], [0.0, 1.0], [3.0, 0.0], [3.0, 1.0]])
    labels = torch.tensor([0, 0, 1, 1])
    expected = -math.log(math.exp(-1) / (math.exp(-1) + math.exp(-10)))
    assert prototypical_loss(embeddings, labels, 1.0).item() == pytest.approx(expected, rel=1e-3)


def test_random_shots_make_prototypes_of_fewer_faces() -> None:
    # The first row of a class lies elsewhere than its second: one shot and two shots make other prototypes.
    rows = torch.tensor([[0.0, 0.0], [0.0, 2.0], [0.0, 1.0], [0.0, 1.0]])
    embeddings, labels = torch.cat([rows, 2 - rows]), torch.tensor([0] * 4 + [1] * 4)
    half = prototypical_loss(embeddings, labels, 1.0).item()
    one = prototypical_loss(embeddings, labels, 1.0, shots=1).item()
    assert half != pytest.approx(one)
    torch.manual_seed(0)
    drawn = [prototypical_loss(embeddings, labels, 1.0, shots=2).item() for _ in range(20)]
    assert {min((half, one), key=lambda value: abs(value - loss)) for loss in drawn} == {half, one}
    # No class gives more than half of its rows: with ten shots it is mostly as without any.
    drawn = [prototypical_loss(embeddings, labels, 1.0, shots=10).item() for _ in range(20)]
    assert sum(loss == pytest.approx(half) for loss in drawn) > 10
    torch.manual_seed(1)
    again = [prototypical_loss(embeddings, labels, 1.0, shots=10).item() for _ in range(20)]
    torch.manual_seed(1)
    assert again == [prototypical_loss(embeddings, labels, 1.0, shots=10).item() for _ in range(20)]


@pytest.mark.parametrize("labels", [[], [-1, -1], [0, 0], [0, 1]], ids=["empty", "unlabelled", "one class", "singles"])
def test_prototypical_loss_without_an_episode_is_zero_and_differentiable(labels: list[int]) -> None:
    embeddings = torch.ones(len(labels), 2, requires_grad=True)
    loss = prototypical_loss(embeddings, torch.tensor(labels, dtype=torch.long), 1.0)
    loss.backward()
    assert loss.item() == 0.0


def test_identity_distillation_is_one_minus_cosine() -> None:
    student, teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    assert identity_distillation(student, teacher, torch.tensor([1.0, 0.0])).item() == pytest.approx(0.4)


def test_standardised_error_leaves_rows_out() -> None:
    predicted, target = torch.tensor([[1.0, 0.0], [9.0, 9.0]]), torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    assert standardised_error(predicted, target, torch.tensor([1.0, 0.0])).item() == pytest.approx(0.5)
    assert standardised_error(predicted, target, torch.zeros(2)).item() == 0.0


def test_likeness_is_learned_whatever_way_the_vectors_are_turned() -> None:
    teacher = torch.nn.functional.normalize(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))
    assert likeness_distillation(teacher @ turn, teacher).item() == pytest.approx(0.0, abs=1e-6)
    student = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    # One pair, found alike by 1 and by 0: squared twice, once from each side, over one other face.
    assert likeness_distillation(student, torch.eye(2)).item() == pytest.approx(2.0)
    assert likeness_distillation(teacher[:1], teacher[:1]).item() == pytest.approx(0.0, abs=1e-6)
