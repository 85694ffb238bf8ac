"""The machine that numbers were measured on, in words, and whether it had time for us."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = ("onnxruntime", "openvino", "opencv-python", "av", "numpy", "faiss-cpu", "insightface")
BUSY = 0.3
"""Load a core above which other programs take part in what is measured."""


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, versions and revision."""
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "revision": revision(),
    }


def as_list(told: Mapping[str, str]) -> str:
    """What ``describe`` says, as a list in Markdown."""
    return "".join(f"- {name}: {words}\n" for name, words in told.items())


def processor() -> str:
    """Its name and, where the system tells, the instructions that matter to networks."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    told = {key.strip(): value.strip() for key, value in known.items()}
    flags = set(told.get("flags", "").split())
    able = [word for word in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8") if word in flags]
    return f"{told.get('model name', platform.machine())} ({', '.join(able)})"


def versions() -> dict[str, str]:
    """Of the packages that do the work, those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def revision() -> str:
    """Of the source, with a plus where files were changed since; "unknown" outside of a checkout."""

    def git(*words: str) -> str:
        root = Path(__file__).resolve().parents[3]
        # Whichever git is installed: its place differs.
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)  # nosec B607
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def busy() -> str | None:
    """A warning if other programs are at work, None on a quiet machine."""
    load = psutil.getloadavg()[0]
    cores = os.cpu_count() or 1
    if load <= BUSY * cores:
        return None
    return f"This machine is busy (load {load:.1f} on {cores} cores): the numbers will be worse than they are."


def resident_mb() -> float:
    """Memory of this process that lies in RAM, in 2**20 bytes."""
    return float(psutil.Process().memory_info().rss) / 2**20
