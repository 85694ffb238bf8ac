"""One process at a time runs a recipe, and others are told which."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from fewshot.errors import FewshotError
from fewshot.models.lock import take


class Lock:
    """The right to run a recipe, held through an open file; the system takes it back when the process has ended.

    Args:
        descriptor: of the file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._about: dict[str, Any] = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": f"{datetime.now():%Y-%m-%d %H:%M}",
        }

    def note(self, **more: Any) -> None:
        """Write down who holds it, for other processes that find it held."""
        self._about |= more
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, json.dumps(self._about).encode())


@contextmanager
def exclusive(folder: Path) -> Iterator[Lock]:
    """Hold the lock of a recipe's folder.

    Raises:
        FewshotError: another process holds it, or died and left a step that still runs; the text says which.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            take(descriptor)
        except (BlockingIOError, PermissionError):
            raise FewshotError(_in_use(path)) from None
        if _orphaned(_noted(path)):
            raise FewshotError(_in_use(path))
        lock = Lock(descriptor)
        lock.note()
        yield lock
    finally:
        os.close(descriptor)


def _noted(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        # New, or in the middle of a note.
        return {}


def _orphaned(about: dict[str, Any]) -> bool:
    """Does the step of a process that is gone still run?"""
    if "runs_as" not in about or about["host"] != socket.gethostname():
        return False
    return about["begun"] is not None and begun(about["runs_as"]) == about["begun"]


def begun(process: int) -> float | None:
    """When a process began, in seconds since 1970; None if it has ended. Numbers of processes are used again."""
    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.Error:
        return None


def _in_use(path: Path) -> str:
    about = _noted(path)
    step = f", step {about['step']} as process {about['runs_as']}" if "step" in about else ""
    return (
        f"{path.parent} is in use: by process {about.get('process', '?')} on {about.get('host', '?')} since "
        f"{about.get('since', '?')}{step}. Wait until it has ended, or end it; then run the same again."
    )
