"""Give a trained network a vector that keeps more of its backbone, chosen on CK+ and PublicTest.

    python experiments/widen.py outputs/train/taught/last.ckpt --out outputs/train/wide.ckpt

Tries shares of principal directions of the features beside the trained projection
(``fewshot/research/training/widen.py``), of the pooled features alone and with an earlier map's means over the
quarters of a face beside them, prints what each is worth on development data, fits the class vectors of the losses to
the best one, and writes it as a checkpoint for experiments/export.py. The network is not trained; about ten minutes on
two cores.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import Picture, read_subjects
from fewshot.research.evaluation.crops import crop_pictures
from fewshot.research.evaluation.embedding_choice import development_measures, draft_population
from fewshot.research.evaluation.tables import markdown
from fewshot.research.evaluation.vectors import detector_of
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.datamodule import FaceCrops, FaceTable, add_answers, training_tables
from fewshot.research.training.export import from_checkpoint
from fewshot.research.training.losses import CosinePrototypes
from fewshot.research.training.network import ExpressionNetwork
from fewshot.research.training.population import fitted_class_vectors
from fewshot.research.training.teachers import LOSSES
from fewshot.research.training.widen import Projection, hush, widened

SMOOTHING = 0.1
"""Of FER2013's own labels, as in training."""
QUARTERS = (16,)
"""Strides of the maps whose quarters are tried."""
SHARES, DIRECTIONS, WHITENED = (0.5, 0.75, 1.0), (64, 128), (0.0, 0.5)
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, nargs="+", help="several, gone on from one another, are averaged")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--weights", type=Path, default=Path("fewshot/weights"), help="of any network: it is not asked")
    parser.add_argument(
        "--setting", type=float, nargs=4, metavar=("QUARTERS", "SHARE", "DIRECTIONS", "WHITENED"), help="this one alone"
    )
    parser.add_argument("--answers", type=float, default=0.5, help="as data.answers in training, for the class vectors")
    parser.add_argument(
        "--least", type=float, default=0.0, help="variance that a channel of the norms counts as having"
    )
    arguments = parser.parse_args()
    network, learned = from_checkpoint(*arguments.checkpoint)
    print(f"{hush(network.backbone, arguments.least)} channels of the norms are next to silent.", flush=True)
    trained = network.project_expression
    wide = network if network.quarters else with_quarters(network)
    wide = wide.eval().to(memory_format=torch.channels_last)

    seen = look(wide, arguments.shared, arguments.weights, arguments.answers)
    settings = [Setting(False, 0.0, 1, 0.0)]
    settings += [Setting(*each) for each in product({False, not network.quarters}, SHARES, DIRECTIONS, WHITENED)]
    if arguments.setting:
        quarters, share, directions, whiten = arguments.setting
        settings = [Setting(bool(quarters), share, int(directions), whiten)]
    tried = []
    for setting in settings:
        tried.append(attempt(trained, seen, {name: learned[f"{name}_prior"] for name in LOSSES}, setting))
        print(" ".join(f"{name} {value:.3f}" for name, value in tried[-1].row.items()), flush=True)
    print(markdown([{name: f"{value:g}"[:6] for name, value in one.row.items()} for one in tried]))
    best = max(tried, key=lambda one: one.row["mean"])
    print(f"Chosen: {best.row}")

    chosen = wide if best.setting.quarters else network
    chosen.project_expression.weight.data = torch.from_numpy(best.projection.weight).float()
    chosen.project_expression.bias.data = torch.from_numpy(best.projection.bias).float()
    state = {name: value for name, value in learned.items() if not name.startswith(("shapes.", "seen."))}
    for name, head in best.heads.items():
        state |= {f"{name}.{part}": value.detach() for part, value in head.state_dict().items()}
    state |= {f"network.{name}": value.contiguous() for name, value in chosen.state_dict().items()}
    torch.save({"state_dict": state, "network": chosen.config}, arguments.out)
    print(f"written: {arguments.out}")


def with_quarters(network: ExpressionNetwork) -> ExpressionNetwork:
    """The same network with more features behind its own; its projection is yet to be made."""
    wide = ExpressionNetwork(**{**network.config, "quarters": QUARTERS})
    kept = {name: value for name, value in network.state_dict().items() if "project_expression" not in name}
    wide.load_state_dict(kept, strict=False)
    return wide


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
    taught: dict[str, np.ndarray]
    train: np.ndarray
    public: np.ndarray
    augmented: np.ndarray
    pictures: list[Picture]
    found: np.ndarray
    ckplus: np.ndarray

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


def look(network: ExpressionNetwork, shared: Path, weights: Path, answers: float) -> Seen:
    """Everything through the network once."""
    size = network.config["size"]
    tables = training_tables(shared / "data/fer2013", Path("outputs"), identity_faces=False)
    taught = replace(tables["train"], targets=dict(tables["train"].targets))
    if answers:
        add_answers(taught, shared / "data/fer2013", Path("outputs"), answers)
    train, public = (crops_features(network, FaceCrops(tables[name], aligned=True, size=size)) for name in tables)
    changed = FaceCrops(tables["train"], Augmentation(degrade=0.15, occlude=0.12), size=size)
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), open_embedder(weights / "expression.onnx"))
    crops = crop_pictures(chain, pictures, shared / "data", Path("outputs/vectors"))
    ckplus = features_of(network, shrunk(crops.grey, size))
    return Seen(tables, taught.targets, train, public, crops_features(network, changed), pictures, crops.found, ckplus)


def attempt(trained: torch.nn.Linear, seen: Seen, priors: dict[str, torch.Tensor], setting: Setting) -> Attempt:
    """Make one projection and ask it everything.

    Args:
        trained: the projection of the network, which may know the pooled features alone.
    """
    pooled, everything = trained.in_features, seen.train.shape[1]
    seen = seen if setting.quarters else seen.first(pooled)
    weight = np.pad(trained.weight.detach().numpy(), ((0, 0), (0, everything - pooled if setting.quarters else 0)))
    projection = widened(
        (weight, trained.bias.detach().numpy()), seen.train, setting.share, setting.directions, setting.whiten
    )
    public, ckplus = projection(seen.public), projection(seen.ckplus).astype(np.float32)
    targets, truth = seen.tables["train"].targets, seen.tables["public"].targets["published"]
    population, nearest = draft_population(
        projection(seen.train), targets["votes"], targets["has_votes"], seen.pictures, ckplus, seen.found
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


def crops_features(network: ExpressionNetwork, crops: FaceCrops) -> np.ndarray:
    """Features, shape (n, f)."""
    return np.concatenate([features_of(network, batch["grey"][:, 0].numpy()) for batch in DataLoader(crops, BATCH)])


def fitted_head(
    name: str,
    prior: torch.Tensor,
    seen: Seen,
    vectors: tuple[np.ndarray, np.ndarray],
) -> tuple[CosinePrototypes, float]:
    """Class vectors of one loss in a space, fitted to augmented training crops, and how right they are on PublicTest.

    Args:
        name: "votes" or "labels".
        vectors: z of augmented training crops and of PublicTest.
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


@torch.inference_mode()
def features_of(network: ExpressionNetwork, crops: np.ndarray) -> np.ndarray:
    """Features of grey crops of the network's size, uint8, shape (n, size, size)."""
    grey = torch.from_numpy(crops).unsqueeze(1)
    return np.concatenate([network.features(part.float())[0].numpy() for part in grey.split(BATCH)])


if __name__ == "__main__":
    main()
