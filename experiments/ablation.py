"""Which loss is worth what: short runs that differ in their losses alone, asked on development data.

    python experiments/ablation.py

Each run is ``train.py experiment=ablation``, three minutes on two cores; what has run already is only asked again. All
are read in one way, whatever they were trained with: by prototypes of the same training faces, and on CK+. Writes
experiments/results/ablation.csv and .md. The runs are far from the shipped network: compare rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from fewshot.data.subjects import read_subjects
from fewshot.data.tables import markdown, write_csv
from fewshot.embedding.runtime import open_embedder, shrunk
from fewshot.embedding.training.datamodule import FaceCrops, training_tables
from fewshot.embedding.training.export import from_checkpoint
from fewshot.embedding.training.network import ExpressionNetwork
from fewshot.perception import Perception
from fewshot.protocols.crops import crop_pictures
from fewshot.protocols.embedding_choice import development_measures, draft_population
from fewshot.protocols.vectors import detector_of

LOSSES = ("episodic", "votes", "labels", "shapes")
RUNS = {
    "episodes alone (Snell et al. 2017)": (1.0, 0.0, 0.0, 0.0),
    "class vectors on votes": (0.0, 1.0, 0.0, 0.0),
    "class vectors on votes and labels": (0.0, 1.0, 1.0, 0.0),
    "the same and episodes": (0.3, 1.0, 1.0, 0.0),
    "the same and blendshapes": (0.3, 1.0, 1.0, 1.0),
}
"""Weights of ``LOSSES``. The last two are what the shipped network's parts were trained with."""
FLAT = "class vectors on votes and labels"
RADIUS = 0.05
"""That run once more with sharpness-aware minimisation (Foret et al. 2021), which takes twice as long."""
FACES = 6000
DONE = "whole"
RUNS_FOLDER, RESULTS = Path("outputs/ablation"), Path("experiments/results")
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    rows = []
    runs = [(name, weights, 0.0) for name, weights in RUNS.items()]
    runs.append((f"{FLAT}, sharpness-aware", RUNS[FLAT], RADIUS))
    for name, weights, radius in runs:
        for seed in arguments.seeds:
            numbers = (*weights, seed, *([radius] if radius else []))
            folder = RUNS_FOLDER / "_".join(f"{number:g}" for number in numbers)
            # A run that was cut off has a checkpoint too.
            if not (folder / DONE).is_file():
                train(folder, weights, radius, seed, arguments.shared)
                (folder / DONE).touch()
            values = measured(folder / "last.ckpt", arguments.shared)
            rows.append({"losses": name, "seed": str(seed)} | {key: f"{value:.3f}" for key, value in values.items()})
            print(markdown(rows[-1:]), flush=True)
    write_csv(rows, RESULTS / "ablation.csv")
    (RESULTS / "ablation.md").write_text(ABOUT + markdown(rows), encoding="utf-8")


ABOUT = f"""# Losses, one against another

    python experiments/ablation.py

All **development** data. `mobilenetv2_100` from ImageNet, the first {FACES:,} training faces, five epochs, crops of 64
pixels rising to 80; nothing but the losses differs, and in the last row the way down (twice the time). Every network is
read in the same way, whatever it was trained with: by prototypes of those faces (PublicTest, FER+ votes by the
published rule), and on CK+ by balanced accuracy without photos, with a neutral photo, with classmates' photos of every
emotion, and in 5-way episodes that all hold contempt (nearest centred mean). One run a seed: differences of a point are
noise.

"""


def train(folder: Path, weights: tuple[float, ...], radius: float, seed: int, shared: Path) -> None:
    """One run in a process of its own."""
    losses = [f"model.losses.{name}={weight}" for name, weight in zip(LOSSES, weights, strict=True)]
    command = [sys.executable, "experiments/train.py", "experiment=ablation", *losses, f"seed={seed}"]
    command += [f"model.sharpness={radius}", f"data.limit={FACES}", f"shared={shared}", f"hydra.run.dir={folder}"]
    shapes = dict(zip(LOSSES, weights, strict=True))["shapes"] > 0
    subprocess.run([*command, f"data.blendshapes={str(shapes).lower()}"], check=True)


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
