"""What other networks together answer to every training face, for a smaller or later one to learn from.

    python experiments/teach.py outputs/train/shapes/last.ckpt outputs/train/mobilenetv4/last.ckpt

Every network looks at every face four times, as published and aligned, as it is and mirrored; the mean of all answers
softens the targets of training (``data.answers``), for FER2013's own labels are wrong in about a third of the pictures
(Hinton et al. 2015, distillation; Zhang et al. 2019, self-distillation). What they see beyond the classes, the leading
components of their features, can be learned too (``data.seen``; Romero et al. 2015, hints). Prints how right the
teachers are on PublicTest, alone and together, and writes outputs/fer2013_answers.npz. Two to four minutes a network on
two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fewshot.research.datasets.fer2013 import load_fer2013, order_of
from fewshot.research.training.datamodule import SEEN, training_tables
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.teachers import LOSSES, answers, common_axes

PARTS = ("train", "public")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--prepared", type=Path, default=Path("outputs"))
    parser.add_argument("--seen", type=int, default=SEEN, help="components of the teachers' features")
    arguments = parser.parse_args()
    root = arguments.shared / "data/fer2013"
    tables = training_tables(root, arguments.prepared, identity_faces=False)
    every: dict[str, list[dict[str, np.ndarray]]] = {part: [] for part in PARTS}
    for checkpoint in arguments.checkpoints:
        for part in PARTS:
            every[part].append(answers(checkpoint, tables[part]))
        report(str(checkpoint), every["public"][-1], tables["public"])
    together = {part: {name: np.mean([one[name] for one in every[part]], axis=0) for name in LOSSES} for part in PARTS}
    report("together", together["public"], tables["public"])

    # PublicTest too, for how well a student sees what they see; it is no target there.
    both = [np.concatenate([one["features"] for one in pair]) for pair in zip(*(every[p] for p in PARTS), strict=True)]
    axes = common_axes(both, arguments.seen)
    together["train"]["seen"], together["public"]["seen"] = np.split(axes, [len(tables["train"])])
    fer, known = load_fer2013(root), {}
    for name in (*LOSSES, "seen"):
        known[name] = np.zeros((len(fer.labels), together["train"][name].shape[1]), np.float16)
        for part in PARTS if name == "seen" else PARTS[:1]:
            known[name][tables[part].targets["row"]] = together[part][name]
    path = arguments.prepared / "fer2013_answers.npz"
    np.savez_compressed(path, **known, order=order_of(fer.faces))
    print(f"written: {path}")


def report(name: str, answered: dict[str, np.ndarray], table: FaceTable) -> None:
    """Print how often the most likely answer is right on PublicTest."""
    published, label = table.targets["published"], table.targets["label"]
    clear = published >= 0
    votes = (answered["votes"][clear, :7].argmax(1) == published[clear]).mean()
    labels = (answered["labels"].argmax(1) == label).mean()
    print(f"{name}: FER+ published {votes:.4f}, FER2013 {labels:.4f}", flush=True)


if __name__ == "__main__":
    main()
