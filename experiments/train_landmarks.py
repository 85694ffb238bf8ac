"""The small network behind the fallback detector: five landmarks of a box, and whether there is a face in it at all.

    python experiments/train_landmarks.py --shared ../shared

Needs outputs/*_prepared.npz (see prepare.py). Writes fewshot/weights/landmarks.onnx.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from fewshot.research.datasets.landmarks import Samples
from fewshot.research.training.landmark_network import LandmarkNetwork, export, loss_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--prepared", type=Path, default=Path("outputs"))
    parser.add_argument("--out", type=Path, default=Path("fewshot/weights/landmarks.onnx"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--faces", type=int, default=20000, help="drawn for every epoch")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    samples = Samples(arguments.shared, arguments.prepared, np.random.default_rng(arguments.seed))
    network, batch = LandmarkNetwork(), 192
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    steps = arguments.epochs * (2 * arguments.faces // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=steps)
    for epoch in range(arguments.epochs):
        start, sums = time.perf_counter(), np.zeros(2)
        crops, targets = (torch.from_numpy(array) for array in samples.epoch(arguments.faces))
        for rows in torch.randperm(len(crops))[: len(crops) // batch * batch].split(batch):
            points, face = loss_of(network(crops[rows][:, None].float() / 255), targets[rows])
            optimiser.zero_grad()
            (20 * points + face).backward()
            optimiser.step()
            schedule.step()
            sums += points.item(), face.item()
        mean = sums / (len(crops) // batch)
        print(f"{epoch}: points {mean[0]:.5f} face {mean[1]:.4f}  {time.perf_counter() - start:.0f} s", flush=True)
        export(network, arguments.out)


if __name__ == "__main__":
    main()
