"""Train the identity output alone, on the frozen first layers of a checkpoint: distillation of the recogniser.

    python experiments/train_identity.py outputs/train/wide.ckpt --out outputs/train/final.ckpt

Needs outputs/*_prepared.npz. The recogniser is asked about faces as they are and about mixed ones
(``fewshot/research/training/identity_views.py``), which are kept in outputs/identity_views/. Prints, for faces held
out, the cosine to the recogniser and how often the right one of all of them is the nearest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from fewshot.research.training.export import built, read_checkpoint
from fewshot.research.training.identity_output import told_apart, train, views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="of a network, or its .safetensors")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--prepared", type=Path, default=Path("outputs"))
    parser.add_argument("--views", type=int, default=360_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--bf16", action="store_true", help="half as long, where the processor has it")
    parser.add_argument("--layers", type=int, nargs="+", action="append", help="instead of the checkpoint's head")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    checkpoint = read_checkpoint(arguments.checkpoint)
    config = checkpoint["network"] | ({"identity_layers": arguments.layers} if arguments.layers else {})
    state = {name: value for name, value in checkpoint["state_dict"].items() if "identity_head" not in name}
    network = built(config)
    own = {name.removeprefix("network."): value for name, value in state.items() if name.startswith("network.")}
    missing, unexpected = network.load_state_dict(own, strict=False)
    if unexpected or any(not name.startswith("identity_head.") for name in missing):
        raise SystemExit(f"{arguments.checkpoint} does not fit its own config: {missing} {unexpected}")
    shown, held = views(arguments.shared, arguments.prepared, arguments.views, network.config["size"])
    faces = told_apart(shown, held, network.config["identity_dimension"])
    head = train(network, *faces, arguments.epochs, arguments.lr, arguments.bf16)
    state |= {f"network.identity_head.{name}": value for name, value in head.state_dict().items()}
    torch.save({"state_dict": state, "network": network.config}, arguments.out)
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
