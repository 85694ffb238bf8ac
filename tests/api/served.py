"""Starts the service on a free port of this computer, and calls it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from fewshot.accounts.tokens import SCOPES, Tokens
from fewshot.api.application import build
from fewshot.api.service import Service
from fewshot.database.owner import LOCAL_TEACHER, Owner

HAPPY, NEUTRAL = 3, 6


@dataclass
class Running:
    """A service that runs, and its address."""

    url: str
    service: Service
    sessions: list[requests.Session] = field(default_factory=list)

    def caller(self, *scopes: str, owner: Owner = LOCAL_TEACHER, classes: list[str] | None = None) -> Api:
        text, _ = Tokens(self.service.database).add(owner, "test", scopes or set(SCOPES), classes)
        return Api(self.url, text)


class Api:
    """Calls the service with a token."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("authorization", f"Bearer {self.token}")
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The JSON of an answer that must be right."""
        return self.ok("GET", path, **more)

    def ok(self, method: str, path: str, **more: Any) -> Any:
        answer = self(method, path, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def problem(self, method: str, path: str, status: int, **more: Any) -> str:
        """The detail of an answer that must be this problem."""
        answer = self(method, path, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json")
        said = answer.json()
        assert said["status"] == status and said["title"] and said["detail"]
        assert "fewshot " not in said["detail"], "no command for the command line"
        return str(said["detail"])


@contextmanager
def running(service: Service) -> Iterator[Running]:
    """Serve it at a free port until the end of the block."""
    app = Starlette(routes=[Mount("/api", build(service))])
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False, ws="websockets-sansio",
                       timeout_graceful_shutdown=3)
    )  # fmt: skip
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Running(f"http://127.0.0.1:{port}/api", service)
    finally:
        server.should_exit = True
        thread.join(10)
