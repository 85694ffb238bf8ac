"""Starts the app's server and shows where it is."""

from __future__ import annotations

import importlib.util
import inspect
import os
import socket
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from fewshot.errors import UsageError

HOST, PORT = "127.0.0.1", 8501
MAIN = Path(__file__).with_name("main.py")
_FIRST = ("PIL.Image", "PIL.ImageFile", "packaging.tags", "streamlit.material_icon_names", "fewshot.app.views.start")
"""What Streamlit and the first page would otherwise load while the first visitor waits."""
_NEEDED = ("streamlit", "streamlit_webrtc", "altair", "sqlalchemy")

THEME: Mapping[str, Any] = {
    "theme.baseRadius": "10px",
    "theme.light.primaryColor": "#4b45a8",
    "theme.light.backgroundColor": "#fcfcfb",
    "theme.light.secondaryBackgroundColor": "#f2f2ef",
    "theme.light.textColor": "#1f2328",
    "theme.light.borderColor": "#d9d8d2",
    "theme.light.linkColor": "#4b45a8",
    "theme.dark.primaryColor": "#a8a2ff",
    "theme.dark.backgroundColor": "#14161a",
    "theme.dark.secondaryBackgroundColor": "#1f2228",
    "theme.dark.textColor": "#eceef1",
    "theme.dark.borderColor": "#363b44",
    "theme.dark.linkColor": "#aba6ff",
}
"""Calm backgrounds, and one accent that is not an emotion's colour. The browser's setting chooses light or dark."""

OPTIONS: Mapping[str, Any] = {
    **THEME,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 2000,
    "server.enableStaticServing": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "viewer",
    "runner.fastReruns": True,
    # Streamlit would collect garbage after every run of a fragment: 0.1 s with our libraries in memory, four times per
    # second. Python's own collector is enough.
    "runner.postScriptGC": False,
    "logger.level": "error",
    "logger.hideWelcomeMessage": True,
}


def launch(
    port: int | None = None,
    browser: bool = True,
    host: str = HOST,
    serve: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Serve the app until Ctrl-C.

    Args:
        port: None takes 8501, or the next free one.
        browser: open the app in a browser, if there is one.
        host: the address to listen at; the default can be reached only from this machine.
        serve: takes Streamlit's options; for tests.

    Raises:
        UsageError: the extra is not installed, or the port is taken.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The app needs packages that are not installed ({', '.join(missing)}).",
            hint="To install them, type in the project's folder: pip install '.[app]' (or: make app)",
        )
    port = free_port(port, host)
    _load_first_page()
    name = "localhost" if host == HOST else host
    print(
        f"fewshot is at http://{name}:{port}\nPress Ctrl-C to stop it. A running lesson is kept up to that moment.",
        flush=True,
    )
    headless = not (browser and has_browser())
    options = {"server.address": host, "server.port": port, "server.headless": headless, "browser.serverAddress": name}
    (serve or _serve)({**OPTIONS, **options})


def free_port(wanted: int | None, host: str = HOST) -> int:
    """The port to serve at.

    Raises:
        UsageError: the wanted port is taken.
    """
    for port in [wanted] if wanted is not None else range(PORT, PORT + 20):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    taken = wanted if wanted is not None else f"{PORT} to {PORT + 19}"
    raise UsageError(
        f"Port {taken} is in use. End the other program, or choose another port.",
        hint="For example: fewshot app --port 8600",
    )


def has_browser() -> bool:
    """Whether this session can show a window."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _load_first_page() -> None:
    """Load what the first page needs before its address is printed; the rest is loaded while the user reads it."""
    from fewshot.session.lessons import LessonStore
    from fewshot.session.settings import Settings

    for name in _FIRST:
        import_module(name)
    _ = Settings().acknowledged  # opens the database, and creates or upgrades it
    LessonStore().lessons()  # the page's other query, so that SQLAlchemy has compiled it
    inspect.stack()  # Streamlit calls it once, for 0.1 s: Python looks for the file of every module, and remembers it


def _serve(options: dict[str, Any]) -> None:
    from streamlit.web import bootstrap

    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    bootstrap.run(str(MAIN), False, [], flags)
