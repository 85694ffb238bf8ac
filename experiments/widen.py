"""Give a trained network a vector that keeps more of its backbone, chosen on CK+ and PublicTest.

    python experiments/widen.py outputs/train/shapes/last.ckpt --out outputs/train/wide.ckpt

Tries shares of principal directions of the pooled features beside the trained projection
(``fewshot/embedding/training/widen.py``), prints what each is worth on development data, fits the class vectors of the
losses to the best one, and writes it as a checkpoint for experiments/export.py. The network is not trained; about six
minutes on two cores.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from fewshot.data.subjects import read_subjects
from fewshot.data.tables import markdown
from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.embedding.training.augment import Augmentation
from fewshot.embedding.training.datamodule import FaceCrops, FaceTable, training_tables
from fewshot.embedding.training.losses import CosinePrototypes
from fewshot.embedding.training.network import ExpressionNetwork
from fewshot.embedding.training.population import Candidate, centre, class_means, fitted_prototypes, refit
from fewshot.embedding.training.widen import Projection, widened
from fewshot.perception import Perception
from fewshot.protocols.crops import crop_pictures
from fewshot.protocols.embedding_choice import development_measures
from fewshot.protocols.vectors import detector_of
from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import transform
from fewshot.prototypes.variances import estimate_variances
from fewshot.types import EMOTIONS

PULL = 1.0
"""Of the population prototypes that the spaces are compared by; experiments/population.py chooses again."""
SHARES, DIRECTIONS, WHITENED = (0.25, 0.5, 0.75, 1.0), (64, 128), (0.0, 0.5)
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--weights", type=Path, default=Path("fewshot/weights"), help="of any network: it is not asked")
    arguments = parser.parse_args()
    checkpoint = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)
    state = checkpoint["state_dict"]
    network = ExpressionNetwork(**checkpoint["network"])
    own = {name.removeprefix("network."): value for name, value in state.items() if name.startswith("network.")}
    network.load_state_dict(own, strict=False)
    network.eval().to(memory_format=torch.channels_last)

    tables = training_tables(arguments.shared / "data/fer2013", Path("outputs"), identity_faces=False)
    train, public = (
        crops_features(network, FaceCrops(tables[name], aligned=True, size=network.config["size"])) for name in tables
    )
    changed = FaceCrops(tables["train"], Augmentation(degrade=0.15, occlude=0.12), size=network.config["size"])
    augmented = crops_features(network, changed)
    pictures = read_subjects(arguments.shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(arguments.shared), open_embedder(arguments.weights / "expression.onnx"))
    crops = crop_pictures(chain, pictures, arguments.shared / "data", Path("outputs/vectors"))
    ckplus = features_of(network, shrunk(crops.grey, network.config["size"]))

    trained = network.project_expression.weight.detach().numpy(), network.project_expression.bias.detach().numpy()
    rows = []
    settings = [(0.0, 1, 0.0), *product(SHARES, DIRECTIONS, WHITENED)]
    made = [widened(trained, train, *setting) for setting in settings]
    for (share, directions, whiten), projection in zip(settings, made, strict=True):
        vectors = projection(train), projection(public), projection(ckplus).astype(np.float32)
        population, right = built(tables, vectors, [pictures[row] for row in np.flatnonzero(crops.found)], crops.found)
        measured = development_measures(population, pictures, vectors[2], crops.found)
        named = {"share": share, "directions": directions if share else 0, "whitened": whiten, "PublicTest": right}
        rows.append(named | measured | {"mean": float(np.mean([right, *measured.values()]))})
        print(" ".join(f"{name} {value:.3f}" for name, value in rows[-1].items()), flush=True)
    best = int(np.argmax([row["mean"] for row in rows]))
    print(markdown([{name: f"{value:g}"[:6] for name, value in row.items()} for row in rows]))
    print(f"Chosen: {rows[best]}")

    chosen = made[best]
    state["network.project_expression.weight"] = torch.from_numpy(chosen.weight).float()
    state["network.project_expression.bias"] = torch.from_numpy(chosen.bias).float()
    turn = torch.from_numpy(chosen.turn).float()
    for head in ("votes", "labels"):
        state[f"{head}.weight"] = state[f"{head}.weight"] @ turn.T
        state |= fitted_head(head, state, tables, chosen, (augmented, public), smoothing=0.1 if head == "labels" else 0)
    kept = {name: value for name, value in state.items() if not name.startswith("shapes.")}
    torch.save({"state_dict": kept, "network": network.config}, arguments.out)
    print(f"written: {arguments.out}")


def crops_features(network: ExpressionNetwork, crops: FaceCrops) -> np.ndarray:
    """Pooled features, shape (n, f)."""
    return np.concatenate([features_of(network, batch["grey"][:, 0].numpy()) for batch in DataLoader(crops, BATCH)])


def fitted_head(
    name: str,
    state: dict[str, torch.Tensor],
    tables: dict[str, FaceTable],
    projection: Projection,
    features: tuple[np.ndarray, np.ndarray],
    smoothing: float,
) -> dict[str, torch.Tensor]:
    """Class vectors of one loss, fitted to the new space on augmented training crops: they know it from nowhere else.

    Args:
        features: of augmented training crops and of PublicTest, to say what it changed.
    """
    prior, weight = state[f"{name}_prior"], state[f"{name}.weight"]
    head = CosinePrototypes(*weight.shape)
    head.load_state_dict({"weight": weight, "log_scale": state[f"{name}.log_scale"]})
    targets = tables["train"].targets
    if name == "votes":
        kept, goal = targets["has_votes"] > 0, targets["votes"]
        truth = tables["public"].targets["published"]
    else:
        kept, goal = targets["label"] >= 0, np.eye(7)[targets["label"]] * (1 - smoothing) + smoothing / 7
        truth = tables["public"].targets["label"]
    public = torch.from_numpy(projection(features[1][truth >= 0])).float()

    def right() -> float:
        with torch.inference_mode():
            answers = (head(public) + prior)[:, :7].argmax(1).numpy()
        return float((answers == truth[truth >= 0]).mean())

    before = right()
    loss = refit(head, projection(features[0][kept]).astype(np.float32), goal[kept], prior)
    print(f"{name}: training loss {loss:.4f}; PublicTest {before:.4f} turned, {right():.4f} fitted")
    return {f"{name}.{part}": value.detach() for part, value in head.state_dict().items()}


@torch.inference_mode()
def features_of(network: ExpressionNetwork, crops: np.ndarray) -> np.ndarray:
    """Pooled features of grey crops of the network's size, uint8, shape (n, size, size)."""
    grey = torch.from_numpy(crops).unsqueeze(1)
    return np.concatenate([network.features(part.float())[0].numpy() for part in grey.split(BATCH)])


def built(
    tables: dict[str, FaceTable], vectors: tuple[np.ndarray, np.ndarray, np.ndarray], shown: list, found: np.ndarray
) -> tuple[Population, float]:
    """The population of a space, and the share of PublicTest (published rule) that its nearest prototype gets right."""
    targets = tables["train"].targets
    known = targets["votes"][:, : len(EMOTIONS)]
    usable = (targets["has_votes"] > 0) & (known.sum(axis=1) > 0.5)
    known = known[usable] / known[usable].sum(axis=1, keepdims=True)
    mean = centre(vectors[0][usable], known)
    u = transform(vectors[0][usable], mean)
    chosen = Candidate("fitted", mean, fitted_prototypes(u, known, class_means(u, known), PULL))
    truth = tables["public"].targets["published"]
    right = float((chosen.predict(vectors[1][truth >= 0]) == truth[truth >= 0]).mean())
    basic = np.array([picture.emotion in EMOTIONS for picture in shown])
    u = transform(vectors[2][found][basic], chosen.mean)
    people = [picture.subject for picture, kept in zip(shown, basic, strict=True) if kept]
    words = [picture.emotion for picture, kept in zip(shown, basic, strict=True) if kept]
    variances = estimate_variances(u, people, words, ["ckplus"] * len(u), chosen.prototypes)
    calibration = Calibration((0.0,), (0.1,), (9.0,), (0.0,))
    return Population("draft", EMOTIONS, chosen.mean, chosen.prototypes, variances, calibration), right


if __name__ == "__main__":
    main()
