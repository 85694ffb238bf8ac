"""Consent: a student is enrolled only with a recorded consent, and recognised only until it ends."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fewshot.classroom.names import check_name
from fewshot.errors import UsageError

PURPOSE = "readings of facial expression in this class"
CONSENT_FILE = "consent.csv"
COLUMNS = ("student", "given_by", "date", "purpose", "until")


@dataclass(frozen=True, slots=True)
class Consent:
    """Who allowed a student's enrollment, when, for what, and until when.

    Attributes:
        given_by: the person who gave it: the student, or a person who may decide for the student.
        day: the day on which it was given.
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
        """Whether the consent is valid on a day: not ended and not withdrawn."""
        return (self.until is None or day <= self.until) and (self.withdrawn is None or day < self.withdrawn)

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


def parse_day(text: str, where: str) -> date:
    """Parse a date written like 2026-11-20.

    Args:
        text: the date.
        where: where it was found, for the error message.

    Raises:
        UsageError: it is written in another way, or there is no such day.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{where}: {text!r} is not a date. Write it like 2026-11-20.") from error


def make_consent(given_by: str, until: str | date | None = None, today: date | None = None) -> Consent:
    """The record for ``--consent-by WHO --consent-until DATE``.

    Raises:
        UsageError: no person is named, or the consent has ended already.
    """
    today = today or date.today()
    if not given_by.strip():
        raise UsageError(
            "It is not known who gave consent. Name the person.", hint="Example: --consent-by 'her mother, 2026-11-20'"
        )
    end = parse_day(until, "--consent-until") if isinstance(until, str) else until
    if end is not None and end < today:
        raise UsageError(f"This consent ended on {end}. Ask for a new consent, and give its last day.")
    return Consent(given_by.strip(), today, until=end)


def read_consent_file(path: Path) -> dict[str, Consent]:
    """Read ``consent.csv``: one row per student; columns student, given_by, date, and optionally purpose and until.

    Columns are separated by commas or semicolons (Excel writes semicolons in many countries).

    Raises:
        UsageError: a column is missing, a student has two rows, or a row has no student, given_by or date.
    """
    text = _text_of(path)
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=True)
    heads = [(head or "").strip().lower() for head in rows.fieldnames or ()]
    missing = [column for column in COLUMNS[:3] if column not in heads]
    if missing:
        raise UsageError(
            f"{path.name} has no column {', '.join(missing)}. Its first line must be: {','.join(COLUMNS)}."
        )
    rows.fieldnames = heads
    consents: dict[str, Consent] = {}
    for row in rows:
        values = {head: (row.get(head) or "").strip() for head in COLUMNS}
        if not any(values.values()):
            continue
        where = f"{path.name}, line {rows.line_num}"
        student, consent = _consent_of_row(values, where)
        if student in consents:
            raise UsageError(f"{where}: {student} has two rows. Keep only the valid one.")
        consents[student] = consent
    return consents


def _consent_of_row(values: Mapping[str, str], where: str) -> tuple[str, Consent]:
    for column in COLUMNS[:3]:
        if not values[column]:
            raise UsageError(f"{where}: {column} is empty. Every row needs student, given_by and date.")
    until = parse_day(values["until"], where) if values["until"] else None
    consent = Consent(values["given_by"], parse_day(values["date"], where), values["purpose"] or PURPOSE, until)
    return check_name(values["student"], "student"), consent


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be read ({error.strerror}). Check the permissions of the file."
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # plain "CSV" of Excel on Windows
