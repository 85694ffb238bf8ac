"""What the app and the service do once a day by themselves: they delete old lessons and write managed backups."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fewshot.classroom.export_intents import finish
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
    """Finish erasures in exported lessons that were killed, delete the lessons of all teachers that are too old, then
    write the managed backups that are a day old.

    What fails is logged, and tried again a day later.
    """
    for work in (_finish_exports, _delete_old, _write_backups):
        try:
            work()
        except FewshotError as error:
            logger.warning(error.text)


def _finish_exports() -> None:
    finish(ClassStore(owner=LOCAL_TEACHER).database)


def _delete_old() -> None:
    apply_retention_of_all(ClassStore(owner=LOCAL_TEACHER).database)


def _write_backups() -> None:
    ClassStore(owner=LOCAL_TEACHER).database.renew_managed(daily=True)
