"""The service as an ASGI application."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from fewshot import __version__
from fewshot.api.door import METHODS, Door
from fewshot.api.problems import MEDIA_TYPE, Problem, problem_of
from fewshot.api.routes import classes, general, lessons, pictures
from fewshot.api.service import Service
from fewshot.api.stream import stream
from fewshot.errors import FewshotError

ABOUT = (
    "Few-shot, per-student readings of facial expression. Readings are uncertain: never use them to grade or judge "
    "anybody. The EU AI Act, Article 5(1)(f), forbids inferring emotions in education and at work, except for medical "
    "or safety reasons."
)

logger = logging.getLogger(__name__)


def build(service: Service) -> FastAPI:
    """The application; it is mounted at ``/api``.

    Args:
        service: what its routes share.
    """
    app = FastAPI(
        title="fewshot",
        version=__version__,
        description=ABOUT,
        middleware=[Middleware(Door, service=service)],
        docs_url=None,  # its page would load scripts from another site
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for module in (general, classes, pictures, lessons):
        app.include_router(module.router())
    app.add_api_websocket_route("/stream", stream)
    app.add_exception_handler(FewshotError, _answer)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _answer)
    return app


def answer(problem: Problem) -> Response:
    """A problem as an answer."""
    return Response(problem.body(), problem.status, problem.headers, MEDIA_TYPE)


async def _answer(_request: Request, error: Exception) -> Response:
    return answer(problem_of(error))


async def _of_http(request: Request, error: Any) -> Response:
    said = {404: "There is no such address in this service.", 405: "This address takes no such request."}
    text = said.get(error.status_code, f"{str(error.detail).removesuffix('.')}.")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 405:
        headers["allow"] = ", ".join(_allowed(request))
    return answer(Problem(error.status_code, text, headers=headers))


def _allowed(request: Request) -> list[str]:
    """The methods that an address takes; each is a route of its own."""
    found = []
    for method in METHODS:
        asked = {**request.scope, "method": "GET" if method == "HEAD" else method}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            found.append(method)
    return found


async def _unfit(request: Request, error: Any) -> Response:
    """What is wrong with a request, without what was sent: it may be a name."""
    wrong = [{"where": ".".join(map(str, each["loc"])), "what": str(each["msg"])} for each in error.errors()[:20]]
    said = "; ".join(f"{each['where']}: {each['what']}" for each in wrong)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if any(each["where"] == "body" for each in wrong) and kind not in ("application/json", "multipart/form-data"):
        said += f". It came as {kind[:100] or 'no type'}: name its type in Content-Type, such as application/json"
    return answer(Problem(422, f"The request does not fit: {said}.", more={"errors": wrong}))
