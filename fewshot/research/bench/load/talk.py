"""One lesson that is sent at a pace over a WebSocket, as a class that is live: a frame without room is dropped."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from fewshot.research.bench.load.material import FPS, Material

ANSWERED_WITHIN = 180.0


@dataclass(slots=True)
class Taken:
    """What one lesson gave.

    Attributes:
        latencies: seconds from the time at which a frame was due to its moment.
        dropped: frames that were due and had no room at the server.
        names: students who were named.
        faces: faces in the moments.
        seconds: whole seconds of the lesson of which a moment came.
        number: of the lesson; None if it was not recorded.
    """

    latencies: list[float] = field(default_factory=list)
    dropped: int = 0
    names: set[str] = field(default_factory=set)
    faces: list[int] = field(default_factory=list)
    seconds: set[int] = field(default_factory=set)
    number: int | None = None
    ticket: str = ""


class Talk:
    """One connection; use it inside ``async with``.

    Args:
        url: of the API.
        lesson: what is shown.
        record: whether the lesson is recorded.
    """

    def __init__(self, url: str, lesson: Material, record: bool = True) -> None:
        self._uri, self.lesson, self._record = f"{url.replace('http', 'ws', 1)}/stream", lesson, record
        self.taken = Taken()
        self.credit, self._sent = 0, 0
        self._due: deque[float] = deque()
        self.socket: ClientConnection

    async def __aenter__(self) -> Talk:
        headers = {"authorization": f"Bearer {self.lesson.token}"}
        self.socket = await connect(
            self._uri, additional_headers=headers, proxy=None, max_size=2**24, open_timeout=ANSWERED_WITHIN
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(Exception):
            await self.socket.close()

    async def begin(self, **resume: Any) -> dict[str, Any]:
        """Start the lesson, or resume one. Returns the first message of the server."""
        start = {"type": "start", "class_name": self.lesson.classroom, "record": self._record, "title": "load"}
        await self.say(**(resume or start))
        ready: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), ANSWERED_WITHIN))
        if ready.get("type") == "ready":
            self.credit = int(ready["take"])
            self.taken.number, self.taken.ticket = ready["lesson"], ready["ticket"] or ""
        return ready

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps(message))

    async def frame(self, due: float, at: float) -> None:
        """Send the next frame."""
        data = self.lesson.frames[self._sent % len(self.lesson.frames)]
        self._sent, self.credit = self._sent + 1, self.credit - 1
        self._due.append(due)
        await self.say(type="frame", time=round(at, 4))
        await self.socket.send(data)

    async def play(self, seconds: float, after: float = 0.0, ignore: float = 0.0) -> None:
        """Send frames at ``FPS`` for some time, and hear the moments.

        Args:
            seconds: how long.
            after: time of the first frame in the lesson.
            ignore: seconds at the beginning that are in no number: models are loaded, faces are met.
        """
        hearing = asyncio.create_task(self.hear(time.monotonic() + ignore))
        start = time.monotonic()
        try:
            for number in range(round(seconds * FPS)):
                due = start + number / FPS
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if hearing.done():
                    break
                if self.credit > 0:
                    await self.frame(due, after + number / FPS)
                elif number / FPS >= ignore:
                    self.taken.dropped += 1
            until = time.monotonic() + 10
            while self._due and time.monotonic() < until and not hearing.done():
                await asyncio.sleep(0.05)
        finally:
            hearing.cancel()
            with suppress(asyncio.CancelledError):
                await hearing

    async def hear(self, counted_from: float = 0.0) -> None:
        """Take messages until the connection ends."""
        while True:
            message = json.loads(await self.socket.recv())
            kind = message.get("type", "moment")
            if kind == "take":
                self.credit += int(message["frames"])
            elif kind == "moment" and self._due:
                due = self._due.popleft()
                if due >= counted_from:
                    self.taken.latencies.append(time.monotonic() - due)
                self.taken.seconds.add(int(message["time"]))
                self.taken.faces.append(len(message["faces"]))
                self.taken.names |= {face["student"] for face in message["faces"] if face["student"]}
            elif kind in ("moving", "ended"):
                return

    async def end(self) -> None:
        """End the lesson, and wait until it is stored."""
        await self.say(type="end")
        with suppress(Exception):
            while json.loads(await asyncio.wait_for(self.socket.recv(), 30)).get("type") != "ended":
                pass
