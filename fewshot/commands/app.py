"""``fewshot app``: the teacher's app in the browser."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from fewshot.models.files import network_file


def run_app(port: int | None, browser: bool, host: str, network: Path | None = None) -> None:
    """Serve the app until Ctrl-C.

    Raises:
        UsageError: there is no such network, the extra ``app`` is not installed, or the port is taken.
    """
    from fewshot.app.launch import launch

    if network is not None:
        # The pages run in this process, and all code that opens a network looks at this variable.
        os.environ["FEWSHOT_NETWORK"] = str(network_file(network.absolute()))

    launch(port, browser, host)


def offer_app() -> None:
    """Offer to open the app if the user sits at a terminal; otherwise do nothing, so that scripts end."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    if importlib.util.find_spec("streamlit") is None:
        print("To open the teacher's app with a sample class of 49 students, type: make app")
        return
    if input("Open the teacher's app with a sample class of 49 students? [y/N] ").strip().lower() in ("y", "yes"):
        run_app(None, True, "127.0.0.1")
