"""Milliseconds of one core that every stage of the loop takes, and beside it the same of an older copy of the package.

    python experiments/profile_stages.py --lesson outputs/live/class_49_12s
    git worktree add ../older COMMIT && python experiments/profile_stages.py --lesson ... --against ../older

Everything runs in one thread on frames that are decoded already, so what is measured is work, not waiting. The two
copies take turns, each in a process of its own; each is measured by its own ``fewshot.research.bench.stage_times``, so
the older one must have that module. ``--lesson`` is a folder as experiments/virtual_classroom.py makes it. Writes
experiments/results/stages.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from fewshot.errors import FewshotError
from fewshot.research.bench.stage_times import STAGES, in_process


def command(arguments: argparse.Namespace) -> str:
    """What to repeat it with; an older copy of the package lies elsewhere everywhere."""
    against = " --against OLDER_COPY" if arguments.against else ""
    frames = f" --frames {arguments.frames} --rounds {arguments.rounds}"
    return f"python experiments/profile_stages.py --lesson outputs/live/{arguments.lesson.name}{against}{frames}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--lesson", type=Path, required=True)
    parser.add_argument("--against", type=Path, help="folder with an older copy of the package")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/stages.md"))
    arguments = parser.parse_args()
    copies = {"before": arguments.against, "now": Path(__file__).resolve().parents[1]}
    times: dict[str, dict[str, list[float]]] = {name: {} for name, folder in copies.items() if folder}
    for _ in range(arguments.rounds):
        for name, stages in times.items():
            try:
                found = in_process(copies[name], arguments.lesson, arguments.shared, arguments.frames)
            except FewshotError as error:
                sys.exit(str(error))
            for stage, values in found.items():
                stages.setdefault(stage, []).extend(values)
    lines = ["# Milliseconds of each stage, 49 faces", "", f"    {command(arguments)}", ""]
    lines += ["| ms of one core: mean (median) | " + " | ".join(times) + " |", "|---" * (len(times) + 1) + "|"]
    for stage in STAGES:
        cells = [f"{np.mean(stages[stage]):.2f} ({np.median(stages[stage]):.2f})" for stages in times.values()]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    sums = [sum(float(np.mean(stages[stage])) for stage in STAGES) for stages in times.values()]
    lines.append("| sum of the means | " + " | ".join(f"{value:.1f}" for value in sums) + " |")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
