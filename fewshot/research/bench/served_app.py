"""The app in a process of its own, for what looks at it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fewshot.app.launch import free_port


@contextmanager
def served(home: Path, patience: float = 120.0) -> Iterator[str]:
    """Serve the app, and end it afterwards.

    Args:
        home: folder for all that it keeps.
        patience: seconds until it must answer.

    Yields:
        Its address.

    Raises:
        TimeoutError: it does not answer.
    """
    address = f"http://localhost:{(port := free_port(None))}"
    command = [sys.executable, "-m", "fewshot", "app", "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, env={**os.environ, "FEWSHOT_HOME": str(home)}, stdout=subprocess.DEVNULL)
    try:
        _wait(f"{address}/_stcore/health", patience)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def _wait(address: str, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"The app did not start within {patience:g} seconds.")
