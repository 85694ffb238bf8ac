"""The WebSocket of a lesson: frames in, moments out. The server says how many frames it takes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

import anyio.to_thread
from starlette.websockets import WebSocket, WebSocketDisconnect

from fewshot.api import messages
from fewshot.api.asking import caller_of
from fewshot.api.beginning import begin
from fewshot.api.lesson import ServedLesson, give_up
from fewshot.api.problems import Problem
from fewshot.api.service import Service, service_of
from fewshot.errors import FewshotError

FIRST_WITHIN = 10.0
"""Seconds within which the first message must come."""
IDLE = 60.0
"""Seconds without any message after which the client has vanished."""
GRACE = 60.0
"""Seconds for which a lesson waits for a client that has vanished; then it ends."""
CHECKED = 3.0
"""Seconds between two looks whether the token or login still holds."""
STRIKES = 100
"""Messages that do not fit, after which the WebSocket is closed."""
_LOOK = 0.1
_GOING: set[asyncio.Task[None]] = set()

logger = logging.getLogger(__name__)


async def stream(socket: WebSocket) -> None:
    """Serve the WebSocket of one lesson until it ends."""
    await socket.accept()
    talk = _Talk(socket, service_of(socket))
    try:
        await talk.serve()
    except FewshotError as error:
        await talk.close(error)
    except WebSocketDisconnect:
        pass


class _Talk:
    """One WebSocket: three tasks read, write and watch; the first that ends decides how it goes on."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket, self._service = socket, service
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard = time.monotonic()
        self._at: float | None = None
        self._strikes = 0

    async def serve(self) -> None:
        """Begin the lesson, pass frames and moments, and end it or leave it to the client's next WebSocket.

        Raises:
            FewshotError: it cannot begin, or it failed.
            WebSocketDisconnect: the client has gone before it began.
        """
        caller = caller_of(self._socket)
        caller.require("lesson")
        try:
            text = await asyncio.wait_for(self._socket.receive_text(), FIRST_WITHIN)
        except (TimeoutError, KeyError) as error:
            said = f"The first message must be start or resume, within {FIRST_WITHIN:.0f} seconds."
            raise Problem(408 if isinstance(error, TimeoutError) else 422, said) from error
        asked = messages.first(text)
        lesson, students = await anyio.to_thread.run_sync(lambda: begin(self._service, caller, asked, self.tell))
        key = lesson.id if lesson.id is not None else -id(lesson)
        self._service.lessons[key] = lesson
        self._service.figures.lessons.inc()
        how = "left"
        try:
            lesson.start()
            await self._send(messages.ready(lesson, students))
            how = await self._run(lesson)
            if how == "ended":
                await anyio.to_thread.run_sync(lesson.end)
                await self._say_all(messages.ended(lesson))
                await self._socket.close()
        finally:
            try:
                if how != "ended":
                    await self._leave(lesson)
                if how == "moving":
                    await self._move()
            finally:  # a service that stops waits for this
                if self._service.lessons.get(key) is lesson:
                    del self._service.lessons[key]

    async def _move(self) -> None:
        """Send the client to another process, which goes on with what was written."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client may have gone
            await self._say_all({"type": "moving", "why": "The service stops. Go on with this lesson: resume."})
            await self._socket.close(1012)

    async def close(self, error: FewshotError) -> None:
        """Say what went wrong, and close."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client may have gone
            await self._say_all(messages.error(error, fatal=True))
            await self._socket.close(1008)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message soon; may be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the server's loop has ended
            self._loop.call_soon_threadsafe(self._out.put_nowait, message)

    async def _run(self, lesson: ServedLesson) -> str:
        """How it ended: "ended" by the client, "left", or "moving" because the service stops.

        Raises:
            FewshotError: the lesson failed, or its caller may not go on.
        """
        tasks = [asyncio.create_task(work) for work in (self._read(lesson), self._write(), self._watch(lesson))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            found = [task.result() for task in tasks if task in done]
            return found[0]
        except (WebSocketDisconnect, RuntimeError):
            return "left"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, lesson: ServedLesson) -> str:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return "left"
            self._heard = time.monotonic()
            data = message.get("bytes")
            if data is not None:
                at, self._at = self._at, None
                await self._take(lesson, data, at)
                continue
            try:
                if await self._obey(lesson, message.get("text") or ""):
                    return "ended"
            except FewshotError as error:
                self.tell(messages.error(error, fatal=False))
                self._strike()

    async def _take(self, lesson: ServedLesson, data: bytes, at: float | None) -> None:
        if not await anyio.to_thread.run_sync(lesson.take, data, at):
            self._strike()

    async def _obey(self, lesson: ServedLesson, text: str) -> bool:
        """Do what a message asks for. Returns whether it was the last one."""
        asked = messages.later(text)
        if isinstance(asked, messages.At):
            self._at = asked.time
        elif isinstance(asked, messages.Mark):
            number = await anyio.to_thread.run_sync(lesson.mark, asked.text)
            self.tell({"type": "marked", "id": number})
        elif isinstance(asked, messages.Correct):
            number = await anyio.to_thread.run_sync(lesson.correct, asked.student, asked.actually)
            self.tell({"type": "corrected", "id": number})
        return isinstance(asked, messages.End)

    def _strike(self) -> None:
        self._strikes += 1
        if self._strikes >= STRIKES:
            raise Problem(422, f"{STRIKES} messages did not fit. Connect again with a client that keeps to the rules.")

    async def _write(self) -> str:
        while True:
            await self._send(await self._out.get())

    async def _watch(self, lesson: ServedLesson) -> str:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK)
            now = time.monotonic()
            if lesson.error is not None:
                raise lesson.error
            if self._service.draining.is_set():
                return "moving"
            if now - self._heard > IDLE:
                raise Problem(408, f"Nothing came for {IDLE:.0f} seconds.")
            if now - checked > CHECKED:
                checked = now
                await self._check(lesson)

    async def _check(self, lesson: ServedLesson) -> None:
        """The token or login may have been removed meanwhile, or lost the class."""
        caller = lesson.caller
        found = await anyio.to_thread.run_sync(self._service.again, caller.token, caller.login)
        may = found is not None and "lesson" in found.scopes
        # A class that was deleted ends the lesson by itself.
        only = None if found is None else found.classes.only
        if not may or (lesson.of is not None and only is not None and lesson.of.id not in only):
            raise Problem(401, "The token or login of this lesson does not hold any more.")

    async def _leave(self, lesson: ServedLesson) -> None:
        """Write what came, and give the client time to come back."""
        await anyio.to_thread.run_sync(lesson.leave)
        if lesson.recorder is not None and not self._service.draining.is_set():
            task = asyncio.create_task(_end_later(lesson))
            _GOING.add(task)
            task.add_done_callback(_GOING.discard)

    async def _say_all(self, last: dict[str, Any]) -> None:
        """Send what still waits, and a last message."""
        while not self._out.empty():
            await self._send(self._out.get_nowait())
        await self._send(last)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(messages.written(message))


async def _end_later(lesson: ServedLesson) -> None:
    await asyncio.sleep(GRACE)
    await anyio.to_thread.run_sync(give_up, lesson)
