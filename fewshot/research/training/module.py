"""The prototypical network as a LightningModule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import MeanMetric, Metric

from fewshot.research.datasets.blendshapes import SHAPES
from fewshot.research.datasets.fer2013 import FERPLUS_CLASSES
from fewshot.research.training.datamodule import SEEN
from fewshot.research.training.losses import (
    CosinePrototypes,
    identity_distillation,
    prototypical_loss,
    soft_cross_entropy,
    standardised_error,
)
from fewshot.research.training.network import ExpressionNetwork


@dataclass
class LossWeights:
    """How much each term counts; 0 switches a term off.

    Attributes:
        votes: cosine prototypes on FER+ vote distributions.
        labels: cosine prototypes on FER2013's own labels.
        episodic: prototypes made of the batch itself.
        identity: distillation of the recogniser.
        shapes: MediaPipe's blendshapes, read from the pooled features by a layer that training alone has. Classes ask
            for little; what moves in a face besides is what a state that nobody was trained on is told by.
        seen: components of other networks' features, read likewise.
    """

    votes: float = 1.0
    labels: float = 0.5
    episodic: float = 0.3
    identity: float = 0.5
    shapes: float = 0.0
    seen: float = 0.0


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


class ProtoNet(lightning.LightningModule):
    """Prototypical network (Snell et al. 2017): episodes, steadied by learned prototypes for the seven known classes.

    With only seven classes episodes alone overfit, so a supervised cosine-prototype loss on vote distributions
    carries the training, and the episodic loss keeps class means good prototypes.

    Args:
        network: backbone with its two projections.
        losses: weight of each term.
        lr, weight_decay: of AdamW under a one-cycle schedule.
        label_smoothing: on FER2013's own labels, which are wrong in about a third of the pictures.
        balance: how much of each class's log frequency is added to the logits in training (Menon et al. 2021, logit
            adjustment). At 1 the nearest prototype is the answer for classes equally likely; a test set with the
            training set's frequencies is answered by adding them again.
        head_speed: learning rate of projection and class vectors, as a multiple of the backbone's.
        frozen_blocks: the weights of the stem and of so many blocks stay as they were loaded, which halves the cost of
            a step; the statistics of their norms go on following the pictures,
        still_norms: unless they shall stay too, so that an identity head made for these layers goes on fitting.
        sharpness: radius of sharpness-aware minimisation, which costs every step twice; 0 is without.
        shots: the most faces that a prototype of an episode is made of (``prototypical_loss``); 0 is half of a class.
        classes: what the votes of a face are over: FER+'s 8, or the words of your own pictures.
        optimizer: makes the optimiser of the groups of weights, each with its own learning rate and weight decay; None
            is AdamW.
    """

    def __init__(
        self,
        network: ExpressionNetwork,
        losses: LossWeights,
        lr: float = 2e-3,
        weight_decay: float = 0.05,
        label_smoothing: float = 0.1,
        balance: float = 0.0,
        frozen_blocks: int = 0,
        head_speed: float = 1.0,
        sharpness: float = 0.0,
        still_norms: bool = False,
        shots: int = 0,
        classes: Sequence[str] = FERPLUS_CLASSES,
        optimizer: Callable[..., torch.optim.Optimizer] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.losses = losses
        self.lr, self.weight_decay, self.label_smoothing = lr, weight_decay, label_smoothing
        dimension = network.project_expression.out_features
        self.classes = tuple(classes)
        self.votes = CosinePrototypes(len(self.classes), dimension)
        self.optimizer = optimizer or partial(torch.optim.AdamW, fused=True)
        self.labels = CosinePrototypes(7, dimension)
        features = network.project_expression.in_features
        self.shapes = nn.Linear(features, SHAPES) if losses.shapes else None
        self.seen = nn.Linear(features, SEEN) if losses.seen else None
        self.balance, self.head_speed, self.sharpness, self.shots = balance, head_speed, sharpness, shots
        self.support = 0
        self.measured: Any = nn.ModuleDict(
            {name: MeanMetric() for name in ("ferplus", "fer2013", "shapes", "seen", "accuracy")}
        )
        self.balanced = BalancedAccuracy(len(self.classes))
        self.votes_prior: Tensor
        self.labels_prior: Tensor
        self.register_buffer("votes_prior", torch.zeros(len(self.classes)))
        self.register_buffer("labels_prior", torch.zeros(7))
        self.still = network.front(frozen_blocks) if still_norms else []
        for part in network.front(frozen_blocks):
            part.requires_grad_(False)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """Expression, shape (n, d), and identity, shape (n, k), of grey crops, shape (n, 1, side, side)."""
        return self.network(grey)  # type: ignore[no-any-return]

    def setup(self, stage: str) -> None:  # noqa: ARG002 (Lightning passes it by name)
        """Lay the weights out for the processor."""
        # Half as long again on a CPU without it; and before several processes agree on how gradients lie.
        self.network.to(memory_format=torch.channels_last)

    def on_fit_start(self) -> None:
        """Read how frequent each class is, for balanced losses."""
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        self.support = getattr(data, "support", 0)
        if self.balance:
            votes, labels = data.class_frequencies()
            self.votes_prior.copy_(votes.log() * self.balance)
            self.labels_prior.copy_(labels.log() * self.balance)

    def on_train_epoch_start(self) -> None:
        """Keep the statistics of frozen normalisation layers as they are."""
        for part in self.still:
            part.eval()

    def training_step(self, batch: dict[str, Tensor], _batch_index: int) -> Tensor:
        """The weighted sum of the losses on a batch; every one of them is logged."""
        weights = self.losses
        grey = batch["grey"].contiguous(memory_format=torch.channels_last)
        features, maps = self.network.features(grey)
        expression = self.network.project(features)
        prior = self.balance * batch["prior"] if "prior" in batch else self.votes_prior
        hard = torch.where(batch["has_votes"] > 0, batch["votes"].argmax(1), -1)
        terms = {
            "votes": soft_cross_entropy(self.votes(expression) + prior, batch["votes"], batch["has_votes"]),
            "labels": self._label_loss(expression, batch),
            "episodic": prototypical_loss(
                expression, hard, self.votes.log_scale.exp(), shots=self.shots, exactly=self.support
            ),
        }
        if weights.identity and "identity" in batch:
            identity = self.network.identity_head(maps.detach())
            terms["identity"] = identity_distillation(identity, batch["identity"], batch["has_identity"])
        if self.shapes is not None:
            terms["shapes"] = standardised_error(self.shapes(features), batch["shapes"], batch["has_shapes"])
        if self.seen is not None:
            terms["seen"] = standardised_error(self.seen(features), batch["seen"], batch["has_seen"])
        for name, value in terms.items():
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, sync_dist=True)
        loss: Tensor = sum((getattr(weights, name) * value for name, value in terms.items()), torch.zeros(()))
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def _label_loss(self, expression: Tensor, batch: dict[str, Tensor]) -> Tensor:
        label = batch["label"]
        if not (label >= 0).any():
            return expression.sum() * 0.0
        logits = self.labels(expression) + self.labels_prior
        if "label_answers" in batch:  # softer already than any smoothing
            return soft_cross_entropy(logits, batch["label_answers"], (label >= 0).float())
        return functional.cross_entropy(logits, label, ignore_index=-1, label_smoothing=self.label_smoothing)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Callable[[], Any] | None = None
    ) -> None:
        """One step; with ``sharpness``, along the gradient from a point a little uphill (Foret et al. 2021)."""
        if not self.sharpness or optimizer_closure is None:
            super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
            return
        optimizer_closure()
        back = climb(self.parameters(), self.sharpness)

        def from_above() -> Any:
            result = optimizer_closure()
            back()
            return result

        with StillNorms(self.network):
            super().optimizer_step(epoch, batch_idx, optimizer, from_above)

    def validation_step(self, batch: dict[str, Tensor], _batch_index: int) -> None:
        """Log the errors on a batch."""
        features, _ = self.network.features(batch["grey"].contiguous(memory_format=torch.channels_last))
        expression = self.network.project(features)
        for name, head in (("shapes", self.shapes), ("seen", self.seen)):
            if head is not None:
                known = batch[f"has_{name}"]
                self._measure(name, standardised_error(head(features), batch[name], known), known.sum())
        if "published" not in batch:
            self._measure_words(expression, batch)
            return
        # The published rule for seven classes leaves contempt out, so it is not a possible answer either.
        logits = (self.votes(expression) + self.votes_prior)[:, :7]
        self._measure("ferplus", logits.argmax(1) == batch["published"], batch["published"] >= 0)
        self.log("val/score", self.measured["ferplus"])
        logits = self.labels(expression) + self.labels_prior
        self._measure("fer2013", logits.argmax(1) == batch["label"], torch.ones_like(batch["label"]))

    def _measure_words(self, expression: Tensor, batch: dict[str, Tensor]) -> None:
        """Accuracy with the training frequencies of the classes, and the mean recall of the classes without them."""
        logits, label = self.votes(expression), batch["votes"].argmax(1)
        self._measure("accuracy", (logits + self.votes_prior).argmax(1) == label, batch["has_votes"])
        self.balanced.update(logits.argmax(1), label)
        self.log("val/balanced", self.balanced, prog_bar=True)
        self.log("val/score", self.balanced)

    def _measure(self, name: str, values: Tensor, weights: Tensor) -> None:
        """Log the mean over all faces, also those of other processes, which have other numbers of them."""
        metric = self.measured[name]
        metric.update(values.float(), weights.float())
        self.log(f"val/{name}", metric, prog_bar=name != "seen")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the network's config and the names of the classes beside the weights."""
        checkpoint["network"], checkpoint["classes"] = self.network.config, list(self.classes)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Resume with another number of epochs: what is left of the cycle is stretched or shortened to fit."""
        if not checkpoint.get("lr_schedulers") or not self.trainer.max_epochs:
            return
        cycle = checkpoint["lr_schedulers"][0]
        steps = round(checkpoint["global_step"] / (checkpoint["epoch"] + 1)) * self.trainer.max_epochs
        cycle["total_steps"] = steps
        cycle["_schedule_phases"][-1]["end_step"] = steps - 1

    def configure_optimizers(self) -> Any:
        """The optimiser with faster new heads, and one cycle of the learning rate."""
        heads = (self.network.project_expression, self.votes, self.labels, *filter(None, (self.shapes, self.seen)))
        new = {id(p) for part in heads for p in part.parameters()}
        groups: list[dict[str, Any]] = []
        for faster, decay in ((False, True), (False, False), (True, True), (True, False)):
            chosen = [p for p in self.parameters() if p.requires_grad and (p.dim() > 1) == decay]
            chosen = [p for p in chosen if (id(p) in new) == faster]
            rate = self.lr * (self.head_speed if faster else 1.0)
            groups.append({"params": chosen, "lr": rate, "weight_decay": self.weight_decay if decay else 0.0})
        optimizer = self.optimizer([group for group in groups if group["params"]], lr=self.lr)
        steps = int(self.trainer.estimated_stepping_batches)
        rates: Any = [group["lr"] for group in optimizer.param_groups]
        # Plain gradient descent has no momentum to cycle.
        cycled = "betas" in optimizer.defaults or bool(optimizer.defaults.get("momentum"))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=steps, pct_start=0.1, div_factor=10, cycle_momentum=cycled
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


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
