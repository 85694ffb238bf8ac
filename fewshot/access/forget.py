"""Erases a student and writes a signed receipt: what was removed, and what is out of this program's reach."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fewshot.audit.key import is_signed, signer
from fewshot.audit.log import known_subject
from fewshot.backup.make import noted
from fewshot.backup.manage import Shown, managed_places
from fewshot.classroom.blotting import Blotter
from fewshot.classroom.class_rows import class_of, student_of
from fewshot.classroom.export_intents import finish
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, ErasurePending
from fewshot.database.columns import now
from fewshot.database.erased_tables import DroppedKeyRow
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, ParticipantRow, ReadingRow
from fewshot.database.plain_log import what_is_left
from fewshot.database.tables import ConsentRow, IdentityRow, PhotoRow, PortraitRow, StudentRow, SupportRow
from fewshot.errors import StoreError, UsageError
from fewshot.safe_text import printable
from fewshot.translation import ENGLISH, LANGUAGE, later

FORMAT = "fewshot receipt of erasure 1"
OUT_OF_REACH = (
    "Files that somebody saved: reports, tables, videos, pictures, exported data, and the original photos.",
    "An older recovery file together with an older backup or copy of the database, also with texts that name the "
    "student. Backups that somebody made with a passphrase stay as they are.",
    "A backup or copy from before the data was encrypted.",
    "A copy of the whole disk, a snapshot, or a copy of the folder with the keys, if it was made before.",
    "Old blocks of a flash disk or of a copy-on-write file system, where a deleted key may stay for some time.",
    "Texts that contain another form of the name, such as a nickname, only the first name, or an earlier name.",
    "Texts of other classes that name the student.",
)
STILL_SEALED = (
    "Encrypted bytes of the student in the journal of the database, until the program that read it meanwhile has "
    "ended. Their keys are dropped, so nobody can read them."
)
BEHIND = (
    "Managed backups that are named here: they were made before the erasure and could not be replaced yet. Together "
    "with an older recovery file they open what was erased. The next start of fewshot tries again."
)
_COUNTED: Mapping[str, Any] = {
    "photos": PhotoRow, "expression vectors": SupportRow, "identity vectors": IdentityRow, "pictures": PortraitRow,
    "consents": ConsentRow, "corrections": CorrectionRow, "check-ins": CheckInRow,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A student who was erased.

    Attributes:
        receipt: what JSON can hold; it names nobody.
        also: where else the name was replaced, as a sentence; "" if nowhere.
        backups: backups that were made before, and that nobody keeps up to date.
        managed: the managed backups, and whether they were written without the student.
        sealed: whether the student had a key. Only then nobody can open what older backups hold of the student.
        pending: what is still to be done, as sentences, because another program reads the database; "" if nothing.
            The keys are dropped all the same.
    """

    receipt: dict[str, Any]
    also: str
    backups: tuple[Path, ...]
    managed: tuple[Shown, ...]
    sealed: bool
    pending: str = ""


def forget(store: ClassStore, class_name: str, student: str, keep_class: bool = False) -> Forgotten:
    """Erase a student: the data, the name in texts, and the keys that open them in every copy and backup.

    Args:
        store: the classes of the owner.
        class_name: name of the class.
        student: name of the student.
        keep_class: keep the class even if it then has no student and no lesson.

    Raises:
        UsageError: there is no such class or student, or the key that signs receipts cannot be used. Then nothing was
            erased.
        ErasurePending: the student is erased, but what is still in the files can be read, because the student was not
            encrypted or the keys cannot be dropped yet; see ``Database.erase``.
        StoreError: something of the student is left, or the database cannot be used.
    """
    database = store.database
    finish(database)  # of an earlier command that was killed, and is perhaps given again now
    signer()  # an erasure without its receipt could not be made up for
    with database.read() as session:
        row = class_of(session, store.owner, class_name)
        found = student_of(session, row, student)
        number, class_id, key, name = found.id, row.id, found.key, found.name
        held, subject = _count(session, number), known_subject(session, number)
        before = set(session.scalars(select(DroppedKeyRow.key)))
    pending: ErasurePending | None = None
    try:
        also = store.remove_student(class_name, name, keep_class)
    except ErasurePending as error:
        also, pending = error.also, error
    with database.read() as session:
        dropped = set(session.scalars(select(DroppedKeyRow.key))) - before
        left = session.get(StudentRow, number) is not None or any(_count(session, number).values())
    open_still = {key, *dropped} & set(database.vault.names())
    if pending is not None and (open_still or not key):
        raise pending  # what is left in the files could still be read
    if left or open_still:
        raise StoreError(
            later("Something of the student is still in the database {database}.", database=database.url),
            hint="Type the same command again; if it says that there is no such student, restart fewshot, which "
            "finishes the erasure.",
        )
    beside, (managed, behind) = database.beside, _managed(database, Blotter(name))
    backups = () if beside is None else tuple(file for file in noted(beside) if file.exists())
    receipt = {
        "format": FORMAT, "receipt": secrets.token_hex(16), "at": now().isoformat(timespec="seconds"),
        "account": store.owner.id, "class": class_id, "student": subject or "", "removed": held,
        "keys_dropped": len(dropped), "texts": printable(Blotter(name)(also)), "left": 0,
        "backups_before": len(backups),
        "managed_renewed": sum(shown.current for shown in managed), "managed_older": behind,
        "out_of_reach": [
            *OUT_OF_REACH, *([STILL_SEALED] if pending is not None else []), *([BEHIND] if behind else []),
            *_on_the_server(database),
        ],
    }  # fmt: skip
    words = "" if pending is None else str(pending)
    return Forgotten(signed(receipt), also, backups, managed, bool(key), words)


def _on_the_server(database: Database) -> list[str]:
    """See ``what_is_left``; a receipt is in English, in every language of the app."""
    before = LANGUAGE.set(ENGLISH)
    try:
        return what_is_left(database)
    finally:
        LANGUAGE.reset(before)


def check_receipt(file: Path) -> bool:
    """Whether a receipt is as this program wrote it, and signed with the key of this installation.

    Raises:
        UsageError: the file cannot be read, or is no receipt.
    """
    try:
        receipt = json.loads(file.read_bytes())
        if receipt["format"] != FORMAT:
            raise ValueError
        public, signature = str(receipt.pop("key")), str(receipt.pop("signature"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is not a receipt of an erasure. Give the file that fewshot forget wrote.") from error
    here = signer(make=False)
    return here is not None and here.public == public and is_signed(public, _message(receipt), signature)


def _managed(database: Database, blot: Blotter) -> tuple[tuple[Shown, ...], list[dict[str, str]]]:
    """The managed backups, and those made before the erasure as the receipt names them: without the student's name."""
    try:
        found = tuple(managed_places(database))
    except StoreError as error:
        return (), [{"file": "", "written": "", "why": error.text}]
    behind = [shown.place for shown in found if not shown.current]
    return found, [
        {
            "file": printable(blot(str(place.file))),
            "written": place.written,
            "why": printable(blot(place.logged())),
        }
        for place in behind
    ]


def _count(session: Session, student: int) -> dict[str, int]:
    """How many rows of each kind there are of a student."""
    found = {
        what: session.scalar(select(func.count()).select_from(table).where(table.student_id == student)) or 0
        for what, table in _COUNTED.items()
    }
    mine = select(ParticipantRow.id).where(ParticipantRow.student_id == student)
    seconds = select(func.count()).select_from(ReadingRow).where(ReadingRow.participant_id.in_(mine))
    lessons = select(func.count(func.distinct(ParticipantRow.lesson_id))).where(ParticipantRow.student_id == student)
    return found | {"seconds of readings": session.scalar(seconds) or 0, "lessons": session.scalar(lessons) or 0}


def signed(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt with the signature of this installation; see ``check_receipt``."""
    signs = signer()
    if signs is None:
        return receipt | {"key": "", "signature": ""}
    return receipt | {"key": signs.public, "signature": signs.sign(_message(receipt))}


def _message(receipt: dict[str, Any]) -> bytes:
    return json.dumps(receipt, sort_keys=True, ensure_ascii=True).encode()
