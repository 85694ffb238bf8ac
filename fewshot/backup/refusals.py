"""What a restore refuses, so that it replaces nothing that somebody uses or that knows more than the copy."""

from __future__ import annotations

from datetime import datetime

from fewshot.database.columns import now
from fewshot.errors import StoreError
from fewshot.session.liveness import is_at_work


def refuse_running(number: int, owner: str, heartbeat: datetime) -> None:
    """Raises StoreError if a lesson that did not end runs now.

    Args:
        number: of the lesson.
        owner: the program that records it.
        heartbeat: when this program wrote last.
    """
    if is_at_work(owner, heartbeat, now()):
        raise StoreError(
            f"Lesson {number} runs now, so the database was not replaced. End the lesson, then type the same "
            "command again."
        )


def refuse_removed(found: tuple[int, int], before: tuple[int, int]) -> None:
    """Raises StoreError if something was removed since the copy was made.

    Args:
        found: how much the database remembers now as erased and as withdrawn.
        before: the same when the copy was made.
    """
    if found != before:
        raise StoreError(
            "Something was removed from the database in the meantime. Nothing was changed. Type the same command again."
        )
