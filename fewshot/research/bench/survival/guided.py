"""Inputs that look for new ways through the program: atheris (libFuzzer) at every door, in a process of its own.

Random changes rarely get past a checksum or a header. libFuzzer sees which branches an input took, keeps inputs that
took new ones, and changes those on.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.research.bench.survival.fuzz import Found, ended

_CHILD, _DOORS = "fewshot.research.bench.survival.guided_child", "fewshot.research.bench.survival.doors"


def guided(door: str, count: int, seed: int, until: float = float("inf"), doors: str = _DOORS) -> Found:
    """Let atheris make inputs for a door until ``count`` were tried or the time is over.

    Args:
        door: its name in ``doors.DOORS``.
        count: number of inputs, at most a few more.
        seed: of libFuzzer; which inputs it makes depends on the program as well.
        until: ``time.monotonic()`` when it ends in any case.
        doors: the module that has ``DOORS`` and ``give``.

    Raises:
        UsageError: atheris is not installed; it exists for Linux on x86-64.
    """
    if importlib.util.find_spec("atheris") is None:
        raise UsageError("atheris is not installed. To install it: pip install atheris")
    found = Found()
    with tempfile.TemporaryDirectory(prefix="fewshot-guided-") as folder:
        corpus, state, faults = Path(folder, "corpus"), Path(folder, "state"), Path(folder, "faults")
        corpus.mkdir()
        while found.inputs < count and (left := until - time.monotonic()) > 1:
            state.write_bytes(bytes(mmap.PAGESIZE))
            seconds = int(min(left, 24 * 3600))
            words = [doors, door, folder, str(count - found.inputs), str(seed + len(found.faults)), str(seconds)]
            process = subprocess.run(
                [sys.executable, "-m", _CHILD, *words], env=_environment(), capture_output=True, text=True, check=False
            )
            number, refused, grown = struct.unpack("<qqq", state.read_bytes()[:24])
            found.inputs += number
            found.refused += refused
            found.most = max(found.most, grown)
            if process.returncode < 0:
                found.inputs += 1
                found.faults.append(f"{ended(-process.returncode)}: {Path(folder, 'last').read_bytes()[:200]!r}")
            elif not number:
                raise RuntimeError(f"atheris did not start (exit code {process.returncode}): {process.stderr[-500:]}")
        found.kept = sum(not path.name.startswith("right-") for path in corpus.iterdir())
        if faults.exists():
            found.faults += [json.loads(line) for line in faults.read_text(encoding="utf-8").splitlines()]
    return found


def _environment() -> dict[str, str]:
    """A child must find the same package, also from a folder that is not installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
