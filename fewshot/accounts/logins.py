"""Running logins: a random token in a cookie, and its SHA-256 in the database, so that every login can be ended."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.checksums import sha256_of_secret
from fewshot.classroom.names import folded
from fewshot.database import Database
from fewshot.database.account_tables import LoginRow, PasswordRow
from fewshot.database.columns import now
from fewshot.database.owner import Owner
from fewshot.database.tables import OwnerRow
from fewshot.errors import UsageError
from fewshot.translation import later

IDLE = timedelta(hours=12)
"""A login ends when nobody has done anything for this time."""
ABSOLUTE = timedelta(days=7)
"""A login ends after this time in any case."""
KEPT = timedelta(days=30)
"""Ended logins are deleted after this time."""
IN_SCOPE = "fewshot_login"
"""Key of an ASGI scope: the ``Login`` that the gate before the app has found. No browser can set it."""
_TOKEN_BYTES = 32
_LONGEST_TOKEN = 64
_LONGEST_MARK = 90


@dataclass(frozen=True, slots=True)
class Login:
    """A login that holds now.

    Attributes:
        id: of its row; it opens nothing.
        owner: who is logged in.
        must_change: the password was given by somebody else, so another one must be chosen first.
    """

    id: int
    owner: Owner
    must_change: bool = False


class Logins:
    """The logins in a database. Every answer is read from it, so another program can end them at any time.

    Args:
        database: where they are.
        clock: the current time in UTC; for tests.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self.database, self._clock = database, clock

    def begin(self, owner: Owner, changed: datetime | None = None) -> str:
        """Begin a login and return its token, 256 random bits, which is stored nowhere.

        Args:
            owner: who logs in.
            changed: ``changed_at`` before the password was compared; None if it was not a password.

        Raises:
            UsageError: the account was removed, or got another password in the meantime.
        """
        token, when = secrets.token_urlsafe(_TOKEN_BYTES), self._clock()
        with self.database.write() as session:
            refuse_changed(session, owner, changed)
            session.execute(delete(LoginRow).where(or_(LoginRow.created < when - KEPT, LoginRow.ended < when - KEPT)))
            session.add(LoginRow(token=sha256_of_secret(token), owner_id=owner.id, created=when, seen=when))
            append(session, owner.id, "logged in")
        return token

    def changed_at(self, name: str) -> datetime | None:
        """When the account with this name got its password; None if there is none."""
        wanted = select(PasswordRow).join(OwnerRow, OwnerRow.id == PasswordRow.owner_id)
        with self.database.read() as session:
            row = session.scalar(wanted.where(OwnerRow.folded == folded(name)))
            return None if row is None else row.changed

    def mark(self, token: str) -> str:
        """What a browser keeps, besides the token, to show later that its user was here once; it opens nothing."""
        with self.database.read() as session:
            row = session.scalar(select(LoginRow).where(LoginRow.token == sha256_of_secret(token)))
            return "" if row is None else f"{row.id}.{_marked(row)}"

    def was_here(self, mark: str, name: str) -> bool:
        """Whether somebody logged in under this name in the browser with this mark, within ``KEPT``."""
        number, _, rest = mark.partition(".")
        if len(mark) > _LONGEST_MARK or len(number) > 18 or not (mark.isascii() and number.isdecimal()):
            return False
        wanted = select(LoginRow).join(OwnerRow, OwnerRow.id == LoginRow.owner_id)
        with self.database.read() as session:
            row = session.scalar(wanted.where(LoginRow.id == int(number), OwnerRow.folded == folded(name)))
            return row is not None and hmac.compare_digest(_marked(row), rest)

    def find(self, token: str) -> Login | None:
        """The login that a cookie's value belongs to; None if there is none, or it has ended."""
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        return self._one(_selected().where(LoginRow.token == sha256_of_secret(token)))

    def get(self, id: int) -> Login | None:
        """The login with this id; None if it has ended."""
        return self._one(_selected().where(LoginRow.id == id))

    def touch(self, id: int) -> None:
        """Note that somebody did something in a login. It is no activity once the login has ended."""
        when = self._clock()
        holds = (LoginRow.id == id, LoginRow.ended.is_(None), LoginRow.seen > when - IDLE)
        with self.database.write() as session:
            session.execute(update(LoginRow).where(*holds).values(seen=when))

    def end(self, id: int) -> None:
        """End a login. It is not an error if it has ended already."""
        self._end(LoginRow.id == id)

    def end_all(self, owner: Owner, besides: int | None = None) -> None:
        """End all logins of an owner, besides one."""
        self._end(LoginRow.owner_id == owner.id, LoginRow.id != (-1 if besides is None else besides))

    def running(self) -> dict[str, int]:
        """How many logins hold, by the owner's id."""
        found: dict[str, int] = {}
        with self.database.read() as session:
            rows = session.execute(select(LoginRow).where(LoginRow.ended.is_(None))).scalars()
            for row in rows:
                if self._holds(row):
                    found[row.owner_id] = found.get(row.owner_id, 0) + 1
        return found

    def last(self) -> dict[str, datetime]:
        """When each owner logged in for the last time, as far as it is kept; by the owner's id."""
        with self.database.read() as session:
            rows = session.scalars(select(LoginRow).order_by(LoginRow.created))
            return {row.owner_id: row.created for row in rows}

    def _one(self, wanted: Any) -> Login | None:
        with self.database.read() as session:
            found = session.execute(wanted).one_or_none()
            if found is None or not self._holds(found[0]):
                return None
            row, owner, password = found
            return Login(row.id, owner.plain(), password is not None and password.must_change)

    def _holds(self, row: LoginRow) -> bool:
        when = self._clock()
        return row.ended is None and when - row.seen < IDLE and when - row.created < ABSOLUTE

    def _end(self, *which: object) -> None:
        with self.database.write() as session:
            running = (LoginRow.ended.is_(None), *which)
            rows = session.scalars(select(LoginRow).where(*running)).all()  # type: ignore[arg-type]
            held = [row.owner_id for row in rows if self._holds(row)]  # the others had ended by themselves
            for row in rows:
                row.ended = self._clock()
            for owner in held:
                append(session, owner, "logged out")


def _selected() -> Any:
    return (
        select(LoginRow, OwnerRow, PasswordRow)
        .join(OwnerRow, OwnerRow.id == LoginRow.owner_id)
        .join(PasswordRow, PasswordRow.owner_id == LoginRow.owner_id, isouter=True)
    )


def refuse_changed(session: Session, owner: Owner, changed: datetime | None) -> None:
    """Refuse what was allowed by a password that another transaction has replaced since.

    Args:
        session: that is about to write.
        owner: whose password it was.
        changed: see ``Logins.begin``.

    Raises:
        UsageError: the account was removed, or has another password.
    """
    password = session.get(PasswordRow, owner.id)
    if session.get(OwnerRow, owner.id) is None or (
        changed is not None and (password is None or password.changed != changed)
    ):
        raise UsageError(later("This account was changed or removed a moment ago. Log in again."))


def _marked(row: LoginRow) -> str:
    return hmac.new(row.token.encode(), b"was here", hashlib.sha256).hexdigest()
