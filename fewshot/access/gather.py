"""Collects everything that the database holds about one student, as plain data for JSON."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.access.others import hidden_in_label, hidden_others, is_named
from fewshot.access.readings import lesson_data
from fewshot.audit.log import about, known_subject
from fewshot.classroom.class_rows import class_of, student_of, students_of
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, LessonRow, MarkerRow, ParticipantRow
from fewshot.database.owner import Owner
from fewshot.database.tables import (
    ClassRow,
    ConsentRow,
    IdentityRow,
    OwnerRow,
    PhotoRow,
    PortraitRow,
    StudentRow,
    SupportRow,
)  # fmt: skip
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings

Held = dict[str, Any]
"""What JSON can hold: texts, numbers, truth values, None, lists and dictionaries of them."""

FORMAT = "fewshot student data 1"

NOT_KEPT = (
    "No video and no sound of any lesson.",
    "No enrolled photo and no name of its file: only numbers that were computed from it.",
    "No picture of the face, except the small one on the student's card, if the teacher saved one.",
    "No faces, and no numbers from faces, of people who are not enrolled.",
    "Prototypes, charts and reports: they are computed from the data below when they are shown.",
)
ELSEWHERE = (
    "Files that the teacher saved (videos, reports, tables, pictures), backups, and the original photos. They are not "
    "in this program's database. Ask the teacher about them.",
    "Consents of other students, notes about them, and lessons without a class, also where they name this student.",
    "Names of other students. In texts that people wrote, [another student] stands in their place.",
)


def gather(database: Database, owner: Owner, class_name: str, student: str) -> Held:
    """Everything about a student, with dates in ISO 8601 and times in UTC.

    Args:
        database: where the class is.
        owner: the teacher to whom the class belongs, and who makes the export.
        class_name: name of the class.
        student: name of the student.

    Raises:
        UsageError: there is no such class or student.
        StoreError: the database is damaged or cannot be reached.
    """
    with database.read() as session:
        row = class_of(session, owner, class_name)
        found = student_of(session, row, student)
        names = [other.name for other in students_of(session, row.id) if other.id != found.id]
        hide, named = hidden_others(found.name, names), is_named(found.name, names)
        held = _held(session, owner, row, found, hide)
        mine = select(ParticipantRow.lesson_id).where(ParticipantRow.student_id == found.id)
        lessons = sorted({*session.scalars(mine), *_naming(session, row, named)})
        subject = known_subject(session, found.id)
        log = about(session, subject, lessons)
        accounts = {one.id: one.name for one in session.scalars(select(OwnerRow))}
        name = found.name
    store = LessonStore(database, owner)
    held["lessons"] = [lesson_data(store.load(lesson), name, hide, named) for lesson in lessons]
    held["settings"] = _settings(database, owner)
    held["id_in_the_history"] = subject
    held["history"] = [
        {
            "at": line.at,
            "account": accounts.get(line.owner, "an account that was removed"),
            "event": line.event,
            "details": line.told(),
        }
        for line in log
    ]
    held["not_kept"], held["elsewhere"] = list(NOT_KEPT), list(ELSEWHERE)
    return held


def _held(session: Session, owner: Owner, row: ClassRow, student: StudentRow, hide: Callable[[str], str]) -> Held:
    photos = session.scalars(select(PhotoRow).where(PhotoRow.student_id == student.id).order_by(PhotoRow.id)).all()
    label = partial(hidden_in_label, hide=hide)
    hashes = {photo.id: photo.sha256 for photo in photos}
    return {
        "format": FORMAT,
        "made": _text(now()),
        "made_by": owner.name,
        "student": student.name,
        "added": _text(student.created),
        "class": hide(row.name),
        "sample_class": row.sample,
        "consents": [
            {
                "given_by": hide(consent.given_by), "day": _text(consent.day), "purpose": hide(consent.purpose),
                "until": _text(consent.until), "withdrawn": _text(consent.withdrawn),
                "recorded": _text(consent.recorded),
            }
            for consent in _of(session, ConsentRow, student)
        ],
        "photos": [
            {
                "sha256": photo.sha256, "label": label(photo.emotion), "enrolled": _text(photo.enrolled),
                "face_pixels": photo.size, "sharpness": photo.sharpness, "fingerprint": photo.fingerprint,
            }
            for photo in photos
        ],
        "portrait": _portrait(session, student),
        "expression_vectors": [
            {
                "photo": hashes.get(one.photo_id or -1), "correction": one.correction_id, "label": label(one.emotion),
                "network": one.network, "made": _text(one.made), "numbers": one.vector.tolist(),
            }
            for one in _of(session, SupportRow, student)
        ],
        "identity_vectors": [
            {"photo": hashes.get(one.photo_id or -1), "network": one.network, "numbers": one.vector.tolist()}
            for one in _of(session, IdentityRow, student)
        ],
        "corrections": [
            {
                "number": one.id, "lesson": one.lesson_id, "second": one.second, "predicted": label(one.said),
                "corrected_to": label(one.actually), "made": _text(one.made), "undone": _text(one.undone),
            }
            for one in _of(session, CorrectionRow, student)
        ],
        "check_ins": [
            {"lesson": one.lesson_id, "answer": one.answer, "note": hide(one.note or ""), "closed": _text(one.made)}
            for one in _of(session, CheckInRow, student)
        ],
    }  # fmt: skip


def _naming(session: Session, row: ClassRow, named: Callable[[str], bool]) -> set[int]:
    """Numbers of the lessons of a class whose title, source or markers name the student, who may not be in them."""
    of_class = LessonRow.class_id == row.id
    rows = session.scalars(select(LessonRow).where(of_class))
    found = {one.id for one in rows if named(one.title) or named(one.source)}
    markers = session.scalars(select(MarkerRow).join(LessonRow).where(of_class))
    return found | {marker.lesson_id for marker in markers if named(marker.text)}


def _of(session: Session, table: Any, student: StudentRow) -> Sequence[Any]:
    """All rows of a student in a table, oldest first."""
    return session.scalars(select(table).where(table.student_id == student.id).order_by(table.id)).all()


def _portrait(session: Session, student: StudentRow) -> Held | None:
    row = session.get(PortraitRow, student.id)
    if row is None:
        return None
    return {"made": _text(row.made), "jpeg_base64": base64.b64encode(row.picture).decode("ascii")}


def _settings(database: Database, owner: Owner) -> Held:
    settings = Settings(database, owner)
    return {
        "lessons_keep_counts_only": settings.aggregate_only,
        "pictures_on_cards_allowed": settings.portraits,
        "lessons_deleted_after_days": settings.retention_days,
    }


def _text(when: date | datetime | None) -> str | None:
    return None if when is None else when.isoformat()
