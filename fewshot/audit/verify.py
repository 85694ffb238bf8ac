"""Checks the audit log: is every line as it was written, and is the newest one the one that was signed?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.audit.bonds import Bonds
from fewshot.audit.chain import MOST, Line, walk
from fewshot.audit.key import is_signed, signer
from fewshot.audit.log import Head, line_of, message_of, read_head
from fewshot.database import Database
from fewshot.database.audit_tables import AuditRow
from fewshot.errors import FewshotError, UsageError

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Attributes:
        count: lines that are there.
        findings: sentences on what is wrong; empty if everything is as it was written.
    """

    count: int
    findings: tuple[str, ...]


def verify(database: Database, kept: str = "") -> Checked:
    """Check all lines and the head.

    Args:
        database: where the log is.
        kept: an earlier head, as ``fewshot audit head`` printed it and somebody kept it elsewhere; "" for none.

    Raises:
        UsageError: ``kept`` is not such a head.
        StoreError: the database is damaged or cannot be reached.
    """
    before = _kept(kept) if kept else None
    with database.read() as session:
        if session.get_bind().dialect.name == "postgresql":  # head and lines must be of one moment
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        head, seen, bonds = read_head(session), _Seen(before), Bonds()
        found = walk(bonds.watch(seen.watch(_all(session))), head.number if head else 0)
        findings = [*found.findings, *bonds.findings(session)]
    if head is None:
        findings.append("The signed head of the log is missing, so lines may be missing at the end.")
    else:
        findings += _of_head(head, found.number, found.hash, seen)
    if before is not None:
        findings += _of_kept(before, seen)
    rest = len(findings) - MOST
    if rest > 0:
        findings = [*findings[:MOST], f"There are {rest} more findings."]
    return Checked(seen.count, tuple(findings))


class _Seen:
    """Counts the lines that pass, and remembers the hash of the line that a kept head names."""

    def __init__(self, kept: Head | None) -> None:
        self.count, self.hash, self._kept = 0, "", kept

    def watch(self, lines: Iterator[Line]) -> Iterator[Line]:
        for line in lines:
            self.count += 1
            if self._kept is not None and line.number == self._kept.number:
                self.hash = line.hash
            yield line


def _all(session: Session) -> Iterator[Line]:
    rows = session.scalars(select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=_CHUNK))
    yield from map(line_of, rows)


def _of_head(head: Head, number: int, hash: str, seen: _Seen) -> Iterator[str]:
    if head.begins:
        if seen.count:
            yield "The log has lines, but its head says that none was written: the head was replaced."
        return
    if number > head.number:
        yield f"The head names line {head.number}, but there are lines up to {number}: they were added unsigned."
    elif number == head.number and hash != head.hash:
        yield f"Line {number} is not the line that was signed: it, or lines before it, were written anew."
    if not head.signature:
        yield "The head of the log is not signed. The key could not be used when the last line was written."
    elif not head.holds():
        yield "The signature of the head is wrong: the head was changed, so lines may be missing at the end."
    else:
        yield from _of_key(head)


def _of_key(head: Head) -> Iterator[str]:
    """Anybody can sign with a key of their own, so it must be this computer's."""
    try:
        signs = signer(make=False)
    except FewshotError as error:
        yield error.text
        return
    if signs is None:
        yield (
            "The key of this computer is missing, so it cannot be told whether the head was signed here. Put a backup "
            "of the key in its place, or check the log on the computer that writes it."
        )
    elif signs.public != head.key:
        yield "The head was signed with another key than the one of this computer."


def _of_kept(kept: Head, seen: _Seen) -> Iterator[str]:
    if not seen.hash and kept.number:
        yield f"The kept head names line {kept.number}, which is missing now."
    elif seen.hash != kept.hash and kept.number:
        yield f"Line {kept.number} is not the line of the kept head: it, or lines before it, were written anew."


def _kept(text: str) -> Head:
    parts = text.split()
    if len(parts) != 4 or not parts[0].isdecimal() or len(parts[0]) > 18:
        raise UsageError(
            "This is not a head of the log. Expected the four words that were printed: number, hash, key, signature.",
            hint='To print the present one, type: fewshot audit head. Give an earlier one as --kept "NUMBER HASH ..."',
        )
    head = Head(int(parts[0]), *parts[1:])
    if not is_signed(head.key, message_of(head.number, head.hash), head.signature):
        raise UsageError("The signature of the kept head is wrong, so nothing was compared. Copy the whole line again.")
    return head
