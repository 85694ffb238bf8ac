"""A lesson at a service: frames out, moments back, and on with it when the connection is lost."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from fewshot.client.address import understood, unreachable
from fewshot.errors import FewshotError, UsageError

if TYPE_CHECKING:
    from fewshot.client.client import Client

PATIENCE = 30.0
"""Seconds for which a lost connection is tried again."""
ANSWERED_WITHIN = 120.0
"""Seconds within which an answer must come; models may have to be loaded."""
_TICK = 0.2


class RemoteLesson:
    """One lesson over a WebSocket. Any thread may send; frames are sent in the order of the calls.

    Args:
        client: of the service.
        asked: the first message, see docs/reference/service.md.

    Raises:
        FewshotError: the service does not answer, or refuses the lesson.

    Attributes:
        number: of the lesson in the store of the service; None if it is not recorded.
        students: those who may be named.
        lost: how often the connection was lost.
    """

    def __init__(self, client: Client, asked: dict[str, Any]) -> None:
        self._client, self._asked = client, asked
        self._state = threading.Condition()  # protects everything below
        self._credit, self._sent, self._next = 0, 0, 0
        self._pending: OrderedDict[int, tuple[bytes, float]] = OrderedDict()
        self._of_connection: dict[int, int] = {}
        self._moments: dict[int, dict[str, Any]] = {}
        self._replies: list[dict[str, Any]] = []
        self._fault: FewshotError | None = None
        self._ended: dict[str, Any] | None = None
        self.number: int | None = None
        self.students: list[str] = []
        self.lost = 0
        self._ticket: str | None = None
        self._sending = threading.Lock()
        self._open = ExitStack()
        self._connect(asked)
        self._thread = threading.Thread(target=self._listen, name="fewshot client", daemon=True)
        self._thread.start()

    def send(self, frame: bytes, at: float) -> int:
        """Send a frame as soon as the service takes one. Returns its number, for ``wait``.

        Args:
            frame: a JPEG or WebP file.
            at: seconds since the start of the source, later than the frame before.

        Raises:
            FewshotError: the lesson failed.
        """
        with self._sending:
            with self._state:
                self._until(lambda: self._credit > 0)
                number, self._next = self._next, self._next + 1
                self._pending[number] = (frame, at)
                self._credit -= 1
                self._transmit(number)
            return number

    def wait(self, number: int) -> dict[str, Any]:
        """The moment of a frame: a record of docs/reference/json-lines.md, or counts.

        Raises:
            FewshotError: the lesson failed, or the frame was not taken.
        """
        with self._state:
            self._until(lambda: number in self._moments)
            moment = self._moments.pop(number)
        if moment.get("type") == "skipped":
            raise UsageError(f"The service did not take a frame: {moment['why']}")
        return moment

    def mark(self, text: str) -> int:
        """Mark this moment. Returns the number of the mark."""
        return int(self._reply({"type": "mark", "text": text})["id"])

    def correct(self, student: str, actually: str) -> int:
        """Correct the present reading of a student. Returns the number of the correction."""
        return int(self._reply({"type": "correct", "student": student, "actually": actually})["id"])

    def end(self) -> dict[str, Any]:
        """End the lesson, and wait until everything is stored. Returns the last message of the service."""
        with self._state:
            if self._ended is None and self._fault is None:
                self._say({"type": "end"})
                self._until(lambda: self._ended is not None)
        self.close()
        return self._ended or {}

    def close(self) -> None:
        """Close the connection. A lesson that was not ended ends by itself a minute later."""
        with self._state:
            self._ended = self._ended or {}
            self._state.notify_all()
        with suppress(Exception):  # it is closed either way
            self._open.close()

    def __enter__(self) -> RemoteLesson:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _connect(self, first: dict[str, Any]) -> None:
        from websockets.exceptions import ConnectionClosed, WebSocketException
        from websockets.sync.client import connect

        host = self._client.address.host
        stack = ExitStack()
        try:
            socket = stack.enter_context(connect(**self._client.connection()))
            with suppress(ConnectionClosed):  # a service that refuses has said why before it closed
                socket.send(json.dumps(first))
            ready = json.loads(socket.recv(timeout=ANSWERED_WITHIN))
        except (OSError, WebSocketException, TimeoutError, ValueError) as error:
            with suppress(Exception):
                stack.close()
            response = getattr(error, "response", None)
            if response is not None:
                raise self._client.problem(response.status_code, bytes(response.body or b"")) from error
            raise unreachable(host, error) from error
        try:
            with understood(host):
                if ready.get("type") != "ready":
                    raise _refused(host, ready)
                number, ticket, students = ready["lesson"], ready["ticket"], list(ready["students"])
                credit = int(ready["take"])
        except FewshotError:
            stack.close()
            raise
        self._socket, self._open = socket, stack
        self.number, self._ticket, self.students = number, ticket, students
        with self._state:
            self._credit, self._sent, self._of_connection = credit, 0, {}
            for number in self._pending:  # what was on its way when the connection was lost
                self._credit -= 1
                self._transmit(number)
            self._state.notify_all()

    def _transmit(self, number: int) -> None:
        frame, at = self._pending[number]
        self._of_connection[self._sent] = number
        self._sent += 1
        self._say({"type": "frame", "time": at})
        with suppress(Exception):  # a lost connection is noticed where messages are received, and the frame sent again
            self._socket.send(frame)

    def _say(self, message: dict[str, Any]) -> None:
        with suppress(Exception):
            self._socket.send(json.dumps(message))

    def _reply(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._sending, self._state:
            self._replies.clear()
            self._say(message)
            self._until(lambda: bool(self._replies))
            reply = self._replies.pop()
        if reply["type"] == "error":
            raise _refused(self._client.address.host, reply)
        return reply

    def _until(self, done: Any) -> None:
        """Wait; the condition is held."""
        deadline = time.monotonic() + ANSWERED_WITHIN
        while not done():
            if self._fault is not None:
                raise self._fault
            if self._ended is not None:
                raise UsageError("This lesson has ended, so nothing can be sent to it any more.")
            if time.monotonic() > deadline:
                raise FewshotError(
                    f"The service at {self._client.address.host} did not answer for {ANSWERED_WITHIN:.0f} seconds."
                )
            self._state.wait(_TICK)

    def _listen(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while self._ended is None and self._fault is None:
            try:
                message = json.loads(self._socket.recv())
                with self._state:
                    self._hear(message)
                    self._state.notify_all()
            except (ConnectionClosed, OSError):
                if self._ended is None and self._fault is None:
                    self._again()
            except Exception as error:
                self._fail(FewshotError(f"The service sent what cannot be read ({type(error).__name__})."))

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.get("type", "moment")
        if kind in ("moment", "counts") and self._pending:
            self._moments[self._pending.popitem(last=False)[0]] = message
        elif kind == "take":
            self._credit += int(message["frames"])
        elif kind == "skipped":
            number = self._of_connection.get(int(message["received"]))
            if number is not None and self._pending.pop(number, None) is not None:
                self._moments[number] = message
        elif kind == "ended":
            self._ended = message
        elif kind in ("marked", "corrected") or (kind == "error" and not message.get("fatal")):
            self._replies.append(message)
        elif kind == "error":
            self._fault = _refused(self._client.address.host, message)

    def _again(self) -> None:
        """Connect once more, and go on with the lesson."""
        with suppress(Exception):
            self._open.close()
        self.lost += 1
        first = self._asked
        if self.number is not None and self._ticket is not None:
            first = {"type": "resume", "lesson": self.number, "ticket": self._ticket}
        deadline, wait = time.monotonic() + PATIENCE, 0.1
        while self._ended is None:
            try:
                self._connect(first)
                return
            except FewshotError as error:
                if isinstance(error, UsageError) or time.monotonic() > deadline:
                    self._fail(error)
                    return
            time.sleep(wait)
            wait = min(2 * wait, 2.0)

    def _fail(self, error: FewshotError) -> None:
        with self._state:
            self._fault = error
            self._state.notify_all()


def _refused(host: str, message: dict[str, Any]) -> FewshotError:
    said = f"The service at {host} says: {message.get('detail') or 'it cannot do this'}"
    return FewshotError(said) if int(message.get("status", 500)) >= 500 else UsageError(said)
