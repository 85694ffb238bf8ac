"""Errors of the service as problem+json (RFC 9457): what happened and what was expected, and nothing of the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fewshot.classroom.own_classes import is_done
from fewshot.errors import DimensionMismatch, FewshotError, ModelUnavailable, StoreError
from fewshot.session.takeover import LessonGiven, LessonTaken

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed here",
    408: "Too slow",
    409: "Not possible now",
    413: "Too large",
    422: "Cannot be done as it was asked",
    429: "Too many requests",
    500: "Fault of the service",
    503: "Not possible at the moment",
}
_NOT_NOW = "The service cannot do this at the moment. Try again later. The reason is in the log of the service."

logger = logging.getLogger(__name__)


class Problem(FewshotError):
    """An answer that is an error.

    Args:
        status: of HTTP.
        text: what happened and what was expected.
        headers: of the answer.
        more: other members of the answer; no names of other people's things.
    """

    def __init__(
        self, status: int, text: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.headers, self.more = status, dict(headers or {}), dict(more or {})

    def as_json(self) -> dict[str, Any]:
        """The members of the answer."""
        title = TITLES.get(self.status, TITLES[400 if self.status < 500 else 500])
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.text, **self.more}

    def body(self) -> bytes:
        """The answer as bytes."""
        return json.dumps(self.as_json(), ensure_ascii=False).encode()


def problem_of(error: Exception) -> Problem:
    """The answer to an error. Its command for the command line is left out, and so is what only the server knows.

    Texts of a database or a model name paths and addresses of the server, so they go into the log.
    """
    if isinstance(error, Problem):
        return error
    if is_done(error):
        logger.warning("erased, but its bytes are still in the files: %s", error)
        return Problem(
            503,
            "It was removed and is not shown any more. Its bytes are still in the files of the database; the service "
            "erases them when no other program reads the database.",
        )
    if isinstance(error, DimensionMismatch | LessonGiven):
        return Problem(409, error.text)
    if isinstance(error, LessonTaken):  # its client must not take it back
        return Problem(409, "Another connection goes on with this lesson. What came on this one before is kept.")
    if isinstance(error, StoreError | ModelUnavailable) or not isinstance(error, FewshotError):
        if isinstance(error, FewshotError):
            logger.error("a request failed: %s", error.text)
        else:
            logger.error("a request failed because of a fault in fewshot", exc_info=error)
        fault = not isinstance(error, FewshotError)
        return Problem(500 if fault else 503, "A fault in fewshot. Its log has the details." if fault else _NOT_NOW)
    return Problem(422, error.text)


def not_found(what: str) -> Problem:
    """There is no such thing, or it is not the caller's: both have the same answer."""
    return Problem(404, f"There is no such {what} that this token or login may use.")
