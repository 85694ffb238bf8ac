"""Which process writes a lesson, and whether it still does."""

from __future__ import annotations

import os
import socket
import sys
from datetime import datetime, timedelta
from pathlib import Path

SILENCE = timedelta(seconds=10)
"""A writer that gave no sign for so long is gone, wherever it ran."""


def this_process() -> str:
    """A text that tells this process from every other one on any machine, now and later."""
    return "|".join((_machine(), str(os.getpid()), _start(os.getpid()) or ""))


def is_at_work(owner: str, heartbeat: datetime, now: datetime) -> bool:
    """Does the process still write? One on this machine that was killed is found out at once.

    Args:
        owner: what ``this_process`` said there.
        heartbeat: its latest sign of life.
        now: both aware.
    """
    if now - heartbeat > SILENCE:
        return False
    machine, _, rest = owner.partition("|")
    pid, _, start = rest.partition("|")
    if machine != _machine() or sys.platform == "win32" or not pid:
        return True  # only its heartbeat tells
    return _runs(int(pid)) and (_start(int(pid)) or "") == start


def _machine() -> str:
    """Host, and the namespace its process numbers count in: two containers may share a name and a disk."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing; never reached on Windows, where it would end the process
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _start(pid: int) -> str | None:
    """When the process began, in the kernel's own ticks: numbers of processes come again. None where not told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may itself hold anything.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
