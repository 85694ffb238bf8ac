"""The app as an ASGI application: Streamlit behind the guard."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import threading
import tomllib
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.app.guard import SERVICE, Guard, Policy
from fewshot.app.upload_files import keep_on_disk
from fewshot.database.owner import LOCAL_TEACHER, Owner, is_demo
from fewshot.translation import tr

if TYPE_CHECKING:
    from fewshot.api.service import Service
    from fewshot.app.login.desk import Desk

MAIN = Path(__file__).with_name("main.py")
DEMO_MAIN = Path(__file__).parent / "hosted" / "main.py"
CONFIG = Path(__file__).parent / ".streamlit" / "config.toml"
NEEDED_BY_SERVICE = ("fastapi", "prometheus_client", "multipart", "limits")
_built: list[Policy] = []
"""Of the applications that this process made."""
_desks: list[Desk | None] = []
"""Of the same applications; None where nobody has to log in."""


def options_of(path: Path = CONFIG) -> dict[str, Any]:
    """Streamlit's options of a ``config.toml``, with the names that Streamlit gives them: "theme.dark.textColor"."""
    return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return pairs


def build(policy: Policy, opened: str | None = None, desk: Desk | None = None) -> Any:
    """The ASGI application: the pages, and the service at ``/api`` if its packages are installed.

    The demo has its pages only: no service, and no way to send a camera or a window.

    Args:
        policy: who may call it.
        opened: address to open in a browser once it is served; None opens none.
        desk: the pages of the login; None asks nobody to log in.
    """
    import streamlit as st
    from starlette.middleware import Middleware
    from streamlit.runtime import Runtime

    from fewshot.app.closed_tabs import ClosedTabs
    from fewshot.app.sharing.pages import routes as sharing
    from fewshot.app.upload_stream import UploadStream

    if is_demo():
        _built.append(policy)
        return st.App(DEMO_MAIN, middleware=[Middleware(Guard, policy=policy)])

    def owner_of(scope: Any) -> Owner | None:
        if desk is None:
            return LOCAL_TEACHER
        from fewshot.app.login.gate import owner_in

        return owner_in(scope, desk)

    service, routes = _service(policy.place)

    @asynccontextmanager
    async def started(_app: Any) -> AsyncIterator[dict[str, Any]]:
        if opened is not None:
            # A console browser would hold up the server. Connections are queued from the moment the socket is bound.
            threading.Thread(target=webbrowser.open, args=(opened,), daemon=True).start()
        uploads = keep_on_disk()
        sweeping = asyncio.create_task(ClosedTabs(Runtime.instance()).keep_sweeping())
        try:
            yield {}
        finally:
            sweeping.cancel()
            uploads.close()
            if service is not None:
                service.drain()

    middleware = [Middleware(Guard, policy=policy)]
    if desk is not None:
        from fewshot.app.login.gate import Gate

        middleware.append(Middleware(Gate, desk=desk))
    middleware.append(Middleware(UploadStream, owner_of=owner_of))
    _built.append(policy)
    _desks.append(desk)
    return st.App(MAIN, routes=[*routes, *sharing(owner_of)], middleware=middleware, lifespan=started)


def _service(place: str) -> tuple[Service | None, list[Any]]:
    """The service and its route; if its packages are not installed, there is nothing at its address.

    The gate lets everybody ask at that address, because the service asks for a token itself. So no page may answer.
    """
    from starlette.applications import Starlette
    from starlette.routing import Mount

    if any(importlib.util.find_spec(name) is None for name in NEEDED_BY_SERVICE):
        return None, [Mount(SERVICE, Starlette())]
    from fewshot.api.application import build as build_service
    from fewshot.api.service import Service

    service = Service(place=place)
    return service, [Mount(SERVICE, build_service(service))]


def desk() -> Desk | None:
    """The pages of the login of this process's app; None if nobody has to log in."""
    return next((found for found in _desks if found is not None), None)


def place() -> str:
    """Under which name other computers reach this process's app; "" if only this computer can."""
    if is_demo():
        return tr("of this demo")  # so that a sentence says: the server of this demo
    return next((policy.place for policy in _built if policy.place), "")


def screen_of(place: str) -> str:
    """What the screen of the computer that the app runs on is called, among what can be watched."""
    return tr("The screen of {server}", server=place) if place else tr("This computer's screen")


def is_guarded() -> bool:
    """Whether this process's server, if it has one, stands behind the guard."""
    from streamlit.runtime import Runtime

    # A test of a page has a stand-in for the server.
    served = Runtime.exists() and type(Runtime.instance()) is Runtime
    return not served or bool(_built)


def serve(policy: Policy, options: Mapping[str, Any], opened: str | None = None, desk: Desk | None = None) -> None:
    """Serve it until a signal comes.

    Args:
        policy: who may call it.
        options: Streamlit's options by name.
        opened: see ``build``.
        desk: see ``build``.
    """
    from streamlit.web import bootstrap
    from streamlit.web.server.starlette.starlette_server import UvicornRunner

    bootstrap.load_config_options({name.replace(".", "_"): value for name, value in options.items()})
    if not policy.public:
        # Without a proxy nobody may say from which address a request comes: uvicorn would believe every program here.
        os.environ["FORWARDED_ALLOW_IPS"] = ""
    UvicornRunner(build(policy, opened, desk)).run()
