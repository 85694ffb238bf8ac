"""``fewshot serve`` as a process of its own, on a free port of this computer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.api.served import Api  # isort: skip

from fewshot.accounts.tokens import SCOPES, Tokens
from fewshot.database.owner import LOCAL_TEACHER


class Served:
    """The service, when it answers. ``words``: other words of the command."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "fewshot", "serve", "--port", "0", *words]
        self._log = Path(os.environ["FEWSHOT_HOME"]) / f"serve-{time.monotonic_ns()}.log"  # a pipe would fill up
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+:(\d+)/api", self.process.stdout.readline())
        assert found, self.process.communicate(timeout=20)
        self.url = f"http://127.0.0.1:{found[1]}/api"
        text, _ = Tokens().add(LOCAL_TEACHER, "test", set(SCOPES))
        self.api = Api(self.url, text)
        until = time.monotonic() + 180
        while time.monotonic() < until:
            with suppress(OSError):
                if self.api("GET", "/ready").ok:
                    return
            time.sleep(0.2)
        pytest.fail("it did not start")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what was written to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode, self._log.read_text(encoding="utf-8")

    def end(self) -> None:
        """Stop it, and what it started."""
        left = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.stop()
        for process in psutil.wait_procs(left, timeout=30)[1]:
            process.kill()
