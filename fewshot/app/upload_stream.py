"""Takes uploads from the network to the disk: Streamlit reads each file into memory as a whole before it keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from fewshot.app.guard import Application, Message, Receive, Scope, Send
from fewshot.app.upload_files import ARRIVAL, MEGABYTE, Arrival, DiskUploads, Key, NotKept, served

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException

    from fewshot.database.owner import Owner

PATH = "/_stcore/upload_file/"
"""Of Streamlit's uploads: then the numbers of the tab and of the file."""
AROUND = MEGABYTE
"""Bytes that a request may have around the file that it carries, as in Streamlit."""
MOST_PARTS = 8
MOST_HEADERS = 16_384
"""Bytes of what a request says about its parts."""
AT_ONCE = MEGABYTE
"""Bytes that are collected before they are written."""
PATIENCE = 120.0
"""Seconds in which a byte must come."""


class UploadStream:
    """Pure ASGI middleware right before Streamlit.

    Streamlit checks an upload before it reads it: the token, the tab, the announced size. From then on it receives
    here what the request says about the file, and none of the bytes of the file.

    Args:
        app: what it stands before.
        owner_of: who sends a request; None if the login has ended meanwhile.
    """

    def __init__(self, app: Application, owner_of: Callable[[Scope], Owner | None]) -> None:
        self.app, self.owner_of = app, owner_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but an upload passes."""
        key, uploads = _key(scope), served()
        if key is None or uploads is None:
            await self.app(scope, receive, send)
            return
        from starlette.requests import ClientDisconnect

        body = _Body(uploads, key, scope, receive, self.owner_of)
        try:
            await self.app(scope, body, send)
        except ClientDisconnect:
            pass  # somebody has cancelled an upload, or left: no fault for the log, and nobody reads an answer
        finally:
            body.close()


def _key(scope: Scope) -> Key | None:
    """Which file an upload is; None if a request is not an upload."""
    if scope["type"] != "http" or scope["method"] != "PUT":
        return None
    _, found, rest = str(scope["path"]).rpartition(PATH)
    numbers = rest.split("/")
    return (numbers[0], numbers[1]) if found and len(numbers) == 2 and all(numbers) else None


class _Body:
    """The body of one upload as Streamlit receives it: with an empty file in place of the real one."""

    def __init__(
        self, uploads: DiskUploads, key: Key, scope: Scope, receive: Receive, owner_of: Callable[[Scope], Owner | None]
    ) -> None:
        from streamlit import config

        self._uploads, self._key, self._scope, self._receive, self._owner_of = uploads, key, scope, receive, owner_of
        self._most = int(config.get_option("server.maxUploadSize")) * MEGABYTE
        self._arrival: Arrival | None = None
        self._parser: Any = None
        self._boundary = b""
        self._read = self._headers = self._parts = self._files = 0
        self._name, self._value = bytearray(), bytearray()
        self._in_file = False
        self._data, self._passed = bytearray(), bytearray()

    async def __call__(self) -> Message:
        """The next part of the body.

        Raises:
            HTTPException: the upload is refused.
        """
        from python_multipart.exceptions import FormParserError

        try:
            if self._parser is None:
                await self._begin()
            with anyio.fail_after(PATIENCE):
                message = await self._receive()
            if message["type"] != "http.request":
                return message
            await self._take(message.get("body", b""), not message.get("more_body", False))
        except NotKept as error:
            raise self._uploads.refused(self._key[0], error) from error
        except FormParserError as error:
            raise _refusal(400, "The upload is damaged.") from error
        except TimeoutError as error:
            raise _refusal(408, "The upload has stopped.") from error
        passed, self._passed = bytes(self._passed), bytearray()
        return {**message, "body": passed}

    def close(self) -> None:
        """Delete the file if it was not kept."""
        ARRIVAL.set(None)
        if self._arrival is not None:
            self._uploads.drop(self._arrival)

    async def _begin(self) -> None:
        """Look at the headers, and make the file."""
        from python_multipart.multipart import MultipartParser, parse_options_header

        headers = {bytes(name).lower(): bytes(value) for name, value in self._scope.get("headers", ())}
        kind, options = parse_options_header(headers.get(b"content-type"))
        self._boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not self._boundary:
            raise _refusal(400, "An upload is a form with one file.")
        self._parser = MultipartParser(
            self._boundary,
            {
                "on_part_begin": self._on_part, "on_header_field": self._on_name, "on_header_value": self._on_value,
                "on_header_end": self._on_header, "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data, "on_part_end": self._on_part_end, "on_end": self._on_end,
            },
        )  # fmt: skip
        owner = await anyio.to_thread.run_sync(self._owner_of, self._scope)
        if owner is None:
            raise _refusal(401, "Log in first.")
        announced = headers.get(b"content-length", b"")
        expected = int(announced) if announced.isdigit() else 0
        self._arrival = await anyio.to_thread.run_sync(Arrival, self._uploads, self._key, owner.id, expected)
        ARRIVAL.set(self._arrival)

    async def _take(self, body: bytes, last: bool) -> None:
        self._read += len(body)
        if self._read > self._most + AROUND:
            raise _refusal(413, "The file is too large.")
        self._parser.write(body)
        if self._arrival is not None and (len(self._data) >= AT_ONCE or (last and self._data)):
            data, self._data = self._data, bytearray()
            if self._arrival.size + len(data) > self._most:
                raise _refusal(413, "The file is too large.")
            await anyio.to_thread.run_sync(self._arrival.write, data)

    def _on_part(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _refusal(400, "An upload is a form with one file.")
        self._in_file = False
        self._passed += b"--" + self._boundary + b"\r\n"

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += self._counted(data[start:end])

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, data: bytes) -> bytes:
        self._headers += len(data)
        if self._headers > MOST_HEADERS:
            raise _refusal(400, "An upload is a form with one file.")
        return data

    def _on_header(self) -> None:
        from python_multipart.multipart import parse_options_header

        name, value = bytes(self._name), bytes(self._value)
        self._name, self._value = bytearray(), bytearray()
        if name.lower() == b"content-disposition":
            self._in_file = b"filename" in parse_options_header(value)[1]
        self._passed += name + b": " + value + b"\r\n"

    def _on_headers(self) -> None:
        self._files += self._in_file
        if self._files > 1:
            raise _refusal(400, "An upload is a form with one file.")
        self._passed += b"\r\n"

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:  # Streamlit needs no other field
            self._data += data[start:end]

    def _on_part_end(self) -> None:
        self._passed += b"\r\n"

    def _on_end(self) -> None:
        self._passed += b"--" + self._boundary + b"--\r\n"


def _refusal(status: int, words: str) -> HTTPException:
    from starlette.exceptions import HTTPException

    # The rest of the body must not be read only to keep the connection.
    return HTTPException(status, words, {"Connection": "close"})
