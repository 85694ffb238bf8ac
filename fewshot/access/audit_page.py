"""The audit log as people read it: on the command line, and as pages of the app with filters and a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fewshot.audit.chain import BROKEN, Line
from fewshot.audit.log import Wanted, count_for, known_subjects, latest, newest
from fewshot.audit.verify import verify
from fewshot.classroom.owners import Owners
from fewshot.database import Database, open_database
from fewshot.database.owner import Owner
from fewshot.errors import UsageError
from fewshot.translation import later, tr, tr_n

KINDS: Mapping[str, str] = {
    "enrolled": later("enrolled"),
    "looked": later("looked"),
    "corrected": later("corrected"),
    "exported": later("exported"),
    "erased": later("erased"),
    "consent recorded": later("consent recorded"),
    "consent withdrawn": later("consent withdrawn"),
    "check-in closed": later("check-in closed"),
    "check-in opened": later("check-in opened"),
    "logged in": later("logged in"),
    "logged out": later("logged out"),
    "login refused": later("login refused"),
    "password changed": later("password changed"),
    "password reset": later("password reset"),
    "classes given": later("classes given"),
    "token added": later("token added"),
    "token removed": later("token removed"),
    "account added": later("account added"),
    "account removed": later("account removed"),
    "setting changed": later("setting changed"),
    "keys changed": later("keys changed"),
    "backup made": later("backup made"),
    "restored": later("restored"),
    BROKEN: later("chain broken"),
}
"""Event -> the words for it."""

AT_ONCE = 50
"""Lines on a page."""

_DETAILS: Mapping[str, str] = {
    "class": later("class {value}"),
    "lesson": later("lesson {value}"),
    "classes": later("classes: {value}"),
    "lessons": later("lessons: {value}"),
    "students": later("students: {value}"),
    "photos": later("photos: {value}"),
    "token": later("token {value}"),
    "account": later("account {value}"),
    "receiver": later("to account {value}"),
    "to": later("now: {value}"),
    "live": later("while it ran: {value}"),
    "undone": later("undone: {value}"),
    "signed_by": later("signed until then with the key {value}"),
    "later_lines_kept": later("later lines kept: {value}"),
}
_WORDS: Mapping[object, str] = {
    True: later("yes"),
    False: later("no"),
    "report": later("report"),
    "student": later("student"),
    "name": later("name"),
    "photo": later("photo"),
    "lesson": later("lesson"),
    "old lesson": later("old lesson"),
    "data of the student": later("data of the student"),
    "files of a run": later("files of a run"),
    "label of a photo": later("label of a photo"),
    "picture on the card": later("picture on the card"),
    "days that lessons are kept": later("days that lessons are kept"),
    "days that lessons may be kept": later("days that lessons may be kept"),
    "counts only": later("counts only"),
    "pictures on cards": later("pictures on cards"),
    "acknowledgement": later("acknowledgement"),
    "connection": later("connection"),
    "key replaced": later("key replaced"),
    "recovery file": later("recovery file"),
    "keys imported": later("keys imported"),
    "everything encrypted": later("everything encrypted"),
    "file": later("file"),
    "managed backup": later("managed backup"),
    "managed backup ended": later("managed backup ended"),
    "too many tries": later("too many tries"),
    "wrong name or password": later("wrong name or password"),
    "not invited": later("not invited"),
}


def log_rows(database: Database, last: int, owner: Owner) -> list[tuple[str, str, str, str, str, str]]:
    """The latest lines of the audit log that an owner may see, oldest first.

    Returns:
        Number, time (UTC), account, event, random id of the student, and details of each line.
    """
    names = {one.id: one.name for one in Owners(database).all()}
    return [
        (
            str(line.number),
            str(line.at)[:19].replace("T", " "),
            names.get(line.owner, "unknown" if not line.owner else "removed account"),
            str(line.event),
            str(line.subject),
            ", ".join(f"{name} {value}" for name, value in line.told().items()),
        )
        for line in latest(database, last, owner)
    ]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the log, newest line first.

    Attributes:
        total: how many lines there are with these filters.
        rows: for a table, with its headings in the reader's language.
    """

    total: int
    rows: list[dict[str, str]]

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // AT_ONCE))


@dataclass(frozen=True, slots=True)
class Check:
    """What a check of the whole log found.

    Attributes:
        holds: whether each line is as it was written, and the last one is signed.
        text: the result as a sentence.
        findings: what is wrong, as sentences.
    """

    holds: bool
    text: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log of a database, as one account may see it.

    Attributes:
        database: where it is.
        owner: who looks: whoever manages the installation sees all lines, a teacher their own.
    """

    database: Database
    owner: Owner

    @classmethod
    def here(cls, owner: Owner) -> AuditLog:
        """Of this installation. Raises StoreError if the database cannot be used."""
        return cls(open_database(owner=owner.id), owner)

    def page(
        self, number: int = 1, kinds: frozenset[str] = frozenset(), first: date | None = None, last: date | None = None
    ) -> Page:
        """A page of lines.

        Args:
            number: of the page, from 1.
            kinds: events; empty: all.
            first, last: days in UTC, both included; None for no limit.
        """
        wanted = Wanted(
            kinds,
            "" if first is None else first.isoformat(),
            "" if last is None or last == date.max else (last + timedelta(days=1)).isoformat(),
        )
        lines = latest(self.database, AT_ONCE, self.owner, wanted, (number - 1) * AT_ONCE)[::-1]
        names = {one.id: one.name for one in Owners(self.database).all()}
        known = known_subjects(self.database, {line.subject for line in lines if line.subject})
        return Page(count_for(self.database, self.owner, wanted), [_row(line, names, known) for line in lines])

    def count(self) -> int:
        """How many lines the account may see."""
        return count_for(self.database, self.owner, Wanted())

    def check(self, kept: str = "") -> Check:
        """Check the whole log.

        Args:
            kept: an earlier head; see ``fewshot.audit.verify.verify``.

        Raises:
            UsageError: ``kept`` is no head, or the account is a teacher's, who does not see the other lines.
        """
        self._must_manage()
        checked = verify(self.database, kept)
        if checked.findings:
            text = tr_n(
                "The log has {number} line and is not as it was written. Compare it with a backup, and find out who "
                "could write to its file.",
                "The log has {number} lines and is not as it was written. Compare it with a backup, and find out who "
                "could write to its file.",
                checked.count,
            )
            return Check(False, text, checked.findings)
        return Check(
            True,
            tr_n(
                "The log is whole: {number} line, as it was written and signed.",
                "The log is whole: {number} lines, each as it was written, and the last one is signed.",
                checked.count,
            ),
        )

    def head(self) -> tuple[str, int]:
        """The signed head as one line of text to keep elsewhere, and the number of its line; ("", 0) without one.

        Raises:
            UsageError: the account is a teacher's.
        """
        self._must_manage()
        head = newest(self.database)
        if head is None or not head.signature:
            return "", 0
        return f"{head.number} {head.hash} {head.key} {head.signature}\n", head.number

    def _must_manage(self) -> None:
        if not self.owner.manages:
            raise UsageError(tr("Only an administrator checks the whole log."))


def _row(line: Line, names: Mapping[str, str], known: set[str]) -> dict[str, str]:
    removed = line.subject and line.subject not in known
    return {
        tr("Line"): str(line.number),
        tr("When (UTC)"): str(line.at)[:19].replace("T", " "),
        tr("Account"): names.get(line.owner, tr("removed account") if line.owner else tr("unknown")),
        tr("What"): tr(KINDS[line.event]) if line.event in KINDS else line.event,
        tr("Student (random number)"): f"{line.subject[:12]} ({tr('removed')})" if removed else line.subject[:12],
        tr("Details"): ", ".join(_detail(name, value) for name, value in line.told().items()),
    }


def _detail(name: str, value: object) -> str:
    word = tr(_WORDS[value]) if isinstance(value, bool | str) and value in _WORDS else str(value)
    if name in ("what", "why"):
        return word
    return tr(_DETAILS[name], value=word) if name in _DETAILS else f"{name} {word}"
