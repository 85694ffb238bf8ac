"""The losses of a prototypical network. All of them measure squared Euclidean distance, as the runtime does."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def squared_distances(queries: Tensor, prototypes: Tensor) -> Tensor:
    """Squared Euclidean distance of queries (n, d) to prototypes (k, d), shape (n, k)."""
    return queries.square().sum(1, keepdim=True) + prototypes.square().sum(1) - 2 * queries @ prototypes.T


class CosinePrototypes(nn.Module):
    """One learned unit prototype a class, trained on soft labels: softmax over minus the scaled squared distance.

    On the unit sphere |z - p|^2 = 2 - 2 cos(z, p), so this is a normalised-softmax classifier (Wang et al. 2017,
    NormFace) whose weights can be used as population prototypes.

    Args:
        n_classes: number of prototypes.
        dimension: of the embedding.
        scale: inverse temperature at the start; it is learned.
    """

    def __init__(self, n_classes: int, dimension: int, scale: float = 8.0) -> None:
        super().__init__()
        # Of length 1: the longer a normalised weight, the slower it turns.
        self.weight = nn.Parameter(functional.normalize(torch.randn(n_classes, dimension), dim=1))
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    @property
    def prototypes(self) -> Tensor:
        """Unit prototypes, shape (n_classes, dimension)."""
        return functional.normalize(self.weight, dim=1)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Logits, shape (n, n_classes), of unit embeddings (n, dimension)."""
        return -self.log_scale.exp() * squared_distances(embeddings, self.prototypes)


def soft_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean cross entropy against distributions.

    Args:
        logits: shape (n, k).
        target: rows sum to 1, shape (n, k).
        weight: of each row, 0 leaves it out, shape (n,).
    """
    losses = -(target * functional.log_softmax(logits, dim=1)).sum(1)
    return (losses * weight).sum() / weight.sum().clamp_min(1e-6)


def prototypical_loss(
    embeddings: Tensor,
    labels: Tensor,
    scale: Tensor | float,
    min_support: int = 1,
    shots: int = 0,
    exactly: int = 0,
) -> Tensor:
    """The episodic loss (Snell et al. 2017, eq. 2) of one episode made of a labelled batch.

    The first half of each class's rows is its support set, whose mean is the prototype; the rest are queries. With
    ``shots`` support sets are smaller, as small as those that prototypes are made of in use.

    Args:
        embeddings: shape (n, d).
        labels: class indices, -1 for rows that take no part, shape (n,).
        scale: inverse temperature of the softmax over minus squared distances.
        min_support: classes with fewer support rows than this take no part.
        shots: the most support rows a class; how many it is this time, 1 to so many, is drawn anew in every call, and
            is the same for all classes that have twice as many rows. 0 is half of a class, however many that are.
        exactly: the first so many rows of each class are its supports, as ``TaskSampler`` draws them; 0: see ``shots``.

    Returns:
        Mean negative log-likelihood of the queries, a scalar; 0 if there is no query.
    """
    most = int(torch.randint(1, shots + 1, ())) if shots else len(labels)
    supports: list[Tensor] = []
    queries: list[Tensor] = []
    targets: list[Tensor] = []
    for label in labels[labels >= 0].unique():
        rows = embeddings[labels == label]
        support = exactly if len(rows) > exactly > 0 else min(len(rows) // 2, most)
        if support < min_support:
            continue
        targets.append(torch.full((len(rows) - support,), len(supports), device=labels.device))
        supports.append(rows[:support].mean(0))
        queries.append(rows[support:])
    if len(supports) < 2:
        return embeddings.sum() * 0.0
    logits = -scale * squared_distances(torch.cat(queries), torch.stack(supports))
    return functional.cross_entropy(logits, torch.cat(targets))


def identity_distillation(student: Tensor, teacher: Tensor, weight: Tensor) -> Tensor:
    """Mean 1 - cos between unit vectors (n, k); ``weight`` (n,) is 0 for rows without a teacher's vector."""
    return ((1.0 - (student * teacher).sum(1)) * weight).sum() / weight.sum().clamp_min(1e-6)


def likeness_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference between how alike the student and the teacher find the faces of a batch, times n.

    Who is like whom is what a vector of a person is asked for (Park et al. 2019, relational knowledge distillation).

    Args:
        student, teacher: unit vectors, shape (n, k).

    Returns:
        A scalar; 0 for one face.
    """
    n = len(student)
    apart = (student @ student.T - teacher @ teacher.T).square().sum()
    return apart / max(n - 1, 1)


def standardised_error(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error of standardised targets (n, k): 1 for guessing their means. ``weight`` (n,) 0 leaves out."""
    return ((predicted - target).square().mean(1) * weight).sum() / weight.sum().clamp_min(1e-6)
