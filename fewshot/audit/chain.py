"""The chain of the audit log as plain data: every line carries the hash of the line before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIRST = "0" * 64
"""What the first line carries as the hash of the line before."""

BROKEN = "broken"
"""Event of a line that the log itself writes when the head that it continues is not signed as it should be."""

BOND = "bond"
"""The detail that binds a line to the key of its student; see ``fewshot.audit.bonds``. It tells a reader nothing."""

MOST = 20
"""Findings that are listed; damage to more lines is only counted."""

Details = Mapping[str, "int | str | bool"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, every field exactly as it was hashed.

    Attributes:
        number: counts from 1 without gaps.
        at: when, UTC, ISO 8601 with microseconds.
        owner: id of the account that did it; "" if unknown.
        event: what was done.
        subject: random id of the student; "" if the line is about no single student.
        details: numbers as JSON, without names.
        previous: hash of the line before.
        hash: of this line.
    """

    number: int
    at: str
    owner: str
    event: str
    subject: str
    details: str
    previous: str
    hash: str

    def right_hash(self, number: int | None = None) -> str:
        """The hash that this line should have, or would have if it had another number."""
        fields = [number or self.number, self.at, self.owner, self.event, self.subject, self.details, self.previous]
        return hashlib.sha256(json.dumps(fields, default=repr).encode()).hexdigest()

    def told(self) -> dict[str, int | str | bool]:
        """The details without the bond; empty if they cannot be read."""
        return {name: value for name, value in self._all().items() if name != BOND}

    @property
    def bond(self) -> str:
        """What binds the line to the key of its student; "" if nothing does."""
        return str(self._all().get(BOND, ""))

    def _all(self) -> dict[str, int | str | bool]:
        try:
            found = json.loads(self.details)
        except (TypeError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def next_line(number: int, at: str, owner: str, event: str, subject: str, details: Details, previous: str) -> Line:
    """A new line with its hash."""
    text = json.dumps(dict(details), sort_keys=True, separators=(",", ":"))
    line = Line(number, at, owner, event, subject, text, previous, "")
    return Line(number, at, owner, event, subject, text, previous, line.right_hash())


@dataclass(slots=True)
class Walk:
    """What a walk along the chain has found.

    Attributes:
        findings: sentences, one per fault, in the order of the lines.
        number, hash: of the last line.
    """

    findings: list[str]
    number: int = 0
    hash: str = FIRST


def walk(lines: Iterable[Line], signed: int = 0) -> Walk:
    """Follow the chain from the first line to the last.

    Args:
        lines: in the order of their numbers.
        signed: number of the newest line according to the signed head; lines up to there must be present.
    """
    found, changed = Walk([]), []
    for line in lines:
        if line.number > found.number + 1:
            found.findings.append(f"{_lines(found.number + 1, line.number - 1)} missing.")
        elif line.previous != found.hash:
            found.findings.append(f"Line {line.number} does not follow the line before it.")
        if line.right_hash() != line.hash:
            changed.append(line)
            found.findings.append(f"Line {line.number} was changed after it was written.")
        elif line.event == BROKEN:
            found.findings.append(f"Line {line.number} notes: {_WHY.get(str(line.told().get('why')), _UNKNOWN)}")
        found.number, found.hash = line.number, line.hash
    if signed > found.number:
        found.findings.append(f"{_lines(found.number + 1, signed)} missing at the end.")
    found.findings = _moved(changed) + found.findings
    return found


_WHY = {
    "no head": "the signed head of the log was missing, so the lines before it are not certain.",
    "unsigned": "the log before it was not signed, so the lines before it are not certain.",
    "another key": "the log before it was signed with another key.",
    "signature": "the signature of the log before it was wrong, so the lines before it are not certain.",
}
_UNKNOWN = "the log before it was damaged."


def _moved(changed: list[Line]) -> list[str]:
    """Lines that stand in each other's place: their own hash is right for another number."""
    numbers = [line.number for line in changed[:MOST]]
    return [
        f"Line {line.number} holds what was written as line {number}: the lines were put in another order."
        for line in changed[:MOST]
        for number in numbers
        if number != line.number and line.right_hash(number) == line.hash
    ]


def _lines(first: int, last: int) -> str:
    return f"Line {first} is" if first == last else f"Lines {first} to {last} are"
