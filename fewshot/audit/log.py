"""Appends lines to the audit log in the transaction of what they tell, and reads them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from fewshot.audit.bonds import bond_of
from fewshot.audit.chain import BOND, BROKEN, FIRST, Details, Line, next_line
from fewshot.audit.key import Signer, is_signed, signer
from fewshot.database import Database
from fewshot.database.audit_tables import AuditHeadRow, AuditRow, AuditSubjectRow
from fewshot.database.columns import now
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError, StoreError

Event = Literal[
    "enrolled", "looked", "corrected", "exported", "erased", "consent recorded", "consent withdrawn", "logged in",
    "logged out", "login refused", "restored", "token added", "token removed", "check-in closed", "check-in opened",
    "account added", "account removed", "password changed", "password reset", "classes given", "setting changed",
    "keys changed", "backup made",
]  # fmt: skip

logger = logging.getLogger(__name__)
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line of the log, signed.

    Attributes:
        number: of the newest line, and so the count of all lines.
        hash: of the newest line.
        key: public key, hex; "" if it is not signed.
        signature: hex; "" if it is not signed.
    """

    number: int
    hash: str
    key: str
    signature: str

    @property
    def begins(self) -> bool:
        """Nothing was written yet."""
        return self.number == 0 and self.hash == FIRST and not self.signature

    def holds(self) -> bool:
        """Whether the signature is one of the key that is named."""
        return is_signed(self.key, message_of(self.number, self.hash), self.signature)


def message_of(number: int, hash: str) -> bytes:
    """What is signed for a head."""
    return f"fewshot audit head\n{number}\n{hash}".encode()


def append(
    session: Session, owner: str, event: Event, *, student: int | None = None, details: Details | None = None
) -> None:
    """Append a line. It is written when the transaction ends, or not at all.

    Args:
        session: of ``Database.write`` or ``erase``, which lets only one program write at a time.
        owner: id of the account that did it; "" if unknown.
        event: what was done.
        student: number of the student whom it concerns; the log gets a random id in its place.
        details: numbers and fixed words only: no name, title or label, which may hold a name.
    """
    subject, bond = "", ""
    if student is not None:
        subject = subject_of(session, student)
        bond = bond_of(session, student, subject)
    # A second writer waits here for the end of this transaction (PostgreSQL; SQLite has one writer at a time).
    locked = select(AuditHeadRow).where(AuditHeadRow.id == 1).with_for_update()
    head = session.scalar(locked.execution_options(populate_existing=True))
    signs = _signer()
    if head is None:
        head, why = AuditHeadRow(id=1, number=0, hash=FIRST, key="", signature=""), "no head"
        session.add(head)
    else:
        why = _why_broken(head_of(head), signs)
    if event == "restored" and why == "another key":  # of the computer that made the backup, whose log goes on here
        details, why = {**(details or {}), "signed_by": head.key[:16]}, ""
    if why:  # the next signature must not make good what happened before it
        _add(session, head, "", BROKEN, "", {"why": why})
    _add(session, head, owner, event, subject, {**(details or {}), **({BOND: bond} if bond else {})})
    head.key = signs.public if signs else ""
    head.signature = signs.sign(message_of(head.number, head.hash)) if signs else ""
    session.flush()


def note(
    database: Database, owner: Owner, event: Event, *, student: int | None = None, details: Details | None = None
) -> None:
    """Append a line about something that changes no data, in a transaction of its own.

    Reading must work on a full disk too. So if the line cannot be written, a warning says so, and the reading goes on.
    """
    try:
        with database.write() as session:
            append(session, owner.id, event, student=student, details=details)
    except StoreError as error:
        logger.warning("The audit log has no line of this (%s). %s", event, error.text)


def subject_of(session: Session, student: int) -> str:
    """The random id of a student in the log, 32 hex digits; made when it is first needed."""
    row = session.get(AuditSubjectRow, student)
    if row is None:
        row = AuditSubjectRow(student_id=student, subject=secrets.token_hex(16))
        session.add(row)
        session.flush()
    return row.subject


def known_subject(session: Session, student: int) -> str | None:
    """The random id of a student; None if the log has no line about them."""
    row = session.get(AuditSubjectRow, student)
    return None if row is None else row.subject


def head_of(row: AuditHeadRow) -> Head:
    """The head as plain data."""
    return Head(row.number, row.hash, row.key, row.signature)


def read_head(session: Session) -> Head | None:
    """The newest line's number, hash and signature; None if the row is missing, which is damage."""
    row = session.get(AuditHeadRow, 1)
    return None if row is None else head_of(row)


def newest(database: Database) -> Head | None:
    """``read_head`` of a database."""
    with database.read() as session:
        return read_head(session)


def lines_of(session: Session, wanted: Any = None) -> list[Line]:
    """Lines in the order of their numbers; all by default."""
    chosen: Any = select(AuditRow)
    if wanted is not None:
        chosen = wanted
    return [line_of(row) for row in session.scalars(chosen.order_by(AuditRow.number))]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody looks for.

    Attributes:
        events: kinds of lines; empty: all.
        since: time of the first one, UTC, ISO 8601; "" for no limit.
        until: time before which the last one was written; "" for no limit.
    """

    events: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""


def count_for(database: Database, owner: Owner, wanted: Wanted) -> int:
    """How many lines an owner may see; see ``latest``."""
    with database.read() as session:
        return session.scalar(_allowed(select(func.count()).select_from(AuditRow), owner, wanted)) or 0


def known_subjects(database: Database, subjects: Collection[str]) -> set[str]:
    """Those random ids that still lead to a student; the others are of students who were removed."""
    with database.read() as session:
        return set(session.scalars(select(AuditSubjectRow.subject).where(AuditSubjectRow.subject.in_(subjects))))


def latest(database: Database, last: int, owner: Owner, wanted: Wanted = Wanted(), skip: int = 0) -> list[Line]:
    """The latest lines that an owner may see, oldest first: all for whoever manages the installation, else their own.

    Args:
        database: where the log is.
        last: how many, at most.
        owner: who looks.
        wanted: which lines.
        skip: how many still later ones are left out.

    Raises:
        StoreError: the database is damaged or cannot be reached.
    """
    chosen = select(AuditRow).order_by(AuditRow.number.desc()).limit(last).offset(skip)
    with database.read() as session:
        return [line_of(row) for row in session.scalars(_allowed(chosen, owner, wanted))][::-1]


def _allowed(chosen: Select[Any], owner: Owner, wanted: Wanted) -> Select[Any]:
    if not owner.manages:
        chosen = chosen.where(AuditRow.owner == owner.id)
    if wanted.events:
        chosen = chosen.where(AuditRow.event.in_(sorted(wanted.events)))
    if wanted.since:
        chosen = chosen.where(AuditRow.at >= wanted.since)
    if wanted.until:
        chosen = chosen.where(AuditRow.at < wanted.until)
    return chosen


def about(session: Session, subject: str | None, lessons: Sequence[int]) -> list[Line]:
    """All lines about a student, and those of who looked at or exported one of these lessons."""
    shared = AuditRow.event.in_(["looked", "exported"])
    found = lines_of(session, select(AuditRow).where(or_(AuditRow.subject == subject, shared)))
    return [line for line in found if line.subject == subject or (not line.subject and _lesson(line) in lessons)]


def _lesson(line: Line) -> int | str | bool | None:
    return line.told().get("lesson")


def line_of(row: AuditRow) -> Line:
    """A row as plain data."""
    return Line(row.number, row.at, row.owner, row.event, row.subject, row.details, row.previous, row.hash)


def _add(session: Session, head: AuditHeadRow, owner: str, event: str, subject: str, details: Details) -> None:
    """Add a line behind the head. Lines that somebody added behind it are left, so they can be seen."""
    last = session.scalar(select(func.max(AuditRow.number))) or 0
    at = now().isoformat(timespec="microseconds")
    line = next_line(max(last, head.number) + 1, at, owner, event, subject, details, head.hash)
    session.add(
        AuditRow(
            number=line.number, at=line.at, owner=owner, event=event, subject=subject, details=line.details,
            previous=line.previous, hash=line.hash,
        )
    )  # fmt: skip
    head.number, head.hash = line.number, line.hash
    session.flush()


def _signer() -> Signer | None:
    """What signs; None with a warning if the key cannot be used. A removal must not wait for a file that is lost."""
    try:
        return signer()
    except FewshotError as error:
        if error.text not in _warned:
            _warned.add(error.text)
            logger.warning(error.text)
        return None


def _why_broken(head: Head, signs: Signer | None) -> str:
    """Why the head that a new line continues is not as this program left it, in a word of ``chain``; "" if it is."""
    if head.begins or signs is None:
        return ""
    if not head.signature:
        return "unsigned"
    if not head.holds():
        return "signature"
    return "" if head.key == signs.public else "another key"
