"""Passes items between threads: a bounded queue with two policies, and a turnstile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

TICK = 0.1
"""Seconds of one wait. On Windows Ctrl-C cannot interrupt a thread that waits for a lock, so waits are split."""


class Closed(Exception):
    """Nothing more is passed on, because the run ends. Not an error."""


class Channel(Generic[T]):
    """A bounded queue.

    Args:
        size: largest number of waiting items.
        newest: if the queue is full, True drops the oldest item (live sources); False makes ``put`` wait (files).

    Attributes:
        dropped: number of dropped items.
    """

    def __init__(self, size: int, newest: bool = False) -> None:
        self._size, self._newest = size, newest
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._finished = self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item. If the queue is full, wait for space or drop the oldest item, see ``newest``.

        Raises:
            Closed: the queue was finished or closed.
        """
        with self._changed:
            while len(self._items) >= self._size and not self._newest and not (self._closed or self._finished):
                self._changed.wait(TICK)
            if self._closed or self._finished:
                raise Closed
            if len(self._items) >= self._size:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def get(self, patience: float | None = None) -> T | None:
        """Wait for the oldest item and take it; None if no item comes within ``patience`` seconds.

        Raises:
            Closed: no more items will come.
        """
        deadline = None if patience is None else monotonic() + patience
        with self._changed:
            while not self._items and not self._finished and not self._closed:
                if deadline is not None and monotonic() >= deadline:
                    return None
                self._changed.wait(TICK if deadline is None else min(TICK, max(0.0, deadline - monotonic())))
            if self._closed or not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def clear(self) -> None:
        """Drop all waiting items without counting them."""
        with self._changed:
            self._items.clear()
            self._changed.notify_all()

    def finish(self) -> None:
        """Accept no more items; the waiting ones can still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Accept and give out no more items; waiting threads get ``Closed``."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()


class Turnstile:
    """Lets threads pass one at a time, in the order of their tickets 0, 1, 2, ...

    Frames are processed in parallel, but steps that depend on the frame before (tracks, smoothing) must run in order.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._next = 0
        self._closed = False

    @contextmanager
    def turn(self, ticket: int) -> Iterator[None]:
        """Wait for the turn of this ticket; the turn lasts as long as the ``with`` block.

        Raises:
            Closed: the turnstile was closed before this turn.
        """
        with self._moved:
            while self._next != ticket and not self._closed:
                self._moved.wait(TICK)
            if self._closed:
                raise Closed
        yield
        # Only after success: an error in a turn ends the run, and no later frame may follow it.
        with self._moved:
            self._next += 1
            self._moved.notify_all()

    def close(self) -> None:
        """Waiting and later threads get ``Closed``."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
