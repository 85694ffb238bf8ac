"""Finds out which process writes a lesson, and whether it still runs."""

from __future__ import annotations

import os
import socket
import sys
from datetime import datetime, timedelta
from pathlib import Path

from fewshot.models.lock import runs

SILENCE = timedelta(seconds=10)
"""A process without a sign of life for this long has stopped, on any machine."""


def this_process() -> str:
    """A text that distinguishes this process from every other one on any machine, now and later."""
    return "|".join((_machine(), str(os.getpid()), _start(os.getpid()) or ""))


def is_at_work(owner: str, heartbeat: datetime, now: datetime) -> bool:
    """Whether the process still writes. If it ran on this machine and was killed, this is known at once.

    Args:
        owner: the result of ``this_process`` there.
        heartbeat: its latest sign of life.
        now: the present time; both are aware.
    """
    if now - heartbeat > SILENCE:
        return False
    machine, _, rest = owner.partition("|")
    pid, _, start = rest.partition("|")
    if machine != _machine() or sys.platform == "win32" or not pid:
        # Only its heartbeat is known. One that lies in the future was written before a clock was set back: a process
        # that still writes replaces it within two seconds.
        return heartbeat - now <= SILENCE
    return runs(int(pid)) and (_start(int(pid)) or "") == start


def has_ended(owner: str) -> bool:
    """Whether it is certain that a process has ended; False for one of another machine, or a text that names none.

    Args:
        owner: the result of ``this_process`` there.
    """
    machine, _, rest = owner.partition("|")
    pid, _, start = rest.partition("|")
    if machine != _machine() or not pid.isdecimal():
        return False
    if not runs(int(pid)):
        return True
    return sys.platform != "win32" and (_start(int(pid)) or "") != start


def _machine() -> str:
    """Host and namespace of its process numbers, because two containers may share a name and a disk."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def _start(pid: int) -> str | None:
    """Start of the process in ticks of the kernel, because process numbers are reused. None if it is unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets; it may contain any character.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
