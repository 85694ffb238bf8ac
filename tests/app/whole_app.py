"""The app as it is served, in the process of a test: Streamlit behind all that stands before it, and an open tab."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from streamlit.runtime import Runtime
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from fewshot.app import server
from fewshot.app.guard import Policy

MEGABYTE = 1 << 20
HOST = "127.0.0.1:8501"
CHUNK = bytes(64 * 1024)


class Client:
    """Takes what Streamlit sends to a tab."""

    def write_forward_msg(self, _: Any) -> None:
        pass

    enqueue_forward_msg = write_forward_msg


class WholeApp:
    """The whole application in this process, with a tab that is open."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.app = server.build(Policy(frozenset({HOST})))
        self.folder, self.token = folder, generate_xsrf_token_string()
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._told: list[Any] = []
        self._life = self.runner.run(self._start())
        self.tab = self.open_tab()
        self.last: list[Any] = []

    async def _start(self) -> asyncio.Task[None]:
        async def send(message: Any) -> None:
            self._told.append(message["type"])

        task: asyncio.Task[None] = asyncio.ensure_future(
            self.app({"type": "lifespan", "asgi": {}, "state": {}}, self._messages.get, send)
        )
        await self._messages.put({"type": "lifespan.startup"})
        for _ in range(2000):
            if self._told or task.done():
                break
            await asyncio.sleep(0.005)
        assert self._told == ["lifespan.startup.complete"]
        return task

    def close(self) -> None:
        """End the server; a second time nothing happens."""
        if self._life.done():
            return

        async def end() -> None:
            await self._messages.put({"type": "lifespan.shutdown"})
            await asyncio.wait_for(self._life, 20)

        self.runner.run(end())
        self.runner.close()

    def open_tab(self) -> str:
        async def connect() -> str:
            client: Any = Client()
            return Runtime.instance().connect_session(client, {})

        return self.runner.run(connect())

    def close_tab(self, tab: str) -> None:
        async def close() -> None:
            Runtime.instance().close_session(tab)

        self.runner.run(close())

    def files(self) -> list[Path]:
        """What lies in the folders of uploads."""
        return [path for path in self.folder.glob("fewshot-upload-*/files/*") if path.is_file()]

    def send(
        self, body: Callable[[], AsyncIterator[Any]], number: str = "1", tab: str = "", method: str = "PUT",
        path: str = "", **headers: str | None,
    ) -> tuple[int, str]:  # fmt: skip
        """Status and text of the answer to one request; headers by name, None leaves one out."""
        status, _, text = self.ask(body, number, tab, method, path, **headers)
        return status, text

    def ask(
        self, body: Callable[[], AsyncIterator[Any]], number: str = "1", tab: str = "", method: str = "PUT",
        path: str = "", **headers: str | None,
    ) -> tuple[int, dict[str, str], str]:  # fmt: skip
        """As ``send``, with the headers of the answer."""
        given: dict[str, str | None] = {
            "host": HOST, "origin": f"http://{HOST}", "cookie": f"_streamlit_xsrf={self.token}",
            "x-xsrftoken": self.token, "content-type": "multipart/form-data; boundary=xx",
        }  # fmt: skip
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        where = path or f"/_stcore/upload_file/{tab or self.tab}/{number}"
        scope = {
            "type": "http", "method": method, "path": where, "raw_path": where.encode(), "query_string": b"",
            "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8501), "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None],
        }  # fmt: skip
        sent = self.last = []

        async def ask() -> None:
            parts = body()

            whole, answered = False, asyncio.Event()

            async def receive() -> Any:
                nonlocal whole
                if whole:
                    await answered.wait()
                    return {"type": "http.disconnect"}
                part = await anext(parts, None)
                if part is None:
                    whole = True
                    return {"type": "http.request", "body": b"", "more_body": False}
                return part if isinstance(part, dict) else {"type": "http.request", "body": part, "more_body": True}

            async def send(message: Any) -> None:
                sent.append(message)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    answered.set()

            await self.app(scope, receive, send)

        self.runner.run(ask())
        if not sent:
            return 0, {}, ""
        told = {bytes(name).decode().lower(): bytes(value).decode() for name, value in sent[0]["headers"]}
        return int(sent[0]["status"]), told, b"".join(part.get("body", b"") for part in sent[1:]).decode("latin-1")


def form(size: int, name: str = "film.mp4", ends: bool = True, before: bytes = b"") -> Callable[[], AsyncIterator[Any]]:
    """A form with one file, made while it is sent."""

    async def body() -> AsyncIterator[Any]:
        yield before + b'--xx\r\nContent-Disposition: form-data; name="f"; filename="' + name.encode() + b'"\r\n'
        yield b"Content-Type: video/mp4\r\n\r\n"
        for place in range(0, size, len(CHUNK)):
            yield CHUNK[: size - place]
        if ends:
            yield b"\r\n--xx--\r\n"
        else:
            yield {"type": "http.disconnect"}

    return body


def raw(*parts: bytes) -> Callable[[], AsyncIterator[Any]]:
    async def body() -> AsyncIterator[Any]:
        for part in parts:
            yield part

    return body
