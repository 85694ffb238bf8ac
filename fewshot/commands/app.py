"""``fewshot app``: the teacher's app in the browser."""

from __future__ import annotations

import importlib.util
import sys


def run_app(port: int | None, browser: bool, host: str) -> None:
    """Serve the app until Ctrl-C.

    Raises:
        UsageError: the extra ``app`` is not installed, or the port is taken.
    """
    from fewshot.app.launch import launch

    launch(port, browser, host)


def offer_app() -> None:
    """Where somebody sits at a terminal, offer to open the app; elsewhere do nothing, so that scripts end."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    if importlib.util.find_spec("streamlit") is None:
        print("The teacher's app, with a sample class of 49: make app")
        return
    if input("Open the teacher's app, with a sample class of 49? [y/N] ").strip().lower() in ("y", "yes"):
        run_app(None, True, "127.0.0.1")
