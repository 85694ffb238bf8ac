"""Measure the shipped network: every table of experiments/results that this project claims something with.

    python experiments/evaluate.py                        # all five protocols, an hour the first time
    python experiments/evaluate.py protocol=closed_set
    python experiments/evaluate.py protocol=episodes estimator=cl2n protocol.episodes=200
    python experiments/evaluate.py protocol=own own=~/faces    # yours, docs/how-to/own-data.md; into outputs/own

Protocols: docs/explanation/protocols.md. Tables go to experiments/results/<protocol>.md and .csv, plots beside them.
Pictures of faces go only to outputs/.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from fewshot.errors import FewshotError
from fewshot.research.evaluation.protocol_results import Context
from fewshot.research.training.sentences import in_sentences


def parts_of(group: DictConfig) -> dict[str, Any]:
    """What a config group holds: one object under the group's choice, or several under their names."""
    made = hydra.utils.instantiate(group, _convert_="all")
    return made if isinstance(made, dict) else {"": made}


def command(protocol: str, own: bool) -> str:
    """The line that makes one protocol's tables again.

    Of the project's own tables without where the data lies, the same for one and for all; of somebody's own pictures as
    it was typed, for they lie nowhere else.
    """
    typed = list(HydraConfig.get().overrides.task)
    if own:
        return " ".join(["python experiments/evaluate.py", *map(shlex.quote, typed)])
    silent = ("shared=", "outputs=", "results=", "protocol=")
    kept = [word for word in typed if not word.startswith(silent)]
    if any(word.lstrip("+~").startswith("protocol.") for word in kept):
        # A value of one part of the group is named by way of the group.
        protocol = HydraConfig.get().runtime.choices["protocol"]
    return " ".join(["python experiments/evaluate.py", f"protocol={protocol}", *map(shlex.quote, kept)])


@hydra.main(version_base=None, config_path="../conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    with in_sentences():
        run(cfg)


def run(cfg: DictConfig) -> None:
    """Run every protocol of the group. Of your own pictures, one that cannot be run does not stop the others."""
    console = Console()
    context = Context(
        shared=Path(cfg.shared),
        network=Path(cfg.network),
        outputs=Path(cfg.outputs),
        seed=cfg.seed,
        engine=cfg.engine,
        estimators=parts_of(cfg.estimator),
        own=Path(cfg.own).expanduser() if cfg.own else None,
        form=cfg.form,
        part=cfg.part or "",
    )
    # What is measured on somebody's own pictures is no result of this project.
    results = Path(cfg.results or (context.outputs / "own" if cfg.own else "experiments/results"))
    chosen = HydraConfig.get().runtime.choices["protocol"]
    for note in context.left_out if cfg.own else ():
        print(note, file=sys.stderr)
    protocols, failed = parts_of(cfg.protocol), 0
    for name, protocol in protocols.items():
        context = replace(context, command=command(name or chosen, bool(cfg.own)))
        try:
            report = protocol.run(context)
        except FewshotError as error:
            failed += 1
            if not cfg.own or failed == len(protocols):
                raise
            print(f"Without the protocol {name or chosen}: {error}", file=sys.stderr)
            continue
        console.print(report.text(context), markup=False, highlight=False, soft_wrap=True)
        console.print(f"Written: {report.write(results, context)}")


if __name__ == "__main__":
    main()
