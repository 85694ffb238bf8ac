"""Run the steps of a recipe that are not done, one after the other, each as a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.markup import escape

from fewshot.errors import FewshotError, UsageError
from fewshot.research.training.recipe import Recipe, Step, copy_whole

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
    code, offset = _call(arguments, step.name, log, lock, console)
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


def _call(arguments: Sequence[str], name: str, log: Path, lock: Lock, console: Console) -> tuple[int, int]:
    """The exit code of a command, and where in the log its output begins."""
    program = [sys.executable if arguments[0] == "python" else arguments[0], *arguments[1:]]
    with log.open("ab") as file:
        file.write(f"\n# {datetime.now():%Y-%m-%d %H:%M:%S}\n$ {shlex.join(arguments)}\n".encode())
        file.flush()
        offset = file.tell()
        # An orphan keeps the lock for as long as it runs.
        kept = (lock.descriptor,) if os.name == "posix" else ()
        process = subprocess.Popen(
            program,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=kept,
        )
        try:
            lock.note(step=name, runs_as=process.pid)
            with console.status(name) as status:
                while True:
                    try:
                        return process.wait(1.0), offset
                    except subprocess.TimeoutExpired:
                        last = _tail(log, offset, 1)
                        status.update(escape(f"{name}: {last[0][:100] if last else '...'}"))
        except BaseException:
            _stop(process)
            raise


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
    return [line.rstrip() for line in text.replace("\r", "\n").splitlines() if line.strip()][-lines:]


def _signature(path: str) -> tuple[int, int, int] | None:
    """Changes whenever a file is written; None without one."""
    if not Path(path).is_file():
        return None
    about = Path(path).stat()
    return about.st_mtime_ns, about.st_size, about.st_ino


class Lock:
    """The right to run a recipe, held through an open file; the system takes it back when its holders have ended.

    Args:
        descriptor: of the file.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._about: dict[str, Any] = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": f"{datetime.now():%Y-%m-%d %H:%M}",
        }

    def note(self, **more: Any) -> None:
        """Write down who holds it, for whoever finds it held."""
        self._about |= more
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        os.write(self.descriptor, json.dumps(self._about).encode())


@contextmanager
def exclusive(folder: Path) -> Iterator[Lock]:
    """Hold the lock of a recipe's folder.

    Raises:
        FewshotError: another process holds it; the text says which.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(descriptor)
        except (BlockingIOError, PermissionError):
            raise FewshotError(held_by(path)) from None
        lock = Lock(descriptor)
        lock.note()
        yield lock
    finally:
        os.close(descriptor)


def held_by(path: Path) -> str:
    """Who holds a lock, and what to do."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        # Between two notes.
        about = {}
    step = f", step {about['step']} as process {about['runs_as']}" if "step" in about else ""
    return (
        f"{path.parent} is in use: by process {about.get('process', '?')} on {about.get('host', '?')} since "
        f"{about.get('since', '?')}{step}. Wait until it has ended, or end it; then run the same again."
    )


def _take(descriptor: int) -> None:
    """Lock an open file, or raise BlockingIOError or PermissionError at once."""
    if sys.platform == "win32":
        import msvcrt

        # Far behind the note: other processes cannot read what is locked.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
