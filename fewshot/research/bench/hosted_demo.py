"""The demo as a host runs it: an empty environment with its requirements, and the memory that visitors cost."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from fewshot.app.hosted.visitors import MOST
from fewshot.errors import FewshotError
from fewshot.research.bench.demo_visitor import Visitor
from fewshot.research.bench.served_app import ServedApp

SCRIPT, REQUIREMENTS = "deploy/streamlit/app.py", "deploy/streamlit/requirements.txt"
HEAVY = ("torch", "timm", "pytorch-lightning", "openvino", "av", "aiortc", "scikit-learn", "fastapi", "matplotlib")
"""What the demo must not bring."""
SAMPLE = "Try with the sample class"
TILES = "button.tile.shown, button.tile.none"
PATIENCE = 180_000
"""Milliseconds."""


class HostedDemo(ServedApp):
    """``streamlit run deploy/streamlit/app.py`` in the root of the project, as Streamlit Community Cloud starts it.

    Args:
        home: folder for its log and for all that it might write.
        root: of the project.
        python: of the environment.
        **more: see ``ServedApp``.
    """

    def __init__(self, home: Path, root: Path, python: str = sys.executable, **more: str) -> None:
        self._root, self._python = root, python
        super().__init__(home, PATIENCE / 1000, **{"HOME": str(home), **more})

    def command(self) -> list[str]:
        """See ``ServedApp``."""
        options = ["--server.port", str(self.port), "--server.address", "127.0.0.1", "--server.headless", "true"]
        # Not "python -m streamlit", which would import the package from the working folder.
        return [self._python, str(Path(self._python).with_name("streamlit")), "run", str(self._root / SCRIPT), *options]

    def memory(self) -> float:
        """Memory of the process and what it started, RSS in MB (10^6 bytes)."""
        main = psutil.Process(self.process.pid)
        return sum(one.memory_info().rss for one in (main, *main.children(recursive=True))) / 1e6

    def seconds(self) -> float:
        """Seconds of cores that it has used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


def install(root: Path, folder: Path) -> dict[str, Any]:
    """Install the requirements of the demo into a new environment.

    Args:
        root: of the project; the requirements name it as ".".
        folder: where the environment is made.

    Returns:
        python: its Python; packages: how many it has; megabytes: on the disk; heavy: which of ``HEAVY`` it has.

    Raises:
        FewshotError: they cannot be installed.
    """
    uv = shutil.which("uv")
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    make = [uv, "venv", "--python", sys.executable, str(folder)] if uv else [sys.executable, "-m", "venv", str(folder)]
    # uv would install what it built of this folder before.
    fresh = ["--refresh-package", "fewshot-classroom"]
    pip = [uv, "pip", "install", *fresh, "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    for command in (make, [*pip, "--requirement", REQUIREMENTS]):
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FewshotError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    (packages,) = folder.glob("lib/python*/site-packages")
    names = {str(found.metadata["Name"]).lower() for found in importlib.metadata.distributions(path=[str(packages)])}
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    heavy = sorted(names & set(HEAVY))
    return {"python": str(python), "packages": len(names), "megabytes": size / 1e6, "heavy": heavy}


def measured(demo: HostedDemo, seconds: float, gone: float) -> list[dict[str, str]]:
    """Let visitors come, play, and leave. They have no browser, so that it does not take the demo's share of the cores.

    Args:
        demo: it runs, and nobody has visited it.
        seconds: for which each number of visitors is watched.
        gone: seconds after which a visitor is forgotten whose tab was closed.

    Returns:
        Rows: what, memory now, highest memory, cores, how often tiles are drawn, and how long the last click took.
    """
    rows, people = [_row("started, nobody there", demo, 3.0)], list[Visitor]()
    try:
        waited = _timed(lambda: people.append(_come(demo.address)))
        rows.append(_row("one visitor on the first page", demo, 5.0, waited))
        for wanted in (1, 3, MOST):
            while len(people) < wanted:
                people.append(_come(demo.address))
            waited = max(_timed(partial(_play, one)) for one in people if not one.boards)
            rows.append(_row(f"{wanted} playing the sample lesson", demo, seconds, waited, people))
        waited = _timed(partial(_photographs, people[0]))
        rows.append(_row("the same, but one of them watches the real photographs", demo, seconds, waited, people))
        waited = _timed(partial(_report, people[2]))
        rows.append(_row("the same, but one opens the report", demo, 5.0, waited, people))
    finally:
        for one in people:
            one.leave()
    time.sleep(gone + 15)
    rows.append(_row("all have left and are forgotten", demo, 3.0))
    return rows


def _come(address: str) -> Visitor:
    visitor = Visitor(address)
    visitor.see(SAMPLE)
    return visitor


def _play(visitor: Visitor) -> None:
    visitor.click(SAMPLE)
    visitor.see_boards(2)


def _photographs(visitor: Visitor) -> None:
    visitor.to("Start")
    visitor.see("Try with real photographs")
    visitor.click("Try with real photographs")
    visitor.see_boards(3)


def _report(visitor: Visitor) -> None:
    visitor.to("Report")
    visitor.see_text("Moments that stand out")


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _row(
    what: str, demo: HostedDemo, seconds: float, waited: float | None = None, people: Sequence[Visitor] = ()
) -> dict[str, str]:
    """Look at the memory for a while."""
    used, start, drawn = demo.seconds(), time.perf_counter(), sum(one.boards for one in people)
    seen: list[float] = []
    while not seen or time.perf_counter() - start < seconds:
        seen.append(demo.memory())
        time.sleep(0.5)
    spent = time.perf_counter() - start
    cores = (demo.seconds() - used) / spent
    rate = (sum(one.boards for one in people) - drawn) / spent / max(1, len(people))
    print(f"{what}: {max(seen):.0f} MB, {cores:.2f} cores", flush=True)
    return {
        "what": what,
        "memory": f"{seen[-1]:.0f} MB",
        "highest": f"{max(seen):.0f} MB",
        "cores": f"{cores:.2f}",
        "updates of each page": f"{rate:.1f} per second" if people else "",
        "the slowest click took": "" if waited is None else f"{waited:.1f} s",
    }
