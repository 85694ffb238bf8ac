"""Starts the app's server and shows where it is."""

from __future__ import annotations

import errno
import importlib.util
import inspect
import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from fewshot.app.daily import daily
from fewshot.app.guard import Policy
from fewshot.app.listening import (
    LOOPBACK,
    Listening,
    listening_at,
    origin_of,
    place_of,
    public_origins,
    reachable_elsewhere,
)
from fewshot.app.login.setup import desk_for, has_certificate, must_log_in
from fewshot.app.server import CONFIG, options_of
from fewshot.app.server import serve as serve_app
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import DEMO, LOCAL_TEACHER, is_demo
from fewshot.errors import UsageError
from fewshot.session.temporary import clean_up

HOST, PORT = LOOPBACK, 8501
_FIRST = ("PIL.Image", "PIL.ImageFile", "packaging.tags", "streamlit.material_icon_names", "fewshot.app.views.start")
"""What Streamlit and the first page would otherwise load while the first visitor waits."""
_NEEDED = ("streamlit", "streamlit_webrtc", "altair", "sqlalchemy")

OPTIONS: Mapping[str, Any] = options_of()
"""Streamlit's options, from ``.streamlit/config.toml`` beside this file."""


def launch(
    port: int | None = None,
    browser: bool = True,
    host: str | None = None,
    serve: Callable[[dict[str, Any]], None] | None = None,
    *,
    public_urls: Sequence[str] = (),
    framed_by: Sequence[str] = (),
    login: bool = False,
    without_login: bool = False,
) -> None:
    """Serve the app until Ctrl-C; with FEWSHOT_DEMO=1 the demo, which needs no login and keeps nothing.

    Args:
        port: None takes 8501, or the next free one.
        browser: open the app in a browser, if there is one.
        host: the address to listen at; None takes Streamlit's setting, if there is one, else this computer only.
        serve: takes Streamlit's options; for tests.
        public_urls: addresses that a reverse proxy gives the app.
        framed_by: sites whose pages may show the app in a frame.
        login: ask for a login on this computer too.
        without_login: listen to other computers although there is no login.

    Raises:
        UsageError: the extra is not installed, the port is taken, an address is wrong, nobody could log in, or other
            computers could reach the app without login and ``without_login`` is not given.
        StoreError: the database cannot be written to, so nothing could be kept.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The app needs packages that are not installed ({', '.join(missing)}).",
            hint="To install them, type in the project's folder: pip install '.[app]' (or: make app)",
        )
    asked, source = (host, "--host") if host is not None else _of_streamlit()
    where = listening_at(asked)
    public, frames = public_origins(public_urls), tuple(origin_of(url, "--framed-by") for url in framed_by)
    demo = is_demo()
    if demo and login:
        raise UsageError(f"The demo has no login ({DEMO}=1). Leave --login out, or unset {DEMO}.")
    asks = not demo and must_log_in(where, source, public, login, without_login)
    port = free_port(port, where.address)
    if not demo:
        # On a full disk, what is stored can still be shown.
        ClassStore(owner=LOCAL_TEACHER).require_writable(unless_full=True)
    clean_up()
    home = where.url(port, has_certificate())
    # Whoever reaches the port itself instead of the proxy would send passwords without TLS.
    proxied = next((origin for origin in public.values() if origin.startswith("https://")), None)
    around = proxied is not None and not where.local and not has_certificate()
    hosts = (listening_at(LOOPBACK) if around else where).hosts(port)
    policy = Policy(hosts, public, frames, proxied if around and proxied else home, place_of(where, public))
    desk = desk_for(policy) if asks else None
    if not demo:
        _load_first_page()
    kept = "It is a demo, and nothing is kept." if demo else "A running lesson is kept up to that moment."
    print(f"fewshot is at {home}\nPress Ctrl-C to stop it. {kept}", flush=True)
    for warning in () if demo else _warnings(where, reachable_elsewhere(public).values(), asks):
        print(warning, file=sys.stderr, flush=True)
    headless = not (browser and has_browser())
    options = {
        **OPTIONS,
        "server.address": where.address,
        "server.port": port,
        "server.headless": headless,
        "browser.serverAddress": where.name,
    }
    if demo:
        options |= {"server.maxUploadSize": 4, "server.maxMessageSize": 20}
    if serve is not None:
        serve(options)
    else:
        with nullcontext() if demo else daily():
            serve_app(policy, options, None if headless else home, desk)


def _of_streamlit() -> tuple[str, str]:
    """The address in Streamlit's own settings (variable or file) and where it stands; else ours.

    Our flags would win over both in silence, but whoever wrote them wants the app to be reachable.
    """
    variable = "STREAMLIT_SERVER_ADDRESS"
    if variable in os.environ:
        return os.environ[variable], f"the environment variable {variable}"
    from streamlit.config import get_config_files

    for path in map(Path, reversed(get_config_files("config.toml"))):
        if not path.is_file() or path == CONFIG:
            continue
        try:
            written = options_of(path).get("server.address")
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read ({error}). Correct or delete this file of Streamlit.") from error
        if written is not None:
            text = str(written)
            # Streamlit's way to name a variable in a file.
            return (os.environ.get(text[4:], "") if text.startswith("env:") else text), f"server.address in {path}"
    return HOST, "the default"


def _warnings(where: Listening, public: Iterable[str], asks: bool) -> list[str]:
    """What the person who starts the app must know about who can reach it."""
    found, public = [], list(public)
    if not where.local and not asks:
        found.append(
            "Warning: other computers can reach the app. It has no login and no TLS: everybody who reaches it can see, "
            "change and delete every class, and everybody in the network can read along. Press Ctrl-C to stop it."
        )
    elif not where.local and not has_certificate() and not any(origin.startswith("https://") for origin in public):
        found.append(
            "Warning: other computers can reach the app, and it has no TLS: everybody in the network can read "
            "passwords and pages along. Put a reverse proxy with HTTPS before it (--public-url https://NAME), or name "
            "a certificate in Streamlit's settings server.sslCertFile and server.sslKeyFile."
        )
    for origin in public:
        if not asks:
            found.append(
                f"Warning: the app has no login. The proxy at {origin} must ask for a password. For the app's own "
                "login, type: fewshot accounts add NAME"
            )
        if origin.startswith("http://"):
            found.append(f"Warning: {origin} has no TLS, so everybody in the network can read along. Use https://.")
    return found


def free_port(wanted: int | None, host: str = HOST) -> int:
    """The port to serve at.

    Args:
        wanted: None takes the first free one from 8501 on; 0 lets the system choose.
        host: a literal address of this computer.

    Raises:
        UsageError: the wanted port is taken, or the address is not one of this computer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in [wanted] if wanted is not None else range(PORT, PORT + 20):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise UsageError(
                        f"{host} is not an address of this computer.",
                        hint="To listen to this computer only, leave --host out: fewshot app",
                    ) from error
                continue
            except OverflowError as error:
                raise UsageError(
                    f"There is no port {port}. Expected a number from 1024 to 65535.",
                    hint="For example: fewshot app --port 8600",
                ) from error
            return int(probe.getsockname()[1])
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
    from fewshot.database.owner import LOCAL_TEACHER
    from fewshot.session.lessons import LessonStore
    from fewshot.session.settings import Settings

    for name in _FIRST:
        import_module(name)
    _ = Settings(owner=LOCAL_TEACHER).acknowledged  # opens the database, and creates or upgrades it
    LessonStore(owner=LOCAL_TEACHER).lessons()  # the page's other query, so that SQLAlchemy has compiled it
    inspect.stack()  # Streamlit calls it once, for 0.1 s: Python looks for the file of every module, and remembers it
