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
from itertools import product
from pathlib import Path

import torch

from fewshot.research.evaluation.tables import markdown
from fewshot.research.evaluation.widening import DIRECTIONS, SHARES, WHITENED, Setting, attempt, look
from fewshot.research.training.export import from_checkpoint
from fewshot.research.training.teachers import LOSSES
from fewshot.research.training.widen import hush, with_quarters

PREPARED = Path("outputs")


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

    seen = look(wide, arguments.shared, arguments.weights, PREPARED, arguments.answers)
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


if __name__ == "__main__":
    main()
