"""The identity output of the expression network, trained alone by distilling the recogniser: faces, targets, loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.faces.identity import Recogniser
from fewshot.research.datasets.fer2013 import TRAINING, check_order, load_fer2013
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.datamodule import principal_axes
from fewshot.research.training.identity_views import People, Views, make_views
from fewshot.research.training.losses import identity_distillation, likeness_distillation
from fewshot.research.training.network import GREY_SPREAD, ExpressionNetwork, IdentityHead
from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

HELD_OUT = 10
"""Every tenth face is shown to nobody in training."""
MIXED = 0.7
SHARP = 0.25
"""Share of the views that are of LFW: few people, but pictures as a webcam makes them."""
SEEN = 0.55
"""Landmark score from which a face of FER2013 is aligned well enough."""
GENTLE = Augmentation(rotation=4.0, scale=0.05, shift=2.5, light=0.3, degrade=0.15, occlude=0.05)
LIKENESS = 0.1
"""Weight of ``likeness_distillation``, which is of the size of 2 at the start."""
BATCH = 128
DRAWN = 60_000
"""Views drawn by one seed: asking for more of them leaves the first as they were."""


def views(shared: Path, prepared: Path, count: int, size: int) -> tuple[Views, Views]:
    """Views to learn from, and faces held out as they are; each draw is kept for the next time.

    Args:
        shared: the folder with data/ and models/.
        prepared: what ``experiments/prepare.py`` wrote; views are kept in its folder identity_views/.
        count: how many views to learn from.
        size: side of a view in pixels.
    """
    folder = prepared / "identity_views"
    recogniser = Recogniser(shared / "models/insightface/models/buffalo_sc/w600k_mbf.onnx")

    def recognise(grey: NDArray[np.uint8]) -> Vectors:
        return recogniser.encode(np.stack([cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR) for crop in grey]))

    learn, ask = known_people(shared, prepared)
    parts = []
    for seed, start in enumerate(range(0, count, DRAWN)):
        n = min(DRAWN, count - start)
        asked = f"{n} {size} {MIXED} {SHARP} {GENTLE} {seed}"
        parts.append(
            kept(folder / f"{seed}.npz", asked, partial(make_views, learn, recognise, n, size, GENTLE, MIXED, seed))
        )
    held = kept(folder / "held_out.npz", f"{size}", partial(make_views, ask, recognise, 0, size, None, 0.0))
    return Views(np.concatenate([part.crops for part in parts]), np.concatenate([part.vectors for part in parts])), held


def kept(path: Path, asked: str, make: Callable[[], Views]) -> Views:
    """What an earlier run made of the same, or else made and kept now."""
    if path.is_file():
        with np.load(path) as stored:
            if str(stored["asked"]) == asked:
                return Views(stored["crops"], stored["vectors"])
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, crops=made.crops, vectors=made.vectors, asked=np.array(asked))
    return made


def known_people(shared: Path, prepared: Path) -> tuple[People, People]:
    """Faces of FER2013 Training and of LFW's identities in no pair: to learn from, and every tenth held out."""
    fer = load_fer2013(shared / "data/fer2013")
    with np.load(prepared / "fer2013_prepared.npz") as stored:
        check_order(fer, stored, prepared / "fer2013_prepared.npz")
        usable = (fer.usage == TRAINING) & ~stored["excluded"] & (stored["scores"] > SEEN)
        rows, landmarks = np.flatnonzero(usable), stored["landmarks"][usable]
    with np.load(prepared / "lfw_prepared.npz") as stored:
        faces = [*(fer.faces[row] for row in rows), *stored["faces"]]
        landmarks = np.concatenate([landmarks, stored["landmarks"]])
    sharp = np.arange(len(faces)) >= len(rows)
    weight = np.where(sharp, SHARP / sharp.sum(), (1 - SHARP) / (~sharp).sum())
    held = np.arange(len(faces)) % HELD_OUT == 0
    parts = (np.flatnonzero(~held), np.flatnonzero(held))
    learn, ask = (People.of([faces[row] for row in part], landmarks[part], weight[part]) for part in parts)
    return learn, ask


def told_apart(shown: Views, held: Views, dimension: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Crops and targets, to learn from and held out.

    What all these faces have in common for the recogniser is taken out of its vectors, for it tells nobody apart, and
    they are turned to the axes along which faces differ most.

    Returns:
        Crops, shape (n, size, size), and unit vectors, shape (n, dimension), to learn from; the same of held-out faces.
    """
    vectors = shown.vectors.astype(np.float32)
    common = vectors.mean(axis=0)
    axes = principal_axes(vectors - common, dimension)
    targets = [unit_rows((one.vectors.astype(np.float32) - common) @ axes) for one in (shown, held)]
    return (
        torch.from_numpy(shown.crops),
        torch.from_numpy(targets[0]),
        torch.from_numpy(held.crops),
        torch.from_numpy(targets[1]),
    )


def train(
    network: ExpressionNetwork,
    crops: Tensor,
    targets: Tensor,
    held: Tensor,
    truth: Tensor,
    epochs: int,
    lr: float,
    bf16: bool,
) -> IdentityHead:
    """Train the identity head on the network's frozen layers, and print after each epoch what held-out faces give.

    Args:
        network: its identity head is changed, nothing else.
        crops: grey bytes to learn from, shape (n, size, size); targets: unit vectors of them, shape (n, d).
        held, truth: the same of faces held out, shape (m, size, size) and (m, d).
        epochs: passes over the crops; lr: the highest learning rate.
        bf16: compute the head's forward pass in bfloat16.
    """
    head = network.identity_head.to(memory_format=torch.channels_last)
    network.eval().to(memory_format=torch.channels_last)
    steps = len(crops) // BATCH
    groups = [
        {"params": [p for p in head.parameters() if (p.dim() > 1) == heavy], "weight_decay": decay}
        for heavy, decay in ((True, 0.05), (False, 0.0))
    ]
    optimizer = torch.optim.AdamW(groups, lr, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * steps, pct_start=0.1)
    for epoch in range(epochs):
        head.train()
        losses = []
        for rows in torch.randperm(len(crops))[: steps * BATCH].split(BATCH):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                answer = head(maps_of(network, crops[rows]))
            answer = answer.float()
            loss = identity_distillation(answer, targets[rows], torch.ones(len(rows)))
            loss = loss + LIKENESS * likeness_distillation(answer, targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        head.eval()
        with torch.no_grad():
            answers = torch.cat([head(maps_of(network, part)) for part in held.split(BATCH)])
        cosine = (answers * truth).sum(1).mean()
        first = ((answers @ truth.T).argmax(1) == torch.arange(len(truth))).float().mean()
        print(
            f"epoch {epoch}: loss {np.mean(losses):.4f}, held out: cosine {cosine:.4f}, the right one of "
            f"{len(truth)} nearest {first:.3f}",
            flush=True,
        )
    return head


def maps_of(network: ExpressionNetwork, crops: Tensor) -> Tensor:
    """The map that identity is read from, of grey bytes (n, size, size), without computing anything behind it."""
    grey = crops.unsqueeze(1).float().contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        maps = network.backbone.forward_intermediates(
            (grey - 127.5) / GREY_SPREAD, indices=[network.stage], stop_early=True, intermediates_only=True
        )
    return maps[0]
