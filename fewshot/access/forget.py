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
from fewshot.classroom.class_rows import class_of, student_of
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.erased_tables import DroppedKeyRow
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, ParticipantRow, ReadingRow
from fewshot.database.plain_log import what_is_left
from fewshot.database.tables import ConsentRow, IdentityRow, PhotoRow, PortraitRow, StudentRow, SupportRow
from fewshot.errors import StoreError, UsageError
from fewshot.translation import ENGLISH, LANGUAGE

FORMAT = "fewshot receipt of erasure 1"
OUT_OF_REACH = (
    "Files that somebody saved: reports, tables, videos, pictures, exported data, and the original photos.",
    "An older recovery file together with an older backup or copy of the database.",
    "A backup or copy from before the data was encrypted.",
    "A copy of the whole disk, a snapshot, or a copy of the folder with the keys, if it was made before.",
    "Old blocks of a flash disk or of a copy-on-write file system, where a deleted key may stay for some time.",
    "Texts that contain a form of the name which is another word, such as a nickname.",
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
        backups: backups that were made before.
        sealed: whether the student had a key. Only then nobody can open what older backups hold of the student.
    """

    receipt: dict[str, Any]
    also: str
    backups: tuple[Path, ...]
    sealed: bool


def forget(store: ClassStore, class_name: str, student: str, keep_class: bool = False) -> Forgotten:
    """Erase a student: the data, the name in texts, and the keys that open them in every copy and backup.

    Args:
        store: the classes of the owner.
        class_name: name of the class.
        student: name of the student.
        keep_class: keep the class even if it then has no student and no lesson.

    Raises:
        UsageError: there is no such class or student.
        ErasurePending: the student is erased, but bytes are still in the file; see ``Database.erase``.
        StoreError: something of the student is left, or the database cannot be used.
    """
    database = store.database
    with database.read() as session:
        row = class_of(session, store.owner, class_name)
        found = student_of(session, row, student)
        number, class_id, key, name = found.id, row.id, found.key, found.name
        held, subject = _count(session, number), known_subject(session, number)
        before = set(session.scalars(select(DroppedKeyRow.key)))
    also = store.remove_student(class_name, name, keep_class)
    with database.read() as session:
        dropped = set(session.scalars(select(DroppedKeyRow.key))) - before
        left = session.get(StudentRow, number) is not None or any(_count(session, number).values())
    if left or {key, *dropped} & set(database.vault.names()):
        raise StoreError(
            f"Something of the student is still in the database {database.url}. Type the same command again; if it "
            "says that there is no such student, restart fewshot, which finishes the erasure."
        )
    path = database.path
    backups = () if path is None else tuple(file for file in noted(path) if file.exists())
    receipt = {
        "format": FORMAT, "receipt": secrets.token_hex(16), "at": now().isoformat(timespec="seconds"),
        "account": store.owner.id, "class": class_id, "student": subject or "", "removed": held,
        "keys_dropped": len(dropped), "texts": also, "left": 0, "backups_before": len(backups),
        "out_of_reach": [*OUT_OF_REACH, *_on_the_server(database)],
    }  # fmt: skip
    return Forgotten(signed(receipt), also, backups, bool(key))


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
