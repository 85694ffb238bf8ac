"""Consent: a student is enrolled only with a recorded consent, and recognised only until it ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from fewshot.classroom.csv_text import decoded, table_rows
from fewshot.classroom.dates import day_comes_first, parse_day
from fewshot.classroom.names import check_name
from fewshot.errors import UsageError, reason_of
from fewshot.safe_text import xml_text
from fewshot.translation import later, together

PURPOSE = "readings of facial expression in this class"
CONSENT_FILE = "consent.csv"
COLUMNS = ("student", "given_by", "date", "purpose", "until")
_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet takes text that begins so for a formula, unless an apostrophe stands before it."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Who allowed a student's enrollment, when, for what, and until when.

    Attributes:
        given_by: the person who gave it: the student, or a person who may decide for the student.
        day: the day on which it was given; it is not valid before.
        purpose: what it was given for.
        until: the last day on which it is valid; None without an end.
        withdrawn: the day on which it was withdrawn; from this day on it is not valid.
    """

    given_by: str
    day: date
    purpose: str = PURPOSE
    until: date | None = None
    withdrawn: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the consent is valid on a day: given by then, not ended and not withdrawn."""
        return not self.why_not(day)

    def why_not(self, day: date) -> str:
        """Why the consent is not valid on a day, in words; "" if it is."""
        if day < self.day:
            return later("the consent is dated {day}, which is in the future", day=self.day)
        if self.withdrawn is not None and day >= self.withdrawn:
            return later("the consent was withdrawn on {day}", day=self.withdrawn)
        return (
            later("the consent ended on {day}", day=self.until) if self.until is not None and day > self.until else ""
        )

    @classmethod
    def from_json(cls, record: Mapping[str, str | None]) -> Consent:
        """A record of an earlier version's roster."""
        until = record.get("until")
        return cls(
            given_by=record["given_by"] or "",
            day=date.fromisoformat(record["date"] or ""),
            purpose=record.get("purpose") or PURPOSE,
            until=date.fromisoformat(until) if until else None,
        )


SAMPLE_CONSENT = Consent("not needed: a sample class has no real people", date(2026, 1, 1), "trying the program")
"""The consent record of a sample class."""


def make_consent(given_by: str, until: str | date | None = None, today: date | None = None) -> Consent:
    """The record for ``--consent-by WHO --consent-until DATE``.

    Raises:
        UsageError: no person is named, or the consent has ended already.
    """
    today = today or date.today()
    if not given_by.strip():
        raise UsageError(
            later("It is not known who gave consent. Name the person."),
            hint="Example: --consent-by 'her mother, 2026-11-20'",
        )
    end = parse_day(until, "--consent-until") if isinstance(until, str) else until
    if end is not None and end < today:
        raise UsageError(later("This consent ended on {day}. Ask for a new consent, and give its last day.", day=end))
    return Consent(xml_text(given_by).strip(), today, until=end)


@dataclass(slots=True)
class ConsentList:
    """What ``consent.csv`` says.

    Attributes:
        consents: student -> consent.
        problems: student -> what is wrong with this student's row. It costs nobody else.
        faults: what is wrong with rows that name no student.
    """

    consents: dict[str, Consent] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Everybody who has a row."""
        return {*self.consents, *self.problems}


def read_consent_list(path: Path, names: Collection[str] = ()) -> ConsentList:
    """Read ``consent.csv``: one row per student; columns student, given_by, date, and optionally purpose and until.

    Encodings, separators and dates may be those of spreadsheets (``csv_text``, ``dates``).

    Args:
        path: of the file.
        names: students who should be in it; they tell the encoding if the file does not.

    Raises:
        UsageError: the file cannot be read, or a column is missing.
    """
    try:
        text = decoded(path.read_bytes(), names)
    except OSError as error:
        raise UsageError(
            later(
                "{file} cannot be read ({reason}). Check the permissions of the file.",
                file=path.name,
                reason=reason_of(error),
            )
        ) from error
    heads, lines = table_rows(text, COLUMNS)
    missing = [column for column in COLUMNS[:3] if column not in heads]
    if missing:
        raise UsageError(
            later(
                "{file} has no column {columns}. Its first line must be: {all}.",
                file=path.name,
                columns=", ".join(missing),
                all=",".join(COLUMNS),
            )
        )
    rows = [(line, {head: _cell(row.get(head, "")) for head in COLUMNS}) for line, row in lines if any(row.values())]
    day_first = day_comes_first([row[column] for _, row in rows for column in ("date", "until")])
    found = ConsentList()
    for line, row in rows:
        _add_row(found, row, later("{file}, line {line}", file=path.name, line=line), day_first)
    return found


def _cell(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


def write_consent_list(students: Iterable[str], consents: Mapping[str, Consent]) -> bytes:
    """``consent.csv`` for these students, to be filled in with a spreadsheet and read by ``read_consent_list``.

    Args:
        students: one row each.
        consents: student -> a consent that is known; the rows of the others have only a name.

    Returns:
        UTF-8 with byte order mark. A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for student in students:
        row, known = [student, "", "", PURPOSE, ""], consents.get(student)
        if known is not None:
            until = known.until.isoformat() if known.until else ""
            row = [student, known.given_by, known.day.isoformat(), known.purpose, until]
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _add_row(found: ConsentList, row: Mapping[str, str], where: str, day_first: bool | None) -> None:
    try:
        if not row["student"]:
            raise UsageError(
                later("{where}: student is empty. Every row needs student, given_by and date.", where=where)
            )
        student = check_name(row["student"], "student")
    except UsageError as error:
        found.faults.append(error.text if error.text.startswith(where) else together(f"{where}:", error.text))
        return
    try:
        consent = _consent_of_row(row, where, day_first)
    except UsageError as error:
        found.problems.setdefault(student, error.text)
        return
    if found.consents.setdefault(student, consent) != consent:
        found.problems[student] = later(
            "{where}: {student} has two rows. Keep only the valid one.", where=where, student=student
        )


def _consent_of_row(row: Mapping[str, str], where: str, day_first: bool | None) -> Consent:
    if not row["given_by"] and not row["date"]:
        raise UsageError(
            later(
                "{where}: nobody has given consent for {student} yet. Fill in given_by and date.",
                where=where,
                student=row["student"],
            )
        )
    for column in COLUMNS[1:3]:
        if not row[column]:
            raise UsageError(
                later(
                    "{where}: {column} is empty. Every row needs student, given_by and date.",
                    where=where,
                    column=column,
                )
            )
    until = parse_day(row["until"], where, day_first) if row["until"] else None
    return Consent(row["given_by"], parse_day(row["date"], where, day_first), row["purpose"] or PURPOSE, until)
