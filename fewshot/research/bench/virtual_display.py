"""A display without a screen (Xvfb), for what must open windows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def virtual_display(width: int, height: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The name of a new display, such as ":99", and its server, which ends with the block.

    Raises:
        FileNotFoundError: Xvfb is not installed, or does not start here.
    """
    if not shutil.which("Xvfb"):
        raise FileNotFoundError("needs a virtual display (on Debian or Ubuntu: sudo apt-get install -y xvfb)")
    # -noreset: else it starts anew when its last client leaves, and refuses the next one for a moment.
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            number = server.stdout.readline().strip() if server.stdout else ""
            if not number:
                raise FileNotFoundError("Xvfb does not start here")
            yield f":{number}", server
        finally:
            server.terminate()
