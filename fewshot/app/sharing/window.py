"""A window that a browser shares, as a live source. The server asks for every picture, so the server sets the pace."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from fewshot.api.feed import decoded
from fewshot.app.browser_source import IDLE, PATIENCE, BrowserSource
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.live.sparing import CALL_FPS, call_rate
from fewshot.session.stored_words import WINDOW
from fewshot.translation import later, together, tr
from fewshot.types import Frame

WIDTH = 1920
"""Pixels of the width of a picture that is sent at most: 49 faces need all of a full screen."""
QUALITY = 0.85
"""Of the JPEG, 0..1."""
AHEAD = 2
"""Pictures that the browser is asked for before one has come: over a slow line, one would halve the pace."""
SLOW = 1.0
"""Seconds for an answer from which on only one picture is asked for at a time: two would be older, and not more."""
NO_ANSWER = 10.0
"""Seconds after which another picture is asked for, though one is missing. Over a very slow line it still comes."""
LOST, MOST_OPEN = 60.0, 2 * AHEAD
"""Seconds after which a missing picture will not come; how many may be missing, so that a slow line queues nothing."""

CHOOSE = later("Click “Choose the window” and pick the window of the call.")


class SharedWindow(BrowserSource):
    """A box for one JPEG file. It also decides when the browser may send the next one.

    Args:
        owner: the teacher who may send pictures.
        pace: pictures per second to ask for.
        patience: seconds without a picture after which the source ends.
        clock: monotonic seconds.

    Attributes:
        ticket: whoever sends pictures must know it. It is random and names nothing.
        token: with it, a page that is loaded again before the lesson finds the window. It is random and opens nothing.
    """

    never = CHOOSE

    def __init__(
        self,
        owner: Owner = LOCAL_TEACHER,
        pace: float = CALL_FPS,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(WINDOW, patience, clock)
        self.owner = owner
        self.ticket, self.token = secrets.token_urlsafe(18), secrets.token_urlsafe(6)
        self._pace, self._due = 1 / pace, float("-inf")
        self._sender: object | None = None
        self._stopped, self._turned = False, clock()
        self._asked: list[float] = []
        self._took = 0.0
        self._newest: tuple[bytes, Frame | None] | None = None
        self._replacing = threading.Lock()
        self._unfit: str | None = None

    @property
    def connected(self) -> bool:
        """Whether a browser is there that shares a window."""
        return self._sender is not None and not self._stopped

    @property
    def away(self) -> str | None:
        """A sentence while no picture comes, else None."""
        quiet, limit = self.quiet, max(IDLE, 2 * self._took) if self.connected else IDLE
        if quiet < limit:
            return (self._unfit and tr(self._unfit)) or self._late
        if self._stopped:
            return tr(
                "The window is no longer shared. The lesson waits. Click “Choose the window” and pick the window of "
                "the call."
            )
        turned = self._clock() - self._turned
        if self._sender is None:
            if not self.received:
                return tr("Waiting for the window. Click “Choose the window” and pick the window of the call.")
            return tr(
                "The tab that shares the window has been away for {seconds} s. It will connect again. If it was closed "
                "or loaded again: Click “Choose the window” and pick the window of the call.",
                seconds=f"{turned:.0f}",
            )
        missing = min(quiet, turned)  # what was missed before this browser came is not its fault
        if missing < limit:
            return None
        return tr("No picture from the shared window for {seconds} s. The lesson waits.", seconds=f"{missing:.0f}")

    @property
    def _late(self) -> str | None:
        if not self.connected or self._took < IDLE:
            return None
        return tr(
            "A picture of the shared window takes {seconds} s to come, so what you see is that late. The line or the "
            "computer is slow.",
            seconds=f"{self._took:.0f}",
        )

    @property
    def is_free(self) -> bool:
        """Whether no lesson has taken it."""
        return not self.closed and not self.taking

    def set_pace(self, pace: float) -> None:
        """From now on, ask for this many pictures per second."""
        self._pace = 1 / pace

    def connect(self) -> object:
        """A browser has come; it takes the place of the one before. Returns what names it in the other methods."""
        self._sender, self._stopped, self._turned = object(), False, self._clock()
        self._asked, self._took = [], 0.0
        return self._sender

    def disconnect(self, sender: object) -> None:
        """A browser has gone; it may come back."""
        if self._sender is sender:
            self._sender, self._turned = None, self._clock()

    def is_current(self, sender: object) -> bool:
        """Whether no other browser has come since."""
        return self._sender is sender

    def stop(self) -> None:
        """The person has stopped to share."""
        self._stopped = True

    def ask(self) -> bool:
        """Whether the browser should be asked for a picture now. A "yes" counts as asked."""
        now = self._clock()
        self._asked = [at for at in self._asked if now - at < LOST]
        ahead = sum(now - at < NO_ANSWER for at in self._asked)
        if not self.taking or self.closed or self._stopped or now < self._due:
            return False
        if ahead >= (AHEAD if self._took < SLOW else 1) or len(self._asked) >= MOST_OPEN:
            return False
        # A little late is made up for, a pause is not.
        self._due = (self._due if now - self._due < self._pace else now) + self._pace
        self._asked.append(now)
        return True

    def answer(self, picture: bytes | None) -> bool:
        """A picture that was asked for has come, or the browser has none. Returns whether one was asked for.

        Args:
            picture: a JPEG file; b"" means that the window has not changed; None that there is no picture yet.
        """
        if not self._asked:
            return False
        self._took = self._clock() - self._asked.pop(0)
        with self._replacing:
            if picture:
                self._newest = (picture, None)
            newest = self._newest
        if picture is not None and newest is not None:
            self.push(newest[0])
        return True

    def _pixels(self, frame: bytes) -> Frame | None:
        newest = self._newest
        if newest is not None and newest[0] is frame and newest[1] is not None:
            return newest[1]  # the window has not changed
        try:
            pixels = decoded(frame)
        except UsageError as error:
            self._unfit = together(later("A picture of the shared window was left out."), error.text)
            self.notes[:] = [self._unfit]  # one is enough for a lesson
            return None
        self._unfit = None
        with self._replacing:  # a newer one may have come meanwhile
            if self._newest is not None and self._newest[0] is frame:
                self._newest = (frame, pixels)
        return pixels


WINDOWS: WeakValueDictionary[str, SharedWindow] = WeakValueDictionary()
"""Ticket -> the window of a page or lesson of this process, as long as that page or lesson holds it."""


def new_window(owner: Owner) -> SharedWindow:
    """A window of this process that a browser may be asked to share."""
    window = SharedWindow(owner, call_rate())
    WINDOWS[window.ticket] = window
    return window


def found_again(token: str, owner: Owner) -> SharedWindow | None:
    """The owner's window with this token, if no lesson has taken it yet."""
    windows = list(WINDOWS.values())
    return next((one for one in windows if one.token == token and one.owner.id == owner.id and one.is_free), None)
