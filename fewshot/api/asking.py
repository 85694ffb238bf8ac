"""What routes ask for: the caller with a right, a class, a lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from starlette.requests import Request

from fewshot.api.callers import Caller
from fewshot.api.door import CALLER
from fewshot.api.problems import MEDIA_TYPE, Problem
from fewshot.api.service import Service, service_of
from fewshot.api.shapes import ProblemShape

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="A token of: fewshot tokens add")

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemShape, "description": words, "content": {MEDIA_TYPE: {}}}
    for status, words in {
        400: "The body cannot be read.",
        401: "No token, or one that opens nothing.",
        403: "The token lacks a right.",
        404: "There is no such thing, or it is somebody else's.",
        408: "The request came too slowly.",
        409: "Not possible now.",
        413: "Too large.",
        422: "It cannot be done as it was asked.",
        429: "Too many requests.",
        503: "Not possible at the moment.",
    }.items()
}
"""Answers that every route may give."""


def with_right(scope: str) -> Callable[..., Caller]:
    """What FastAPI calls to get the caller, who must have a right.

    Args:
        scope: a key of ``fewshot.accounts.tokens.SCOPES``.
    """

    def caller(request: Request, _token: Annotated[Any, Security(_BEARER)]) -> Caller:
        found = caller_of(request)
        found.require(scope)
        return found

    return caller


def caller_of(connection: Any) -> Caller:
    """Who calls, as the door found out."""
    found = connection.scope.get(CALLER)
    if not isinstance(found, Caller):
        raise Problem(401, "Send a token that holds: Authorization: Bearer TOKEN.")
    return found


def anybody(request: Request, _token: Annotated[Any, Security(_BEARER)]) -> Caller:
    """Who calls, whatever they may do."""
    return caller_of(request)


def the_service(request: Request) -> Service:
    """The service that the request has reached."""
    return service_of(request)


TheService = Annotated[Service, Depends(the_service)]
Anybody = Annotated[Caller, Depends(anybody)]
Reads = Annotated[Caller, Depends(with_right("read"))]
Enrolls = Annotated[Caller, Depends(with_right("enroll"))]
Forgets = Annotated[Caller, Depends(with_right("forget"))]
Analyzes = Annotated[Caller, Depends(with_right("analyze"))]
Teaches = Annotated[Caller, Depends(with_right("lesson"))]
Measures = Annotated[Caller, Depends(with_right("metrics"))]
