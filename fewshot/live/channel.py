"""What hands things from thread to thread: a bounded queue with one of two policies, and a turnstile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

TICK = 0.1
"""Seconds. On Windows a lock that is waited for cannot be interrupted by Ctrl-C: wait in slices."""


class Closed(Exception):
    """Nothing more comes through: the run ends. Not an error."""


class Channel(Generic[T]):
    """A bounded queue.

    Args:
        size: items that may wait.
        newest: when it is full, ``put`` throws the oldest item away (live); else it waits for room (files).

    Attributes:
        dropped: items thrown away.
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
        """Add an item; one too many waits, or replaces the oldest.

        Raises:
            Closed: nobody takes it any more.
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
        """The oldest item, waiting for it; None when none came within ``patience`` seconds.

        Raises:
            Closed: no item will come.
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
        """Throw away what waits, without counting it."""
        with self._changed:
            self._items.clear()
            self._changed.notify_all()

    def finish(self) -> None:
        """Nothing is added any more; what waits is still given out."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is added or given out any more; whoever waits gets ``Closed``."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()


class Turnstile:
    """Lets threads through one at a time, in the order of their tickets 0, 1, 2, ...

    Frames are worked on side by side, but what depends on the frame before (tracks, smoothing) happens in order.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._next = 0
        self._closed = False

    @contextmanager
    def turn(self, ticket: int) -> Iterator[None]:
        """Wait for this ticket's turn; the block is its turn.

        Raises:
            Closed: its turn will not come.
        """
        with self._moved:
            while self._next != ticket and not self._closed:
                self._moved.wait(TICK)
            if self._closed:
                raise Closed
        yield
        # Only after success: whoever fails in its turn ends the run, and nobody may come after it.
        with self._moved:
            self._next += 1
            self._moved.notify_all()

    def close(self) -> None:
        """Whoever waits, or comes, gets ``Closed``."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
