"""What was erased, in the database and in a small file beside it, so that no backup brings it back.

The file holds numbers and times only, and no name. It outlives the database: a backup that is restored after the
database was lost is cleaned by it.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.database.columns import now
from fewshot.database.contents import LAST_REMOVAL
from fewshot.database.erased_tables import ErasedRow, InstallationRow, Kind
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.numbers_given import highest_numbers
from fewshot.database.owner import LOCAL
from fewshot.database.tables import ClassRow, ConsentRow, OwnerRow, PhotoRow, SettingRow, StudentRow
from fewshot.errors import StoreError, reason_of
from fewshot.translation import later
from fewshot.vault.durable import write_through

SIDECAR = "erased.json"
_TABLES = {"student": StudentRow, "lesson": LessonRow, "class": ClassRow}

Numbers = dict[Kind, dict[int, int]]
"""Kind -> number of a row -> number of the row that it belongs to (0 without one)."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Removals:
    """What was removed in one installation, in numbers.

    Attributes:
        erased: (kind, number) -> when.
        withdrawn: (number of a student, when the consent was recorded) -> the day from which it is withdrawn.
        highest: table -> the highest number that was ever given to a row.
    """

    erased: dict[tuple[Kind, int], datetime] = field(default_factory=dict)
    withdrawn: dict[tuple[int, datetime], date] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)

    def joined(self, other: Removals) -> Removals:
        """Both together; of an erasure that is in both, the time of this one."""
        keys = {*self.highest, *other.highest}
        highest = {key: max(self.highest.get(key, 0), other.highest.get(key, 0)) for key in keys}
        return Removals(other.erased | self.erased, other.withdrawn | self.withdrawn, highest)


def numbers_of(session: Session) -> Numbers:
    """The numbers of all rows whose erasure is remembered."""
    found: Numbers = {kind: dict.fromkeys(session.scalars(select(row.id)), 0) for kind, row in _TABLES.items()}  # type: ignore[attr-defined,misc]
    found["photo"] = {row.id: row.student_id for row in session.execute(select(PhotoRow.id, PhotoRow.student_id))}
    return found


def remember(session: Session, before: Numbers) -> list[tuple[Kind, int]]:
    """Write down, in the transaction that erases, which rows are there no longer.

    Photos of an erased student are not listed one by one.

    Args:
        session: of the erasure; all changes are flushed.
        before: ``numbers_of`` at its beginning.

    Returns:
        Kind and number of these rows.
    """
    after = numbers_of(session)
    gone: list[tuple[Kind, int]] = []
    at = now()
    for kind in get_args(Kind):
        for number in sorted(before[kind].keys() - after[kind].keys()):
            if kind == "photo" and before[kind][number] not in after["student"]:
                continue
            gone.append((kind, number))
            if session.get(ErasedRow, (kind, number)) is None:
                session.add(ErasedRow(kind=kind, row_id=number, at=at))
    session.flush()
    return gone


def note_removal(session: Session) -> None:
    """Let a backup that was made before be recognised, in the transaction that erases or withdraws."""
    session.merge(SettingRow(key=LAST_REMOVAL, value=uuid.uuid4().hex))


def installation_of(session: Session) -> str:
    """The random id of the installation."""
    row = session.scalar(select(InstallationRow).limit(1))
    if row is None:
        raise StoreError(later("The database does not say which installation it belongs to, so it is damaged."))
    return row.id


def is_unused(session: Session) -> bool:
    """Whether nothing was ever stored in a database, as in one that was made a moment ago."""
    others = select(OwnerRow.id).where(OwnerRow.id != LOCAL)
    stored = (others, select(ClassRow.id), select(LessonRow.id), select(ErasedRow.row_id))
    return all(session.scalar(wanted.limit(1)) is None for wanted in stored)


def removals_of(session: Session) -> Removals:
    """What the database itself remembers."""
    erased = {(row.kind, row.row_id): row.at for row in session.scalars(select(ErasedRow))}
    rows = session.scalars(select(ConsentRow).where(ConsentRow.withdrawn.is_not(None)))
    withdrawn = {(row.student_id, row.recorded): row.withdrawn for row in rows if row.withdrawn is not None}
    return Removals(erased, withdrawn, highest_numbers(session))


def is_kept(path: Path, session: Session) -> bool:
    """Whether the file beside a database holds everything that its tables remember as removed."""
    here = removals_of(session)
    if not here.erased and not here.withdrawn:
        return True
    try:
        kept = read_sidecar(path).get(installation_of(session), Removals())
    except StoreError:
        return False
    return here.erased.keys() <= kept.erased.keys() and here.withdrawn.items() <= kept.withdrawn.items()


def keep_beside(path: Path, session: Session) -> None:
    """Bring the file beside a database up to date. Failures are logged: the erasure itself is complete.

    Args:
        path: of the database.
        session: in a transaction that locks the database, so that two programs do not overwrite each other's file.
    """
    try:
        try:
            kept = read_sidecar(path)
        except StoreError as error:
            sidecar_of(path).replace(path.with_name(f"damaged-{now():%Y%m%d-%H%M%S}-{SIDECAR}"))
            logger.warning("%s A new file was begun.", error.text)
            kept = {}
        here = installation_of(session)
        kept[here] = removals_of(session).joined(kept.get(here, Removals()))
        write_sidecar(path, kept)
    except OSError as error:
        logger.warning(
            "The list of erased rows could not be written to %s (%s). Give your account the right to write there: if "
            "this database is lost, a backup that is restored would bring back what was erased.",
            sidecar_of(path), error.strerror or error,
        )  # fmt: skip


def sidecar_of(path: Path) -> Path:
    """The file beside a database that lists what was erased."""
    return path.with_name(SIDECAR)


def read_sidecar(path: Path) -> dict[str, Removals]:
    """What the file beside a database says, by id of the installation; {} without such a file.

    Raises:
        StoreError: it cannot be read, or is damaged.
    """
    file = sidecar_of(path)
    try:
        record = json.loads(file.read_text(encoding="utf-8"))["installations"]
        return {str(key): _from_json(value) for key, value in record.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = reason_of(error) if getattr(error, "strerror", None) else later("it is damaged")
        raise StoreError(
            later(
                "The list of erased students and lessons, {file}, cannot be read ({reason}). Put a copy of it in "
                "its place, or move it to another folder; what only this list remembers as erased is then not "
                "known any more.",
                file=file,
                reason=reason,
            )
        ) from error


def write_sidecar(path: Path, kept: Mapping[str, Removals]) -> None:
    """Write the file beside a database as a whole. Raises OSError if it cannot be written."""
    record = {"installations": {key: _to_json(removals) for key, removals in kept.items()}}
    write_through(sidecar_of(path), json.dumps(record, indent=1).encode())


def _to_json(removals: Removals) -> dict[str, Any]:
    return {
        "erased": [[kind, number, at.isoformat()] for (kind, number), at in sorted(removals.erased.items())],
        "withdrawn": [[who, at.isoformat(), day.isoformat()] for (who, at), day in sorted(removals.withdrawn.items())],
        "highest": removals.highest,
    }


def _from_json(record: Mapping[str, Any]) -> Removals:
    erased = {(_kind(kind), int(number)): _time(at) for kind, number, at in record["erased"]}
    withdrawn = {(int(who), _time(at)): date.fromisoformat(day) for who, at, day in record["withdrawn"]}
    return Removals(erased, withdrawn, {str(key): int(value) for key, value in record["highest"].items()})


def _kind(kind: str) -> Kind:
    found: Iterable[Kind] = [known for known in get_args(Kind) if known == kind]
    for known in found:
        return known
    raise ValueError(kind)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time
