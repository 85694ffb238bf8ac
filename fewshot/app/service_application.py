"""The service of one process as an ASGI application, whoever started the process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fewshot.app.guard import SERVICE, Application, Guard, Policy

if TYPE_CHECKING:
    from fewshot.api.service import Service

SERVICES: list[Service] = []
"""The service of this process; empty before there is one."""


def application(policy: Policy) -> Application:
    """The ASGI application of one process.

    Args:
        policy: who may call it.
    """
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Mount

    from fewshot.api.application import answer, build
    from fewshot.api.problems import Problem
    from fewshot.api.service import Service

    def elsewhere(_request: object, _error: Exception) -> Response:
        return answer(Problem(404, f"There are no pages here. The addresses of this service begin with {SERVICE}."))

    _log_requests()
    service = Service(place=policy.place)
    SERVICES[:] = [service]
    site = Starlette(routes=[Mount(SERVICE, build(service))], exception_handlers={404: elsewhere})
    return Guard(site, policy)


def _log_requests() -> None:
    """One line of JSON per request on standard error; it names nobody."""
    log = logging.getLogger("fewshot.api")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
