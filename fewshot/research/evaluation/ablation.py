"""Training runs that differ in their losses alone: which there are, and what each is worth on development data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.crops import crop_pictures
from fewshot.research.evaluation.embedding_choice import development_measures, draft_population
from fewshot.research.evaluation.vectors import detector_of
from fewshot.research.training.datamodule import training_tables
from fewshot.research.training.export import from_checkpoint
from fewshot.research.training.face_data import FaceCrops
from fewshot.research.training.network import ExpressionNetwork
from fewshot.types import Vectors

FACES = 6000
"""The first of the training set, which every run is trained on."""
BATCH = 256
RUNS_FOLDER = Path("outputs/ablation")


@dataclass(frozen=True)
class Run:
    """One row of the table.

    Attributes:
        name: in the table.
        weights: of the losses; what is not said is 0.
        more: further arguments of ``train.py``.
        after: the run whose network it goes on from.
        experiment: of ``train.py``.
    """

    name: str
    weights: dict[str, float]
    more: tuple[str, ...] = ()
    after: str | None = None
    experiment: str = "ablation"

    def arguments(self, seed: int) -> list[str]:
        """Of ``train.py``: everything that decides what is trained."""
        losses = {name: self.weights.get(name, 0.0) for name in ("episodic", "votes", "labels", "shapes", "seen")}
        start = [f"start={folder_of(self.after, seed).as_posix()}/last.ckpt"] if self.after else []
        arguments = [f"experiment={self.experiment}", *(f"model.losses.{name}={w:g}" for name, w in losses.items())]
        return [*arguments, *self.more, *start, f"data.limit={FACES}", f"seed={seed}"]


def folder_of(key: str, seed: int) -> Path:
    """Where a run is kept."""
    return RUNS_FOLDER / f"{key}_{seed}"


CLASSES = {"votes": 1.0, "labels": 1.0}
BOTH = CLASSES | {"episodic": 0.3}
ANSWERS = "data.answers=0.5"
RUNS = {
    "episodes": Run("episodes alone (Snell et al. 2017)", {"episodic": 1.0}),
    "votes": Run("class vectors on votes", {"votes": 1.0}),
    "classes": Run("class vectors on votes and labels", CLASSES),
    "both": Run("the same and episodes", BOTH),
    "blendshapes": Run("the same and blendshapes", BOTH | {"shapes": 1.0}, ("data.blendshapes=true",)),
    # Foret et al. 2021; it takes twice as long.
    "flat": Run("class vectors on votes and labels, sharpness-aware", CLASSES, ("model.sharpness=0.05",)),
    "shots": Run(
        "class vectors and episodes, then episodes of 1 to 10 shots alone", {"episodic": 1.0}, (), "both", "shots"
    ),
    "answers": Run("class vectors and episodes, other networks' answers", BOTH, (ANSWERS,)),
    "seen": Run(
        "class vectors and episodes, other networks' answers and features",
        BOTH | {"seen": 0.5},
        (ANSWERS, "data.seen=true"),
    ),
}
"""Under the names that ``--only`` takes. The shipped network was trained by the losses of ``blendshapes``, ``answers``
and ``seen`` together, in parts that go on from one another (the model card)."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """The table so far; empty where there is none."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def merged(rows: list[dict[str, str]], new: dict[str, str]) -> list[dict[str, str]]:
    """The rows with a new one, in the place of an earlier one of its name and seed; in the order of ``RUNS``."""
    order = {run.name: place for place, run in enumerate(RUNS.values())}
    kept = [row for row in rows if (row["losses"], row["seed"]) != (new["losses"], new["seed"])]
    return sorted([*kept, new], key=lambda row: (order.get(row["losses"], len(order)), int(row["seed"])))


def measured(checkpoint: Path, shared: Path, prepared: Path, network_file: Path) -> dict[str, float]:
    """PublicTest by prototypes, and everything that ``development_measures`` asks of CK+.

    Args:
        checkpoint: of the run.
        shared: the folder with data/ and models/.
        prepared: what ``experiments/prepare.py`` wrote; crops of CK+ are kept in its folder vectors/.
        network_file: any exported network, for the crops of CK+, which do not depend on it.
    """
    network, _ = from_checkpoint(checkpoint)
    network.eval().to(memory_format=torch.channels_last)
    size = network.config["size"]
    tables = training_tables(shared / "data/fer2013", prepared, FACES, identity_faces=False)
    train, public = (
        np.concatenate([vectors(network, batch["grey"]) for batch in DataLoader(crops, BATCH)])
        for crops in (FaceCrops(tables[name], aligned=True, size=size) for name in ("train", "public"))
    )
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), open_embedder(network_file))
    crops = crop_pictures(chain, pictures, shared / "data", prepared / "vectors")
    grey = torch.from_numpy(shrunk(crops.grey, size)).unsqueeze(1)
    ckplus = np.concatenate([vectors(network, grey[at : at + BATCH]) for at in range(0, len(grey), BATCH)])
    targets: dict[str, NDArray[Any]] = {**tables["train"].targets}
    truth = tables["public"].targets["published"]
    population, nearest = draft_population(train, targets["votes"], targets["has_votes"], pictures, ckplus, crops.found)
    right = float((nearest.predict(public[truth >= 0]) == truth[truth >= 0]).mean())
    return {"PublicTest": right} | development_measures(population, pictures, ckplus, crops.found)


@torch.inference_mode()
def vectors(network: ExpressionNetwork, grey: torch.Tensor) -> Vectors:
    """z, shape (n, d), of grey crops (n, 1, size, size)."""
    return network.expression(grey.float().contiguous(memory_format=torch.channels_last)).numpy()
