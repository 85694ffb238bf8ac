"""Health, readiness, who calls, tickets, and figures."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from fewshot import __version__
from fewshot.accounts.tickets import HOLDS
from fewshot.api import figures
from fewshot.api.asking import ERRORS, Anybody, Measures, Teaches, TheService
from fewshot.api.shapes import Health, Me, TicketShape
from fewshot.errors import StoreError


def health() -> Health:
    """Whether the process runs."""
    return Health(status="ok")


def ready(service: TheService) -> JSONResponse:
    """Whether a new lesson could start: the database answers, and the service does not stop."""
    status = "stopping" if service.draining.is_set() else "ready"
    try:
        service.logins.get(1)  # reads only: to look for a token would note that it was used
    except StoreError:
        status = "not ready"
    return JSONResponse({"status": status}, 200 if status == "ready" else 503)


def me(caller: Anybody, service: TheService) -> Me:
    """Who calls, what the token or login allows, and where pictures go."""
    only = None if caller.classes.only is None else [each.name for each in caller.classes.all()]
    return Me(
        owner=caller.owner.name, scopes=sorted(caller.scopes), classes=only, place=service.place, version=__version__
    )


def make_ticket(caller: Teaches, service: TheService) -> TicketShape:
    """A ticket for one WebSocket, for browsers, which cannot send a header with it."""
    text = service.tickets.make(caller.token, caller.login)
    return TicketShape(ticket=text, seconds=int(HOLDS.total_seconds()))


def metrics(_caller: Measures, service: TheService) -> Response:
    """Figures of this process, for Prometheus."""
    return Response(service.figures.text(), media_type=figures.MEDIA_TYPE)


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["general"])
    routes.add_api_route("/health", health, methods=["GET"])
    routes.add_api_route("/ready", ready, methods=["GET"], response_model=Health, responses={503: {"model": Health}})
    routes.add_api_route("/me", me, methods=["GET"], responses=ERRORS)
    routes.add_api_route("/tickets", make_ticket, methods=["POST"], status_code=201, responses=ERRORS)
    routes.add_api_route(
        "/metrics", metrics, methods=["GET"], response_class=Response,
        responses={**ERRORS, 200: {"description": "Figures.", "content": {"text/plain": {}}}},
    )  # fmt: skip
    return routes
