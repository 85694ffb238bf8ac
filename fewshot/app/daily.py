"""What the app and the service do once a day by themselves: they delete lessons that are too old."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import FewshotError
from fewshot.session.lessons import apply_retention_of_all

DAY = 24 * 3600.0
"""Seconds."""

logger = logging.getLogger(__name__)


@contextmanager
def daily() -> Iterator[None]:
    """Do it at once and then every day, beside what runs inside ``with``."""
    ended = threading.Event()
    start_daily(ended.wait)
    try:
        yield
    finally:
        ended.set()


def start_daily(wait: Callable[[float], object]) -> threading.Thread:
    """Start the thread; the first time is at once. The process may end without it.

    Args:
        wait: waits some seconds and returns whether the thread should end.
    """

    def work() -> None:
        while True:
            once()
            if wait(DAY):
                return

    thread = threading.Thread(target=work, name="fewshot daily", daemon=True)
    thread.start()
    return thread


def once() -> None:
    """Delete the lessons of all teachers that are too old. What fails is logged, and tried again a day later."""
    try:
        apply_retention_of_all(ClassStore(owner=LOCAL_TEACHER).database)
    except FewshotError as error:
        logger.warning(error.text)
