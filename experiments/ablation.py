"""Which loss is worth what: short runs that differ in their losses alone, asked on development data.

    python experiments/ablation.py
    python experiments/ablation.py --only shots answers --seeds 0 1

Each run is ``train.py experiment=ablation`` with what ``RUNS`` says, three minutes on two cores; what has run already
is only asked again. All are read in one way, whatever they were trained with: by prototypes of the same training faces,
and on CK+. Writes experiments/results/ablation.csv and .md; rows that ``--only`` and ``--seeds`` do not name stay there
as they are. The runs are far from the shipped network: compare rows.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.crops import crop_pictures
from fewshot.research.evaluation.embedding_choice import development_measures, draft_population
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.evaluation.vectors import detector_of
from fewshot.research.training.datamodule import FaceCrops, training_tables
from fewshot.research.training.export import from_checkpoint
from fewshot.research.training.network import ExpressionNetwork

FACES = 6000
DONE = "whole"
RUNS_FOLDER, RESULTS = Path("outputs/ablation"), Path("experiments/results")
BATCH = 256


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=RUNS, default=[*RUNS], help="rows to run; the others stay")
    arguments = parser.parse_args()
    rows = read_rows(RESULTS / "ablation.csv")
    for key in arguments.only:
        for seed in arguments.seeds:
            values = measured(trained(key, seed, arguments.shared), arguments.shared)
            new = {"losses": RUNS[key].name, "seed": str(seed)}
            new |= {name: f"{value:.3f}" for name, value in values.items()}
            print(markdown([new]), flush=True)
            rows = merged(rows, new)
            write_csv(rows, RESULTS / "ablation.csv")
            (RESULTS / "ablation.md").write_text(report(rows), encoding="utf-8")


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


def report(rows: list[dict[str, str]]) -> str:
    """The result file: what was done, the table, and the command of every row."""
    commands = []
    for key, run in RUNS.items():
        if seeds := [row["seed"] for row in rows if row["losses"] == run.name]:
            command = " ".join(["train.py", *run.arguments(int(seeds[0]))])
            commands.append({"losses": run.name, "row": key, "seeds": " ".join(seeds), "command": f"`{command}`"})
    return ABOUT + markdown(rows) + "\nWhat each row ran, with its first seed:\n\n" + markdown(commands)


ABOUT = f"""# Losses, one against another

    python experiments/ablation.py [--only ROW ...] [--seeds SEED ...]    # all rows, seed 0, where nothing is said

All **development** data. `mobilenetv2_100` from ImageNet, the first {FACES:,} training faces, five epochs, crops of 64
pixels rising to 80; nothing but the losses differs, and where it says sharpness-aware the way down (twice the time).
Where it says then, two more epochs follow at an eighth of the learning rate. Other networks answer, and see, as
`experiments/teach.py` last wrote it; they were trained on all faces, so these rows know of more faces than the others.
Every network is read in the same way, whatever it was trained with: by prototypes of those faces (PublicTest, FER+
votes by the published rule), and on CK+ by balanced accuracy without photos, with a neutral photo, with classmates'
photos of every emotion, and in 5-way episodes that all hold contempt (nearest centred mean). One run a seed:
differences of a point are noise.

"""


def folder_of(key: str, seed: int) -> Path:
    """Where a run is kept."""
    return RUNS_FOLDER / f"{key}_{seed}"


def trained(key: str, seed: int, shared: Path) -> Path:
    """The checkpoint of a run, made in a process of its own unless that very run is there already."""
    run, folder = RUNS[key], folder_of(key, seed)
    arguments, done = run.arguments(seed), folder / DONE
    told = " ".join(arguments)
    if run.after:
        told += ", after " + " ".join(RUNS[run.after].arguments(seed))
        trained(run.after, seed, shared)
    # A run that was cut off has a checkpoint too, and one of another day may have been told something else.
    if not done.is_file() or done.read_text(encoding="utf-8") != told:
        # Lightning would leave an earlier last.ckpt as it is and write another beside it.
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "experiments/train.py", *arguments, f"shared={shared}", f"hydra.run.dir={folder}"]
        subprocess.run(command, check=True)
        done.write_text(told, encoding="utf-8")
    return folder / "last.ckpt"


def measured(checkpoint: Path, shared: Path) -> dict[str, float]:
    """PublicTest by prototypes, and everything that ``development_measures`` asks of CK+."""
    network, _ = from_checkpoint(checkpoint)
    network.eval().to(memory_format=torch.channels_last)
    size = network.config["size"]
    tables = training_tables(shared / "data/fer2013", Path("outputs"), FACES, identity_faces=False)
    train, public = (
        np.concatenate([vectors(network, batch["grey"]) for batch in DataLoader(crops, BATCH)])
        for crops in (FaceCrops(tables[name], aligned=True, size=size) for name in ("train", "public"))
    )
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), open_embedder(Path("fewshot/weights/expression.onnx")))
    crops = crop_pictures(chain, pictures, shared / "data", Path("outputs/vectors"))
    ckplus = np.concatenate(
        [vectors(network, part) for part in torch.from_numpy(shrunk(crops.grey, size)).unsqueeze(1).split(BATCH)]
    )
    targets, truth = tables["train"].targets, tables["public"].targets["published"]
    population, nearest = draft_population(train, targets["votes"], targets["has_votes"], pictures, ckplus, crops.found)
    right = float((nearest.predict(public[truth >= 0]) == truth[truth >= 0]).mean())
    return {"PublicTest": right} | development_measures(population, pictures, ckplus, crops.found)


@torch.inference_mode()
def vectors(network: ExpressionNetwork, grey: torch.Tensor) -> np.ndarray:
    """z of grey crops (n, 1, size, size)."""
    return network.expression(grey.float().contiguous(memory_format=torch.channels_last)).numpy()


if __name__ == "__main__":
    main()
