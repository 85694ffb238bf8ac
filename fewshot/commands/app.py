"""``fewshot app``: the teacher's app in the browser."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fewshot.commands.terminal import tell
from fewshot.live.sparing import lower_priority
from fewshot.models.files import network_file


def run_app(
    port: int | None,
    browser: bool,
    host: str | None,
    network: Path | None = None,
    *,
    public_urls: Sequence[str] = (),
    framed_by: Sequence[str] = (),
    login: bool = False,
    without_login: bool = False,
) -> None:
    """Serve the app until Ctrl-C; the arguments are those of ``launch``.

    Raises:
        UsageError: there is no such network, the extra ``app`` is not installed, the port is taken, or other computers
            could reach the app.
    """
    from fewshot.app.launch import launch

    lower_priority()
    if network is not None:
        # The pages run in this process, and all code that opens a network looks at this variable.
        os.environ["FEWSHOT_NETWORK"] = str(network_file(network.absolute()))

    launch(port, browser, host, public_urls=public_urls, framed_by=framed_by, login=login, without_login=without_login)


def offer_app() -> None:
    """Offer to open the app if the user sits at a terminal; otherwise do nothing, so that scripts end."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    if importlib.util.find_spec("streamlit") is None:
        tell("To open the teacher's app with a sample class of 49 students, type: make app")
        return
    if input("Open the teacher's app with a sample class of 49 students? [y/N] ").strip().lower() in ("y", "yes"):
        run_app(None, True, None)
