"""What a wider vector of a trained network is worth, on PublicTest and CK+ (development)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import Picture, read_subjects
from fewshot.research.evaluation.crops import crop_pictures
from fewshot.research.evaluation.embedding_choice import development_measures, draft_population
from fewshot.research.evaluation.vectors import detector_of
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.datamodule import add_answers, training_tables
from fewshot.research.training.face_data import FaceCrops
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.losses import CosinePrototypes
from fewshot.research.training.network import ExpressionNetwork
from fewshot.research.training.population import fitted_class_vectors
from fewshot.research.training.teachers import LOSSES
from fewshot.research.training.widen import Projection, crops_features, features_of, widened

SMOOTHING = 0.1
"""Of FER2013's own labels, as in training."""
SHARES, DIRECTIONS, WHITENED = (0.5, 0.75, 1.0), (64, 128), (0.0, 0.5)
"""What is tried of each, in all combinations."""


@dataclass(frozen=True)
class Setting:
    """What is tried.

    Attributes:
        quarters: of an earlier map beside the pooled features?
        share, directions, whiten: see ``widened``.
    """

    quarters: bool
    share: float
    directions: int
    whiten: float


@dataclass(frozen=True, eq=False)
class Seen:
    """Features (n, f), pooled and of quarters, of everything that is asked, and whose they are.

    Attributes:
        tables: training faces and PublicTest.
        taught: targets of the training faces that class vectors are fitted to.
        train, public: of them, cut out as the live loop does.
        augmented: of training faces, changed as training changes them.
        pictures, found: of CK+, and in which of them there is a face.
        ckplus: of them.
    """

    tables: dict[str, FaceTable]
    taught: dict[str, NDArray[Any]]
    train: NDArray[np.floating]
    public: NDArray[np.floating]
    augmented: NDArray[np.floating]
    pictures: list[Picture]
    found: NDArray[np.bool_]
    ckplus: NDArray[np.floating]

    def first(self, count: int) -> Seen:
        """The same with the first ``count`` features alone."""
        parts = {name: getattr(self, name)[:, :count] for name in ("train", "public", "augmented", "ckplus")}
        return replace(self, **parts)


@dataclass(frozen=True, eq=False)
class Attempt:
    """One projection, the class vectors that fit it, and what it is worth."""

    setting: Setting
    row: dict[str, float]
    projection: Projection
    heads: dict[str, CosinePrototypes]


def look(network: ExpressionNetwork, shared: Path, weights: Path, prepared: Path, answers: float) -> Seen:
    """Everything through the network once.

    Args:
        network: in evaluation mode.
        shared: the folder with data/ and models/.
        weights: of any exported network, for the crops of CK+, which do not depend on it.
        prepared: what ``experiments/prepare.py`` wrote; crops of CK+ are kept in its folder vectors/.
        answers: share of other networks' answers among the targets, 0 for none.
    """
    size = network.config["size"]
    tables = training_tables(shared / "data/fer2013", prepared, identity_faces=False)
    taught = replace(tables["train"], targets=dict(tables["train"].targets))
    if answers:
        add_answers(taught, shared / "data/fer2013", prepared, answers)
    train, public = (crops_features(network, FaceCrops(tables[name], aligned=True, size=size)) for name in tables)
    changed = FaceCrops(tables["train"], Augmentation(degrade=0.15, occlude=0.12), size=size)
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), open_embedder(weights / "expression.onnx"))
    crops = crop_pictures(chain, pictures, shared / "data", prepared / "vectors")
    ckplus = features_of(network, shrunk(crops.grey, size))
    return Seen(tables, taught.targets, train, public, crops_features(network, changed), pictures, crops.found, ckplus)


def attempt(trained: torch.nn.Linear, seen: Seen, priors: dict[str, torch.Tensor], setting: Setting) -> Attempt:
    """Make one projection and ask it everything.

    Args:
        trained: the projection of the network, which may know the pooled features alone.
        seen: what ``look`` gave.
        priors: by loss, the log-odds of its classes, as training left them.
        setting: which projection.
    """
    pooled, everything = trained.in_features, seen.train.shape[1]
    seen = seen if setting.quarters else seen.first(pooled)
    weight = np.pad(trained.weight.detach().numpy(), ((0, 0), (0, everything - pooled if setting.quarters else 0)))
    projection = widened(
        (weight, trained.bias.detach().numpy()), seen.train, setting.share, setting.directions, setting.whiten
    )
    # In 64 bits, which is what the choice has always been made with.
    train: NDArray[Any] = projection(seen.train)
    public: NDArray[Any] = projection(seen.public)
    ckplus = projection(seen.ckplus).astype(np.float32)
    targets: dict[str, NDArray[Any]] = {**seen.tables["train"].targets}
    truth = seen.tables["public"].targets["published"]
    population, nearest = draft_population(
        train, targets["votes"], targets["has_votes"], seen.pictures, ckplus, seen.found
    )
    right = float((nearest.predict(public[truth >= 0]) == truth[truth >= 0]).mean())
    measured = development_measures(population, seen.pictures, ckplus, seen.found)
    augmented = projection(seen.augmented)
    heads = {name: fitted_head(name, priors[name], seen, (augmented, public)) for name in LOSSES}
    closed = {"PublicTest, class vectors": heads["votes"][1], "its own labels": heads["labels"][1]}
    # Known emotions, people, new classes: each kind of question counts the same.
    new = [value for name, value in measured.items() if name.startswith("episodes")]
    people = [value for name, value in measured.items() if not name.startswith("episodes")]
    mean = float(np.mean([np.mean(kind) for kind in ([*closed.values()], people, new)]))
    row = {"quarters": float(setting.quarters), "share": setting.share}
    row |= {"directions": setting.directions if setting.share else 0, "whitened": setting.whiten}
    row |= {"PublicTest, prototypes": right} | closed | measured | {"mean": mean}
    return Attempt(setting, row, projection, {name: head for name, (head, _) in heads.items()})


def fitted_head(
    name: str,
    prior: torch.Tensor,
    seen: Seen,
    vectors: tuple[NDArray[np.floating], NDArray[np.floating]],
) -> tuple[CosinePrototypes, float]:
    """Class vectors of one loss in a space, fitted to augmented training crops, and how right they are on PublicTest.

    Args:
        name: "votes" or "labels".
        vectors: z of augmented training crops, shape (n, d), and of PublicTest, shape (m, d).
    """
    targets, asked = seen.taught, seen.tables["public"].targets
    if name == "votes":
        kept, goal, truth = targets["has_votes"] > 0, targets["votes"], asked["published"]
    else:
        hard = np.eye(7)[targets["label"]] * (1 - SMOOTHING) + SMOOTHING / 7
        goal = targets.get("label_answers", hard)
        kept, truth = targets["label"] >= 0, asked["label"]
    head, _ = fitted_class_vectors(vectors[0][kept].astype(np.float32), goal[kept], prior)
    with torch.inference_mode():
        logits = head(torch.from_numpy(vectors[1][truth >= 0]).float()) + prior
    return head, float((logits[:, :7].argmax(1).numpy() == truth[truth >= 0]).mean())
