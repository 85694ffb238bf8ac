"""Tokens: how a program uses the service for a teacher, with the rights and the classes that its token names."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.checksums import sha256_of_secret
from fewshot.classroom.class_rows import class_of
from fewshot.classroom.names import check_name, quoted
from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, OwnerRow
from fewshot.database.token_tables import TokenClassRow, TokenRow
from fewshot.errors import StoreError, UsageError

SCOPES = {
    "read": "see rosters, lessons and reports",
    "enroll": "add students and their photos",
    "forget": "remove students with all their data",
    "analyze": "send single pictures",
    "lesson": "send a lesson, mark moments, correct readings",
    "metrics": "see the figures of the service",
}
"""What a token may be allowed to do."""

DAYS = 365
"""A token ends after so many days if nobody chooses another time."""
BEGINS = "fewshot_"
"""The first letters of every token, so that a search for lost secrets finds one."""
_NOTED = timedelta(hours=1)
_LONGEST = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as a list shows it, and what it allows.

    Attributes:
        id: its number, never used again.
        owner: for whom it works.
        name: what a person called it.
        scopes: keys of ``SCOPES``.
        classes: number -> name of the classes that it may use; None: all classes of its owner, also later ones.
        created, expires, used: aware; ``used`` is exact to an hour, None if it never was.
    """

    id: int
    owner: Owner
    name: str
    scopes: frozenset[str]
    classes: dict[int, str] | None
    created: datetime
    expires: datetime
    used: datetime | None = None


class Tokens:
    """The tokens in a database. Every answer is read from it, so another program can remove one at any time.

    Args:
        database: None uses the default database.
        clock: the current time in UTC; for tests.
    """

    def __init__(self, database: Database | None = None, clock: Callable[[], datetime] = now) -> None:
        self.database, self._clock = database or open_database(), clock

    def add(
        self,
        owner: Owner,
        name: str,
        scopes: Collection[str],
        classes: Sequence[str] | None = None,
        days: int = DAYS,
    ) -> tuple[str, Token]:
        """Make a token for an owner.

        Args:
            owner: for whom it works.
            name: what to call it, such as the computer that gets it.
            scopes: keys of ``SCOPES``.
            classes: names of the classes that it may use; None allows all classes of the owner.
            days: after how many days it ends.

        Returns:
            Its text, 256 random bits, which is stored nowhere; and the token.

        Raises:
            UsageError: there is no such class or scope, the name cannot be used, or the owner has no classes.
        """
        plain, wanted = check_name(name, "token"), _scopes(owner, scopes)
        if not 1 <= days <= 3650:
            raise UsageError(f"A token cannot hold for {days} days. Give 1 to 3650.")
        text, when = BEGINS + secrets.token_urlsafe(32), self._clock()
        with self.database.write() as session:
            row = TokenRow(
                token=sha256_of_secret(text), owner_id=owner.id, name=plain, scopes=sorted(wanted),
                all_classes=classes is None, created=when, expires=when + timedelta(days=days),
            )  # fmt: skip
            session.add(row)
            session.flush()
            for number in {class_of(session, owner, each).id for each in classes or ()}:
                session.add(TokenClassRow(token_id=row.id, class_id=number))
            append(session, owner.id, "token added", details={"token": row.id})
            session.flush()
            return text, _token(session, row, owner)

    def all(self) -> list[Token]:
        """All tokens of all owners, also those that have ended, in the order in which they were made."""
        with self.database.read() as session:
            wanted = select(TokenRow, OwnerRow).join(OwnerRow, OwnerRow.id == TokenRow.owner_id).order_by(TokenRow.id)
            return [_token(session, row, owner.plain()) for row, owner in session.execute(wanted).all()]

    def remove(self, id: int) -> Token:
        """Remove a token; it opens nothing from now on. Returns it as it was.

        Raises:
            UsageError: there is no such token.
        """
        with self.database.write() as session:
            found = _found(session, TokenRow.id == id) if abs(id) < 2**63 else None
            if found is None:
                raise UsageError(f"There is no token {id}.", hint="To see the tokens, type: fewshot tokens list")
            session.execute(delete(TokenRow).where(TokenRow.id == id))
            append(session, found.owner.id, "token removed", details={"token": id})
            return found

    def find(self, text: str) -> Token | None:
        """The token with this text; None if there is none, or it has ended."""
        if not text.startswith(BEGINS) or len(text) > _LONGEST or not text.isascii():
            return None
        return self._holding(TokenRow.token == sha256_of_secret(text))

    def get(self, id: int) -> Token | None:
        """The token with this number; None if it was removed or has ended."""
        return self._holding(TokenRow.id == id)

    def _holding(self, which: object) -> Token | None:
        with self.database.read() as session:
            found = _found(session, which)
        when = self._clock()
        if found is None or found.expires <= when:
            return None
        if found.used is None or when - found.used > _NOTED:
            self._note_used(found.id, when)
        return found

    def _note_used(self, id: int, when: datetime) -> None:
        try:
            with self.database.write() as session:
                session.execute(update(TokenRow).where(TokenRow.id == id).values(used=when))
        except StoreError as error:  # a full disk must not keep anybody from reading
            logger.warning("the use of a token could not be noted: %s", error.text)


def _scopes(owner: Owner, scopes: Collection[str]) -> set[str]:
    wanted = set(scopes)
    unknown = sorted(wanted - SCOPES.keys())
    if unknown or not wanted:
        said = f"There is no right {', '.join(unknown)}." if unknown else "A token needs at least one right."
        raise UsageError(
            f"{said} Rights: {', '.join(SCOPES)}.",
            hint="For example: fewshot tokens add NAME --scope read --scope analyze",
        )
    if not owner.teaches and wanted != {"metrics"}:
        raise UsageError(
            f"{owner.name} is an administrator, who has no classes. Such a token may only have the right metrics.",
            hint=f"Type: fewshot tokens add NAME --scope metrics --as {quoted(owner.name)}",
        )
    return wanted


def _found(session: Session, which: object) -> Token | None:
    wanted = select(TokenRow, OwnerRow).join(OwnerRow, OwnerRow.id == TokenRow.owner_id).where(which)  # type: ignore[arg-type]
    found = session.execute(wanted).one_or_none()
    return None if found is None else _token(session, found[0], found[1].plain())


def _token(session: Session, row: TokenRow, owner: Owner) -> Token:
    classes = None
    if not row.all_classes:
        # A class that was given to another teacher meanwhile is not this token's any more.
        wanted = select(ClassRow).join(TokenClassRow, TokenClassRow.class_id == ClassRow.id)
        rows = session.scalars(wanted.where(TokenClassRow.token_id == row.id, ClassRow.owner_id == owner.id)).all()
        classes = {each.id: each.name for each in rows}
    scopes = frozenset(row.scopes) & SCOPES.keys()
    return Token(row.id, owner, row.name, frozenset(scopes), classes, row.created, row.expires, row.used)
