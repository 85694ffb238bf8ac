"""Run the steps of a recipe that are not done, one after the other, each as a process of its own."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.markup import escape

from fewshot.errors import FewshotError, UsageError
from fewshot.research.training.recipe import Recipe, Step, copy_whole
from fewshot.research.training.recipe_lock import Lock, begun, exclusive

PATIENCE = 30.0
"""Seconds that a step has to end itself when the recipe is stopped."""


def run(recipe: Recipe, names: Sequence[str], console: Console) -> None:
    """Run the steps that are not done. What they print goes to their logs, its last line to the console.

    Args:
        names: of the steps, in order (``Recipe.chosen``).

    Raises:
        UsageError: a step needs another that is neither done nor among the names, or a module that is not installed.
        FewshotError: a step failed, its files cannot be written, or another process runs this recipe.
    """
    with exclusive(recipe.folder) as lock:
        check(recipe, names)
        for place, name in enumerate(names, 1):
            step = recipe.steps[name]
            why = recipe.reason(step)
            if why is None:
                console.print(f"[{place}/{len(names)}] {name}: done before", markup=False, highlight=False)
                continue
            console.print(
                f"[{place}/{len(names)}] {name}, about {step.minutes:g} min ({why})\n    {step.command}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
            try:
                told = run_step(recipe, step, lock, console)
            except OSError as error:
                raise FewshotError(f"{name} did not finish: {error}. Mend that, then run the same again.") from error
            console.print(f"    {told}", markup=False, highlight=False, soft_wrap=True)


def check(recipe: Recipe, names: Sequence[str]) -> None:
    """Find out before hours of training what would stop them.

    Raises:
        UsageError: see ``run``.
    """
    standing = recipe.standing()
    for step in (recipe.steps[name] for name in names if standing[name]):
        for need in step.needs:
            if need not in names and standing[need]:
                raise UsageError(
                    f"{step.name} needs the step {need}, which is not among those to run ({standing[need]}). "
                    f"Add it to only=[...], or leave only= out."
                )
        for module in step.modules:
            if importlib.util.find_spec(module) is None:
                raise UsageError(
                    f"{step.name} needs {module}, which is not installed: uv pip install {module.replace('_', '-')}"
                )


def run_step(recipe: Recipe, step: Step, lock: Lock, console: Console) -> str:
    """Run one step and stamp it.

    Returns:
        How long it took, and the last line that it printed.

    Raises:
        FewshotError: it failed, or ended without having written one of its files.
        OSError: a log or stamp cannot be written.
    """
    resume = recipe.begin(step)
    arguments = [*shlex.split(step.command), *shlex.split(step.options), *([f"resume={resume}"] if resume else [])]
    before = {path: _signature(path) for path in step.makes}
    start, log = perf_counter(), recipe.log(step)
    code, offset = _call(step, arguments, log, lock, console)
    printed = _tail(log, offset)
    if code:
        raise FewshotError(_failure(step, code, arguments, printed, log))
    if resume and not Path(step.makes[0]).exists():
        # The training had ended and only its stamp was missing: resumed, it has no epoch left to save.
        copy_whole(resume, Path(step.makes[0]))
    for path in step.makes:
        if _signature(path) in (None, before[path]):
            lines = "".join(f"    {line}\n" for line in printed)
            raise FewshotError(
                f"{step.name} ended without writing {path}. It said last:\n{lines}Its output is in {log}."
            )
    stamp = recipe.finish(
        step, datetime.now().astimezone().isoformat(timespec="seconds"), (perf_counter() - start) / 60
    )
    return f"done in {stamp.minutes:g} min. {printed[-1] if printed else ''}".rstrip()


def _call(step: Step, arguments: Sequence[str], log: Path, lock: Lock, console: Console) -> tuple[int, int]:
    """The exit code of a command, and where in the log its output begins."""
    program = [sys.executable if arguments[0] == "python" else arguments[0], *arguments[1:]]
    # Unbuffered, for the terminal shows the last line; wide, so that a line of measurements is not broken.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "160"}
    with log.open("ab") as file:
        file.write(f"\n# {datetime.now():%Y-%m-%d %H:%M:%S}\n$ {shlex.join(arguments)}\n".encode())
        file.flush()
        offset = file.tell()
        process = subprocess.Popen(program, stdout=file, stderr=subprocess.STDOUT, env=environment)
        try:
            lock.note(step=step.name, runs_as=process.pid, begun=begun(process.pid))
            with console.status(step.name) as status:
                while True:
                    try:
                        return process.wait(1.0), offset
                    except subprocess.TimeoutExpired:
                        status.update(escape(f"{step.name}: {_progress(step, log, offset)}"))
        except BaseException:
            _stop(process)
            raise


def _progress(step: Step, log: Path, offset: int) -> str:
    """How far a step has come: the newest checkpoint of a training (lightning's bar stays out of a log until the end),
    else the last line of the log."""
    saved = sorted(Path(step.makes[0]).parent.glob("epoch*.ckpt")) if step.training else []
    last = [f"{saved[-1].stem} saved"] if saved else _tail(log, offset, 1)
    return last[0][:100] if last else "..."


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a step with its parent; gently at first."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failure(step: Step, code: int, arguments: Sequence[str], printed: Sequence[str], log: Path) -> str:
    ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
    if code == -9:  # signal.SIGKILL, which Windows has not
        ended += " (often: too little memory)"
    lines = "".join(f"    {line}\n" for line in printed)
    return (
        f"{step.name} {ended}: {shlex.join(arguments)}\n{lines}Its output is in {log}. Mend what it names, then run "
        "the same again: steps that are done are not repeated."
    )


def _tail(log: Path, offset: int, lines: int = 5) -> list[str]:
    """The last lines of a log that say something, from an offset on."""
    with log.open("rb") as file:
        file.seek(max(offset, log.stat().st_size - 8192))
        text = file.read().decode(errors="replace")
    return [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()][-lines:]


def _signature(path: str) -> tuple[int, int, int] | None:
    """Changes whenever a file is written; None without one."""
    if not Path(path).is_file():
        return None
    about = Path(path).stat()
    return about.st_mtime_ns, about.st_size, about.st_ino
