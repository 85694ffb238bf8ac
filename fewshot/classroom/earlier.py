"""Classes that an earlier version kept in folders, taken into the database once."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.classroom.consent import Consent
from fewshot.classroom.names import folded
from fewshot.database import Database
from fewshot.database.tables import ClassRow, ConsentRow, IdentityRow, PhotoRow, StudentRow, SupportRow
from fewshot.errors import StoreError
from fewshot.models import home
from fewshot.prototypes.store import PrototypeStore

ROSTER = "roster.json"


def import_earlier(database: Database) -> list[str]:
    """Take every ``classes/<name>/`` of the program's folder into the database, and delete the folder.

    Returns:
        Names of the classes that were taken over.

    Raises:
        StoreError: a folder is damaged, or the database knows another class of that name. Both are left as they are.
    """
    parent = home() / "classes"
    if not parent.is_dir():
        return []
    folders = sorted(folder for folder in parent.iterdir() if (folder / ROSTER).is_file())
    for folder in folders:
        record = _read(folder)
        with database.write() as session:
            _take(session, folder, record)
        # In this order: a crash in between leaves both, and what is there already is not taken twice.
        shutil.rmtree(folder)
    return [folder.name for folder in folders]


def _read(folder: Path) -> dict[str, Any]:
    """Students of a roster by name."""
    path = folder / ROSTER
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["version"] != 1:
            raise ValueError(f"version {record['version']}")
        students: dict[str, Any] = record["students"]
        for entry in students.values():
            Consent.from_json(entry["consent"])
            for photo in entry["photos"].values():
                date.fromisoformat(photo["enrolled"])
    except OSError as error:
        raise StoreError(f"The roster {path} cannot be read ({error.strerror or error}). Change its rights.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"The roster {path} of an earlier fewshot is damaged. It was left as it is; restore it from a copy, or "
            f"move the folder {folder} away and enroll the class again."
        ) from error
    return students


def _take(session: Session, folder: Path, record: dict[str, Any]) -> None:
    there = session.scalar(select(ClassRow.id).where(ClassRow.folded == folded(folder.name)))
    if there is not None:
        known = set(session.scalars(select(PhotoRow.sha256).join(StudentRow).where(StudentRow.class_id == there)))
        if {sha256 for entry in record.values() for sha256 in entry["photos"]} <= known:
            return
        raise StoreError(
            f"An earlier fewshot kept a class in {folder}, and the database has another one of that name. Rename one "
            f"of the two, or move the folder away."
        )
    store = PrototypeStore.load(folder)
    row = ClassRow(
        name=folder.name, folded=folded(folder.name), network=store.network, dimension=store.dimension,
        identity_network=store.identity_network, identity_dimension=store.identity_dimension,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for name, entry in record.items():
        student = StudentRow(class_id=row.id, name=name)
        session.add(student)
        session.flush()
        consent = Consent.from_json(entry["consent"])
        session.add(
            ConsentRow(
                student_id=student.id, given_by=consent.given_by, day=consent.day, purpose=consent.purpose,
                until=consent.until,
            )
        )  # fmt: skip
        _take_vectors(session, student, entry["photos"], store)


def _take_vectors(session: Session, student: StudentRow, photos: dict[str, Any], store: PrototypeStore) -> None:
    rows = {
        sha256: PhotoRow(
            student_id=student.id, sha256=sha256, fingerprint=photo["fingerprint"], emotion=photo["emotion"],
            enrolled=date.fromisoformat(photo["enrolled"]),
        )
        for sha256, photo in photos.items()
    }  # fmt: skip
    session.add_all(rows.values())
    session.flush()
    supports, references = store.supports_of(student.name), store.identities_of(student.name)
    for vector, emotion, sha256 in zip(supports.vectors, supports.emotions, supports.photos, strict=True):
        if sha256 not in rows:
            continue  # not on the roster: no consent speaks for it
        session.add(
            SupportRow(
                student_id=student.id, photo_id=rows[sha256].id, emotion=emotion, network=store.network, vector=vector
            )
        )
    for vector in references:
        session.add(IdentityRow(student_id=student.id, network=store.identity_network, vector=vector))
