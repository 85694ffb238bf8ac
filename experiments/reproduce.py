"""The whole training recipe, from the pictures to the weights that ship and their numbers (conf/reproduce.yaml).

    python experiments/reproduce.py                       # or: make reproduce
    python experiments/reproduce.py dry_run=true          # what is done, what is next, what it costs
    python experiments/reproduce.py until=shapes          # this step and what it needs
    python experiments/reproduce.py only=[export,population]

A finished step leaves a stamp, outputs/reproduce/STEP.json, and does not run again unless its command or what it was
made from changes. To repeat it, delete its stamp. What a step prints is in outputs/reproduce/STEP.log. An interrupted
training continues from its last whole epoch; what it left stays beside its folder, as outputs/train/NAME-1.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from fewshot.errors import FewshotError
from fewshot.research.training.recipe import Recipe, Step
from fewshot.research.training.recipe_lock import exclusive
from fewshot.research.training.recipe_run import run


def recipe_of(cfg: DictConfig) -> Recipe:
    """The recipe of a config as conf/reproduce.yaml has it."""
    steps: Any = OmegaConf.to_container(cfg.steps, resolve=True)
    return Recipe([Step(name, **values) for name, values in steps.items()], Path(cfg.folder))


def show(recipe: Recipe, names: Sequence[str], console: Console) -> None:
    """Print the steps in order: what is done, what is next, what each costs."""
    standing = recipe.standing()
    left = [recipe.steps[name] for name in names if standing[name]]
    for place, name in enumerate(names, 1):
        step, stamp, why = recipe.steps[name], recipe.stamp(name), standing[name]
        state = f"done {stamp.finished}" if stamp and not why else f"{'next' if step == left[0] else 'later'}: {why}"
        text = f"{place:2} {name:12} {step.minutes:4g} min  {state}\n     {step.command}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    hours, minutes = divmod(sum(step.minutes for step in left), 60)
    cost = f"{len(left)} to run, about {hours:.0f} h {minutes:.0f} min on two cores without a graphics card."
    console.print(f"{len(names)} steps, {cost}", highlight=False, soft_wrap=True)
    try:
        with exclusive(recipe.folder):
            pass
    except FewshotError as error:
        console.print(f"{error}", markup=False, highlight=False, soft_wrap=True)


@hydra.main(version_base=None, config_path="../conf", config_name="reproduce")
def main(cfg: DictConfig) -> None:
    # Ended from outside, it ends its step too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped. Run the same again to continue."))
    console = Console()
    try:
        recipe = recipe_of(cfg)
        names = recipe.chosen(cfg.only, cfg.until)
        if cfg.dry_run:
            show(recipe, names, console)
        else:
            run(recipe, names, console)
    except FewshotError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("Stopped. Run the same again to continue.")


if __name__ == "__main__":
    main()
