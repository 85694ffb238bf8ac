"""``fewshot serve`` as processes of this run: started at a free port of this computer, measured, killed, ended."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil
import requests

from fewshot.errors import FewshotError

STARTED_WITHIN = 180.0


class ServedProcesses:
    """The service inside a ``with`` block.

    Args:
        processes: how many.
        log: a file for what they write to standard error.
        more: other words of the command.

    Attributes:
        url: of the API.
        port: where it listens; ``start`` listens there again.
    """

    def __init__(self, processes: int, log: Path, more: Sequence[str] = ()) -> None:
        self._more = more
        self._processes, self._log, self.port, self.url = processes, log, 0, ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and return when it is ready.

        Raises:
            FewshotError: it does not start.
        """
        words = [sys.executable, "-m", "fewshot", "serve", "--port", str(self.port), "--processes"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # nosec B603: this Python
                [*words, str(self._processes), *self._more], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None  # nosec B101: a pipe
        found = re.search(r"http://\S+:(\d+)/api", self._process.stdout.readline())
        until = time.monotonic() + STARTED_WITHIN
        while found and time.monotonic() < until and self._process.poll() is None:
            self.port, self.url = int(found[1]), f"http://127.0.0.1:{found[1]}/api"
            with suppress(requests.RequestException):
                if requests.get(f"{self.url}/ready", timeout=5).ok:
                    return
            time.sleep(0.1)
        self.kill()
        raise FewshotError(f"The service did not start: {self._log.read_text(errors='replace')[-500:]}")

    def all(self) -> list[psutil.Process]:
        """Its processes that run."""
        if self._process is None or self._process.poll() is not None:
            return []
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def cpu(self) -> float:
        """Seconds of cores that its processes have used so far."""
        total = 0.0
        for process in self.all():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> float:
        """Memory of its processes in MiB, pages that they share counted once."""
        total = 0.0
        for process in self.all():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                full = process.memory_full_info()
                total += getattr(full, "pss", full.rss) / 2**20
        return total

    def kill(self) -> None:
        """End all of its processes at once, as a power cut does."""
        found = self.all()
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=20)
        if self._process is not None:
            self._process.wait()

    def __enter__(self) -> ServedProcesses:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        self.kill()
