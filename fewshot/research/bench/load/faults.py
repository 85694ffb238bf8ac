"""What a service does with clients and computers that misbehave. Each check returns what it found, in words."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import requests
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from fewshot.errors import StoreError
from fewshot.research.bench.load.material import Material
from fewshot.research.bench.load.served import ServedProcesses
from fewshot.research.bench.load.talk import Talk
from fewshot.session.lessons import LessonStore

SHORT = 8.0
"""Seconds of a lesson in a check."""


@dataclass(frozen=True, slots=True)
class Found:
    """One check: whether it ended as it must, and what was seen."""

    good: bool
    words: str


async def slow_client(served: ServedProcesses, lessons: list[Material]) -> Found:
    """A client that reads nothing for a while gets no more room than it had, and another lesson goes on."""
    async with Talk(served.url, lessons[0]) as slow, Talk(served.url, lessons[1]) as other:
        room = (await slow.begin())["take"]
        await other.begin()
        before = served.memory()
        for number in range(room):
            await slow.frame(time.monotonic(), number / 5)
        await other.play(SHORT)
        grown = served.memory() - before
        hearing = asyncio.create_task(slow.hear())
        await asyncio.sleep(3)
        hearing.cancel()
        got = len(slow.taken.latencies)
        await slow.end()
        await other.end()
    late = 1000 * float(np.percentile(other.taken.latencies or [99.0], 95))
    words = f"{got} of {room} moments came when it read again; the other lesson got {len(other.taken.latencies)} (p95"
    return Found(got == room and bool(other.taken.latencies), f"{words} {late:.0f} ms); memory {grown:+.0f} MiB")


async def vanished_client(served: ServedProcesses, lessons: list[Material]) -> Found:
    """The connection of a client is cut. It goes on with its ticket, and every second it had sent is there."""
    async with Talk(served.url, lessons[0]) as first:
        await first.begin()
        await first.play(SHORT)
        first.socket.transport.abort()
    return await _goes_on(served, first, "the connection was cut")


async def malformed(served: ServedProcesses, lessons: list[Material], messages: int = 10_000) -> Found:
    """Messages that fit nothing. The connection is closed after some of them; a lesson beside it goes on."""
    draw, sent, closed = random.Random(0), 0, 0  # nosec B311: draws nonsense
    async with Talk(served.url, lessons[1]) as other:
        await other.begin()
        going = asyncio.create_task(other.play(600))
        until = time.monotonic() + 480
        while sent < messages and time.monotonic() < until:
            try:
                async with Talk(served.url, lessons[0], record=False) as bad:
                    if draw.random() < 0.5:  # otherwise the first message is nonsense too
                        await bad.begin()
                    # Answers that nobody reads would keep the end of the connection from being seen.
                    reading = asyncio.create_task(_read_all(bad))
                    for _ in range(120):
                        await bad.socket.send(nonsense(draw))
                        sent += 1
                    await asyncio.wait_for(reading, 20)
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                await asyncio.sleep(0.2)
            closed += 1
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going
        got = len(other.taken.latencies)
        await other.end()
    ready = requests.get(f"{served.url}/ready", timeout=30).ok
    words = f"{sent} messages over {closed} connections; ready afterwards: {'yes' if ready else 'no'}; "
    return Found(ready and sent >= messages and got > 0, words + f"the lesson beside them got {got} moments")


async def _read_all(talk: Talk) -> None:
    """Take whatever comes until the connection ends."""
    async for _ in talk.socket:
        pass


def nonsense(draw: random.Random) -> str | bytes:
    """A message that fits nothing: bytes, text, JSON of a wrong shape, half a picture."""
    kind = draw.randrange(5)
    if kind == 0:
        return draw.randbytes(draw.randrange(1, 2000))
    if kind == 1:
        return "".join(chr(draw.randrange(1, 0xD7FF)) for _ in range(draw.randrange(1, 200)))
    if kind == 2:
        return json.dumps({"type": draw.choice(["frame", "mark", "correct", "stop", 7]), "time": "soon", "x": [[]] * 9})
    if kind == 3:
        return "[" * draw.randrange(1, 5000)
    return b"\xff\xd8\xff\xe0" + draw.randbytes(300)


async def killed_server(served: ServedProcesses, lessons: list[Material]) -> Found:
    """All processes are killed at once and started again at the same port."""
    async with Talk(served.url, lessons[0]) as first:
        await first.begin()
        await first.play(SHORT)
        await asyncio.sleep(1.5)  # what came is written once a second
        served.kill()
    await asyncio.to_thread(served.start)
    return await _goes_on(served, first, "all processes were killed and started again")


async def restarted_database(served: ServedProcesses, lessons: list[Material], restart: Callable[[], None]) -> Found:
    """The database crashes in mid-lesson and comes back."""
    async with Talk(served.url, lessons[0]) as first:
        await first.begin()
        await first.play(SHORT)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(restart)
        before = len(first.taken.latencies)
        with suppress(ConnectionClosed):
            await first.play(SHORT, after=SHORT + 2)
        after = len(first.taken.latencies) - before
        lost = first.socket.close_code is not None
        if not lost:
            await first.end()
            return _kept(first, f"the lesson went on ({after} moments after the restart)")
    return await _goes_on(served, first, "the database crashed, and the connection with it")


async def _goes_on(served: ServedProcesses, first: Talk, why: str) -> Found:
    """Resume a lesson from its ticket, send more, end it, and look at what was stored."""
    start, answer = time.monotonic(), dict[str, object]()
    while time.monotonic() < start + 60:
        try:
            async with Talk(served.url, first.lesson) as again:
                answer = await again.begin(type="resume", lesson=first.taken.number, ticket=first.taken.ticket)
                if answer.get("type") != "ready":
                    await asyncio.sleep(0.5)
                    continue
                after = time.monotonic() - start
                await again.play(SHORT)
                await again.end()
                return _kept(first, f"{why}; resumed after {after:.1f} s")
        except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            await asyncio.sleep(0.2)
    return Found(False, f"{why}; it could not be resumed: {answer.get('detail', 'no answer')}")


def _kept(first: Talk, words: str) -> Found:
    """Whether every second with a moment is in the store, except the last one, which may not have been over."""
    try:
        kept = LessonStore().load(int(first.taken.number or 0))
    except StoreError as error:
        return Found(False, f"{words}; the lesson cannot be loaded: {error.text}")
    sent = sorted(first.taken.seconds)[:-1]
    stored = list(kept.frames_per_second)
    there = sum(second < len(stored) and stored[second] > 0 for second in sent)
    said = f"{words}; {there} of {len(sent)} seconds with moments are stored; {kept.info.state}"
    return Found(bool(sent) and there == len(sent) and kept.info.state == "ended", said)


async def foreign(served: ServedProcesses, lessons: list[Material]) -> Found:
    """A token asks for the class and the lesson of another one, in every way that the service has."""
    mine, theirs = lessons[0], lessons[1]
    opened = []
    own = {"authorization": f"Bearer {mine.token}"}

    def get(path: str, **headers: str) -> requests.Response:
        return requests.get(f"{served.url}{path}", headers=headers or own, timeout=30)

    async with Talk(served.url, theirs) as victim:
        await victim.begin()
        classes = get("/classes", authorization=f"Bearer {theirs.token}").json()
        number, lesson = classes[0]["id"], victim.taken.number
        paths = [f"/classes/{number}", f"/lessons?class_id={number}", f"/lessons/{lesson}"]
        paths += [f"/lessons/{lesson}/{part}" for part in ("board", "report?format=csv")]
        for path in paths:
            answer = get(path)
            if answer.ok and any(name in answer.text for name in (theirs.classroom, *theirs.students)):
                opened.append(path)
        tries: list[Callable[[Talk], Awaitable[dict[str, object]]]] = [
            lambda talk: talk.begin(type="start", class_name=theirs.classroom),
            lambda talk: talk.begin(type="start", class_id=number),
            lambda talk: talk.begin(type="resume", lesson=lesson, ticket="0" * 32),
            lambda talk: talk.begin(type="resume", lesson=lesson, ticket=victim.taken.ticket),
        ]
        for index, attempt in enumerate(tries):
            async with Talk(served.url, mine) as talk:
                with suppress(ConnectionClosed):
                    if (await attempt(talk)).get("type") == "ready":
                        opened.append(f"WebSocket, way {index + 1}")
        await victim.end()
    said = f"{len(paths) + len(tries)} ways tried, {len(opened)} opened something"
    return Found(not opened, said + (f": {', '.join(opened)}" if opened else ""))
