"""Tickets: a browser's WebSocket cannot send a header, so a short-lived text in its address opens it, once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from fewshot.checksums import sha256_of_secret
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.token_tables import TicketRow

HOLDS = timedelta(seconds=60)
"""A ticket must be used within this time."""
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket stands for: the number of a token or of a login; the other one is None."""

    token: int | None
    login: int | None


class Tickets:
    """The tickets in a database, so that a ticket of one process opens a WebSocket of another.

    Args:
        database: where they are.
        clock: the current time in UTC; for tests.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self._database, self._clock = database, clock

    def make(self, token: int | None = None, login: int | None = None) -> str:
        """Make a ticket for a token or a login, and forget those that were not used in time. Returns its text."""
        text, when = secrets.token_urlsafe(32), self._clock()
        with self._database.write() as session:
            session.execute(delete(TicketRow).where(TicketRow.expires <= when))
            session.add(TicketRow(ticket=sha256_of_secret(text), token_id=token, login_id=login, expires=when + HOLDS))
        return text

    def use(self, text: str) -> Ticket | None:
        """Use a ticket up. None if there is no such ticket, it was used, or it has ended."""
        if not text or len(text) > _LONGEST or not text.isascii():
            return None
        wanted = select(TicketRow).where(TicketRow.ticket == sha256_of_secret(text))
        with self._database.read() as session:  # who makes tickets up must not hold up those who write
            if session.scalar(wanted) is None:
                return None
        with self._database.write() as session:
            row = session.scalar(wanted)
            if row is None:
                return None
            found, expires = Ticket(row.token_id, row.login_id), row.expires
            # Two processes may have read the row; the one that deletes it has the ticket.
            gone: Any = session.execute(delete(TicketRow).where(TicketRow.ticket == sha256_of_secret(text)))
            return found if gone.rowcount == 1 and expires > self._clock() else None
