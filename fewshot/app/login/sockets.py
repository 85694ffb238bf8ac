"""A WebSocket that ends with its login."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fewshot.app.guard import Application, Message, Receive, Scope, Send
from fewshot.errors import FewshotError

EVERY = 3.0
"""Seconds between two looks whether a login still holds: one that another program has ended is cut this soon."""
NOTED = 60.0
"""Seconds within which something that somebody does is noted once."""
ENDED = 1008

logger = logging.getLogger(__name__)


class Socket:
    """Serves one WebSocket until it or its login ends.

    Args:
        holds: whether the login still holds.
        touched: notes that somebody did something.
        every: see ``EVERY``.
    """

    def __init__(
        self, holds: Callable[[], Awaitable[bool]], touched: Callable[[], Awaitable[None]], every: float = EVERY
    ) -> None:
        self._holds, self._touched, self._every = holds, touched, every
        self._ended = asyncio.Event()
        self._noted = float("-inf")

    def end(self) -> None:
        """The login has ended: close the WebSocket now."""
        self._ended.set()

    async def serve(self, app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on between the app and the browser, as long as the login holds."""
        watch = asyncio.create_task(self._watch())
        closed = False

        async def send_while_it_holds(message: Message) -> None:
            if not self._ended.is_set():
                await send(message)

        async def receive_while_it_holds() -> Message:
            nonlocal closed
            coming, ended = asyncio.ensure_future(receive()), asyncio.create_task(self._ended.wait())
            try:
                await asyncio.wait((coming, ended), return_when=asyncio.FIRST_COMPLETED)
                if self._ended.is_set():
                    if not closed:
                        closed = True
                        with suppress(RuntimeError, OSError):  # the browser may have gone in the meantime
                            await send({"type": "websocket.close", "code": ENDED, "reason": "Your login has ended."})
                    return {"type": "websocket.disconnect", "code": ENDED}
                message = await coming
            finally:
                for task in (coming, ended):
                    task.cancel()
            if message["type"] == "websocket.receive":
                await self._note(message)
            return message

        try:
            await app(scope, receive_while_it_holds, send_while_it_holds)
        finally:
            watch.cancel()

    @property
    def ended(self) -> bool:
        """Whether the login has ended."""
        return self._ended.is_set()

    async def _watch(self) -> None:
        while not self._ended.is_set():
            await asyncio.sleep(self._every)
            try:
                held = await self._holds()
            except FewshotError as error:
                # Better closed than open to somebody whose login cannot be checked; the page connects again by itself.
                logger.warning("a login could not be checked: %s", error)
                held = False
            except Exception:
                # The same for what nobody thought of: this task would end in silence, and the WebSocket would stay.
                logger.exception("a login could not be checked")
                held = False
            if not held:
                self._ended.set()

    async def _note(self, message: Message) -> None:
        when = time.monotonic()
        if when - self._noted >= NOTED and by_a_person(message.get("bytes") or b""):
            self._noted = when
            await self._touched()


def by_a_person(data: bytes) -> bool:
    """Whether a message to Streamlit comes from a click or a key, and not from a page that draws itself anew."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    kind = message.WhichOneof("type")
    return (
        kind is not None
        and kind != "app_heartbeat"
        and not (kind == "rerun_script" and message.rerun_script.is_auto_rerun)
    )
