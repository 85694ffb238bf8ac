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
import shutil
import subprocess
import sys
from pathlib import Path

from fewshot.research.evaluation.ablation import FACES, RUNS, folder_of, measured, merged, read_rows
from fewshot.research.evaluation.tables import markdown, write_csv

DONE = "whole"
RESULTS, OUTPUTS = Path("experiments/results"), Path("outputs")
NETWORK = Path("fewshot/weights/expression.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=RUNS, default=[*RUNS], help="rows to run; the others stay")
    arguments = parser.parse_args()
    rows = read_rows(RESULTS / "ablation.csv")
    for key in arguments.only:
        for seed in arguments.seeds:
            values = measured(trained(key, seed, arguments.shared), arguments.shared, OUTPUTS, NETWORK)
            new = {"losses": RUNS[key].name, "seed": str(seed)}
            new |= {name: f"{value:.3f}" for name, value in values.items()}
            print(markdown([new]), flush=True)
            rows = merged(rows, new)
            write_csv(rows, RESULTS / "ablation.csv")
            (RESULTS / "ablation.md").write_text(report(rows), encoding="utf-8")


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


if __name__ == "__main__":
    main()
