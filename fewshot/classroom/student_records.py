"""What is stored about single students of a class: consents, photos, and the picture on their card."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.audit.log import Event, append
from fewshot.classroom.class_rows import (
    class_of,
    consent_of,
    consents_of,
    photo_of,
    student_of,
    students_of,
)
from fewshot.classroom.consent import Consent
from fewshot.classroom.names import alike, canonical, check_name
from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.database.erased import note_removal
from fewshot.database.owner import LOCAL_TEACHER, Owner, teacher
from fewshot.database.tables import ConsentRow, PortraitRow, StudentRow, SupportRow
from fewshot.errors import UsageError
from fewshot.translation import later

LARGEST_PORTRAIT = 200_000
"""Bytes."""


class StudentRecords:
    """The part of ``ClassStore`` that is about one student at a time; its arguments are described there."""

    def __init__(self, database: Database | None = None, owner: Owner = LOCAL_TEACHER) -> None:
        self.owner = teacher(owner)
        self.database = database or open_database(owner=owner.id)

    def consents(self, name: str, student: str) -> list[Consent]:
        """All recorded consents of a student; the last one is the latest, which is the valid one."""
        with self.database.read() as session:
            return consents_of(session, student_of(session, class_of(session, self.owner, name), student).id)

    def record_consent(self, name: str, student: str, consent: Consent) -> None:
        """Record a consent. A student who is not in the class yet is added without photos.

        Raises:
            UsageError: there is no such class, or the student's name cannot be used.
        """
        self.record_consents(name, [student], consent)

    def record_consents(self, name: str, students: Iterable[str], consent: Consent) -> None:
        """Record one consent for several students: for all or, after an error, for none. See ``record_consent``."""
        keys = [check_name(student, "student") for student in students]
        with self.database.write() as session:
            row = class_of(session, self.owner, name)
            known = {other.name: other for other in students_of(session, row.id)}
            for key in keys:
                other = None if key in known else similar_name(key, known)
                if other is not None and canonical(other) == key:
                    known[key] = known[other]
                elif other is not None:
                    raise UsageError(
                        later(
                            "{student!r} and {other!r}, who is in class {classroom!r}, differ only in upper and "
                            "lower case. If this is the same student, write {other}. If not, use another name, "
                            "such as {student} 2.",
                            student=key,
                            other=other,
                            classroom=row.name,
                        )
                    )
                if key not in known:
                    known[key] = StudentRow(class_id=row.id, name=key)
                    session.add(known[key])
            session.flush()
            for key in keys:
                self._record(session, known[key], consent)

    def withdraw_consent(self, name: str, student: str, day: date | None = None) -> None:
        """Record that consent was withdrawn on ``day`` (default: today). From that day the student is not recognised.

        Raises:
            UsageError: there is no such class or student, or no consent to withdraw.
        """
        with self.database.write() as session:
            found = student_of(session, class_of(session, self.owner, name), student)
            latest = select(ConsentRow).where(ConsentRow.student_id == found.id).order_by(ConsentRow.id.desc()).limit(1)
            consent = session.scalar(latest)
            if consent is None:
                raise UsageError(
                    later("There is no consent on record for {student!r}, so it cannot be withdrawn.", student=student)
                )
            consent.withdrawn = day or date.today()
            self._note(session, "consent withdrawn", found)
            note_removal(session)
        self.database.keep_removals()
        self.database.renew_managed()

    def remove_photo(self, name: str, student: str, sha256: str) -> None:
        """Remove one photo and its vectors. It is not an error if the photo is already removed."""
        with self.database.erase() as session:
            found = student_of(session, class_of(session, self.owner, name), student)
            photo = photo_of(session, found.id, sha256)
            if photo is not None:
                session.delete(photo)
                self._note(session, "erased", found, what="photo")

    def label_photo(self, name: str, student: str, sha256: str, emotion: str) -> None:
        """Change the label of an enrolled photo. It is not an error if the photo is already removed.

        Raises:
            UsageError: there is no such class or student.
        """
        with self.database.write() as session:
            found = student_of(session, class_of(session, self.owner, name), student)
            photo = photo_of(session, found.id, sha256)
            if photo is not None:
                photo.emotion = emotion
                self._note(session, "corrected", found, what="label of a photo")
                for support in session.scalars(select(SupportRow).where(SupportRow.photo_id == photo.id)):
                    support.emotion = emotion

    def portrait(self, name: str, student: str) -> bytes | None:
        """The picture (JPEG) for a student's card; None unless the teacher saved one."""
        with self.database.read() as session:
            row = session.get(PortraitRow, student_of(session, class_of(session, self.owner, name), student).id)
            return row.picture if row else None

    def set_portrait(self, name: str, student: str, picture: bytes | None) -> None:
        """Store a small JPEG for a student's card, or delete it (None).

        Raises:
            UsageError: there is no such class or student, or the picture is not a JPEG or too large.
        """
        if picture is not None and (not picture.startswith(b"\xff\xd8") or len(picture) > LARGEST_PORTRAIT):
            raise UsageError(
                later(
                    "The picture on a student's card must be a JPEG file of at most {most} kB. Use a smaller one.",
                    most=LARGEST_PORTRAIT // 1000,
                )
            )
        with self.database.erase() as session:
            found = student_of(session, class_of(session, self.owner, name), student)
            had = session.scalar(select(PortraitRow.student_id).where(PortraitRow.student_id == found.id)) is not None
            session.execute(delete(PortraitRow).where(PortraitRow.student_id == found.id))
            if picture is not None:
                session.add(PortraitRow(student_id=found.id, picture=picture, made=now()))
                self._note(session, "enrolled", found, what="picture on the card")
            elif had:
                self._note(session, "erased", found, what="picture on the card")

    def _record(self, session: Session, student: StudentRow, consent: Consent) -> None:
        """Add a consent to a student's history, unless it equals the latest one."""
        if consent_of(session, student.id) != consent:
            session.add(
                ConsentRow(
                    student_id=student.id, given_by=consent.given_by, day=consent.day, purpose=consent.purpose,
                    until=consent.until, withdrawn=consent.withdrawn,
                )
            )  # fmt: skip
            self._note(session, "consent recorded", student)

    def _note(self, session: Session, event: Event, student: StudentRow, **details: int | str) -> None:
        """Append a line about a student to the audit log."""
        append(session, self.owner.id, event, student=student.id, details={"class": student.class_id, **details})


def similar_name(name: str, others: Iterable[str]) -> str | None:
    """The first other name that differs from this one only in case or in characters that cannot be seen."""
    return next((other for other in others if alike(other) == alike(name)), None)
