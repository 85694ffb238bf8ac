"""What a lesson says of itself: why it ended early, a note about this moment, and a question while no face is seen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from fewshot.app.next_click import in_the_app
from fewshot.app.no_face import NoFace
from fewshot.errors import FewshotError, Note
from fewshot.translation import later, tr

logger = logging.getLogger(__name__)

OURS = later(
    "The lesson ended because of a fault in fewshot. It is kept up to this point. The details are in fewshot's log."
)
DELETED = later("This lesson was deleted while it ran. Nothing of it is kept.")
NOTE_FOR = 20.0
"""Seconds for which a note about one moment is shown."""


class LessonNotes:
    """The notes of one lesson, in the language of whoever reads them. Every method may be called from any thread.

    Args:
        call: whether a shared call is watched; see ``NoFace``.
        clock: monotonic seconds.

    Attributes:
        no_face: a sink of the lesson that asks where the faces are.
    """

    def __init__(self, call: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.no_face = NoFace(call=call)
        self._clock, self._lock = clock, threading.Lock()
        self._why: Note | str | None = None
        self._told = (0, 0.0)

    def failed(self, error: BaseException) -> None:
        """Keep why the lesson ended; what was no mistake of a user goes into the log."""
        if isinstance(error, FewshotError):
            self._why = Note(error.text, error.hint)
        else:
            logger.error("a lesson failed", exc_info=error)
            self._why = OURS

    def deleted(self) -> None:
        """The lesson was deleted while it ran."""
        self._why = DELETED

    def ending(self) -> str | None:
        """Why the lesson ended before its time; None if it did not."""
        return advice_in_the_app(self._why) if self._why else None

    def latest(self, notes: Sequence[str]) -> str | None:
        """The last note of the engine, for a while: it tells of a moment, such as another size of the picture."""
        with self._lock:
            if len(notes) != self._told[0]:
                self._told = (len(notes), self._clock())
            fresh = self._clock() - self._told[1] < NOTE_FOR
        said = tr(notes[-1]) if notes and fresh else ""
        return said[:1].upper() + said[1:] or None  # it may begin with the name of a source


def advice_in_the_app(one: str | Note) -> str:
    """A sentence of the program as a page shows it."""
    return in_the_app(one) if isinstance(one, Note) else tr(one)
