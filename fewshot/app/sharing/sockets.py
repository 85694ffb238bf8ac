"""The WebSocket over which a browser sends pictures of a window, each one only when it is asked for."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio.to_thread
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from fewshot.api.feed import MOST_BYTES, MOST_PIXELS
from fewshot.app.sharing.window import QUALITY, WIDTH, WINDOWS, SharedWindow
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError

OVER, ELSEWHERE, UNFIT = 4000, 4001, 4002
"""Codes with which a WebSocket is closed: nobody needs the window any more; another tab shares; it breaks the rules.
The login closes with 1008, so that is none of these."""
STRIKES = 100
"""Messages that do not fit, after which the WebSocket is closed."""
LONGEST_TEXT = 200
_LOOK = 0.02


async def share(socket: WebSocket, owner_of: Callable[[Scope], Owner | None]) -> None:
    """Serve one browser until it goes, or until nobody needs its pictures.

    Args:
        owner_of: who sends a request; None if nobody is logged in.
    """
    await socket.accept()
    window = WINDOWS.get(socket.query_params.get("ticket", ""))
    owner = await anyio.to_thread.run_sync(_owner, owner_of, socket.scope)
    if window is None or window.closed or owner is None or owner.id != window.owner.id:
        await socket.close(OVER, "There is no lesson that waits for this window.")
        return
    talk = _Talk(socket, window)
    del window  # its page or lesson holds it
    await talk.serve()


def _owner(owner_of: Callable[[Scope], Owner | None], scope: Scope) -> Owner | None:
    try:
        return owner_of(scope)
    except FewshotError:  # the database does not answer
        return None


class _Talk:
    """One browser: a task asks, another one reads; the first that ends decides.

    It does not hold the window: a page that is closed before its lesson starts must not be shared with for ever.
    """

    def __init__(self, socket: WebSocket, window: SharedWindow) -> None:
        self._socket, self._found = socket, weakref.ref(window)
        self._me = window.connect()
        self._strikes = 0

    async def serve(self) -> None:
        """Ask for pictures and take them."""
        tasks = [asyncio.create_task(self._ask()), asyncio.create_task(self._read())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code, why = done.pop().result()
            if code:
                await self._socket.close(code, why)
        except (WebSocketDisconnect, RuntimeError):  # the browser has gone
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            window = self._found()
            if window is not None:
                window.disconnect(self._me)

    async def _ask(self) -> tuple[int, str]:
        """Ask at the pace of the window, until another tab shares or nobody needs the pictures."""
        take = json.dumps({"type": "take", "width": WIDTH, "height": MOST_PIXELS // WIDTH, "quality": QUALITY})
        while True:
            window = self._needed()
            if isinstance(window, tuple):
                return window
            asks = window.ask()
            del window  # not held while this waits
            if asks:
                await self._socket.send_text(take)
            await asyncio.sleep(_LOOK)

    async def _read(self) -> tuple[int, str]:
        """Take what comes; code 0 if the browser has gone."""
        while self._strikes < STRIKES:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return 0, ""
            window = self._needed()
            if isinstance(window, tuple):
                return window
            if len(message.get("bytes") or message.get("text") or "") > MOST_BYTES:
                return UNFIT, f"A message has more than {MOST_BYTES // 1_000_000} MB."
            fits = _take(window, message)
            del window
            self._strikes += not fits
        return UNFIT, f"{STRIKES} messages did not fit."

    def _needed(self) -> SharedWindow | tuple[int, str]:
        """The window; or why it needs nothing from this browser, as a code and words."""
        window = self._found()
        if window is None or window.closed:
            return OVER, "Nobody watches this window any more."
        if not window.is_current(self._me):
            return ELSEWHERE, "Another tab shares a window with this lesson."
        return window


def _take(window: SharedWindow, message: Any) -> bool:
    """Whether a message fits what the browser may say."""
    data = message.get("bytes")
    if data is not None:
        return len(data) > 0 and window.answer(data)
    kind = None
    with suppress(ValueError, AttributeError, RecursionError):
        text = message.get("text") or ""
        kind = json.loads(text).get("type") if len(text) <= LONGEST_TEXT else None
    if kind == "stopped":
        window.stop()
        return True
    return kind in ("same", "none") and window.answer(b"" if kind == "same" else None)
