"""The app in a process of its own, for what looks at it from outside: measurements, screenshots, browser tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType


class ServedApp:
    """A server of the app, which ends with ``stop`` or with the block it is used in.

    Args:
        home: folder for everything it keeps; made if need be.
        patience: seconds until it must answer.
        **more: of its environment, besides this process's own.

    Attributes:
        options: of the command, besides port and browser.
        address: of its first page.
        log: file with everything it printed.
        environment: that it runs in, for other processes on the same data.

    Raises:
        TimeoutError: it does not answer in time, or ended before; the message holds its log.
    """

    options: tuple[str, ...] = ()

    def __init__(self, home: Path, patience: float = 120.0, **more: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"http://localhost:{self.port}"
        self.home, self.log = home, home / "server.log"
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, **more, "FEWSHOT_HOME": str(home)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command(), env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        self._wait(patience)

    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "fewshot", "app", "--port", str(self.port), "--no-browser", *self.options]

    def _wait(self, patience: float) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()  # nosec B310: our server
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        log = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise TimeoutError(f"The app did not start within {patience:g} seconds. Its log:\n{log}")

    def stop(self) -> None:
        """End the server; after 20 seconds by force."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> ServedApp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
