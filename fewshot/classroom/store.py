"""Classes and their students in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.audit.log import Event, append
from fewshot.classroom.class_rows import (
    Networks,
    class_of,
    classes_of,
    consent_of,
    consents_of,
    find_class,
    no_such_class,
    photo_of,
    photos_of,
    save_photo,
    student_of,
    students_of,
    vectors_of,
)
from fewshot.classroom.consent import SAMPLE_CONSENT, Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.erased import note_class_erased
from fewshot.classroom.names import alike, canonical, check_name
from fewshot.classroom.roster import Roster, Student
from fewshot.classroom.traces import remove_class_traces, remove_traces
from fewshot.database import Database, ErasurePending, open_database
from fewshot.database.columns import now
from fewshot.database.key_erasure import renew_texts_of
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner, teacher
from fewshot.database.tables import ClassRow, ConsentRow, PortraitRow, StudentRow, SupportRow
from fewshot.database.words import DiskFull
from fewshot.errors import StoreError, UsageError
from fewshot.prototypes.store import PrototypeStore

__all__ = ["ClassStore", "class_names", "no_such_class"]

LARGEST_PORTRAIT = 200_000
"""Bytes."""


class ClassStore:
    """The classes of one owner. Creating an object is cheap; several threads may share one.

    Names of classes ignore upper and lower case: "Physics" and "physics" are one class.

    Args:
        database: None uses the default database.
        owner: the teacher to whom the classes belong. Classes of others can be neither seen nor changed.

    Raises:
        UsageError: the owner is an administrator, who has no classes.
    """

    def __init__(self, database: Database | None = None, owner: Owner = LOCAL_TEACHER) -> None:
        self.owner = teacher(owner)
        self.database = database or open_database()

    def require_writable(self, unless_full: bool = False) -> None:
        """Check, before long work, that a change could be saved.

        Args:
            unless_full: let a full disk pass, because reading still works there.

        Raises:
            StoreError: the database may only be read, cannot be reached, or its disk is full.
        """
        try:
            self.database.require_writable()
        except DiskFull:
            if not unless_full:
                raise

    def names(self) -> list[str]:
        """Names of all classes of the owner, sorted."""
        with self.database.read() as session:
            return sorted(row.name for row in classes_of(session, self.owner.id))

    def spelled(self, name: str) -> str:
        """The name of a class as it was first written; ``name`` in Unicode's composed form if there is no such class.

        Raises:
            UsageError: ``name`` cannot be the name of a class.
        """
        plain = check_name(name, "class")
        with self.database.read() as session:
            row = find_class(session, self.owner, plain)
            return row.name if row else plain

    def exists(self, name: str) -> bool:
        """Whether there is a class with this name."""
        with self.database.read() as session:
            return find_class(session, self.owner, name) is not None

    def is_sample(self, name: str) -> bool:
        """Whether it is a sample class, without real people. Raises UsageError if there is no such class."""
        with self.database.read() as session:
            return class_of(session, self.owner, name).sample

    def create(self, name: str, sample: bool = False) -> str:
        """Create an empty class.

        Args:
            name: of the class.
            sample: it will contain no real people, so no consent is needed.

        Returns:
            The name as it is stored.

        Raises:
            UsageError: a class with this name exists, or the name cannot be used.
        """
        plain = check_name(name, "class")
        with self.database.write() as session:
            if find_class(session, self.owner, plain) is not None:
                raise UsageError(f"There is a class {plain!r} already. Choose another name.")
            session.add(ClassRow(owner_id=self.owner.id, name=plain, sample=sample))
        return plain

    def rename(self, name: str, new: str) -> str:
        """Rename a class; its lessons stay with it. Returns the name as it is stored.

        Nothing of the old name is left in the database's files: it may be the name of a student who was removed.

        Raises:
            UsageError: there is no such class, the new name is taken, or it cannot be used.
            ErasurePending: it is renamed, but the old name is still in the file; see ``Database.erase``.
        """
        plain = check_name(new, "class")
        with self.database.erase() as session:
            row = class_of(session, self.owner, name)
            taken = find_class(session, self.owner, plain)
            if taken is not None and taken.id != row.id:
                raise UsageError(f"There is a class {plain!r} already. Choose another name.")
            row.name = plain
            renew_texts_of(session, row)
        return plain

    def delete(self, name: str) -> None:
        """Delete a class with its students, their vectors and all its lessons.

        Raises:
            UsageError: there is no such class.
            ErasurePending: it is deleted, but its bytes are still in the file; see ``Database.erase``.
        """
        with self.database.erase() as session:
            row = class_of(session, self.owner, name)
            remove_class_traces(session, row)
            note_class_erased(session, row, self.owner.id)
            session.delete(row)

    def roster(self, name: str) -> Roster:
        """The students of a class as they are stored now; empty if there is no such class."""
        with self.database.read() as session:
            row = find_class(session, self.owner, name)
            if row is None:
                return Roster(name)
            students = {}
            photos = photos_of(session, row.id)
            for student in students_of(session, row.id):
                consent = consent_of(session, student.id) or SAMPLE_CONSENT
                students[student.name] = Student(student.name, consent, photos.get(student.id, {}))
            return Roster(row.name, students, row.sample)

    def networks(self, name: str) -> Networks | None:
        """The networks that made the vectors of a class; None while it has no vectors."""
        with self.database.read() as session:
            row = find_class(session, self.owner, name)
            return None if row is None or not row.dimension else Networks.of(row)

    def vectors(self, name: str) -> PrototypeStore | None:
        """The students' supports and identity references, without prototypes; None while there are no vectors.

        Raises:
            StoreError: the vectors are damaged.
        """
        with self.database.read() as session:
            row = find_class(session, self.owner, name)
            return None if row is None or not row.dimension else vectors_of(session, row)

    def keep(
        self, name: str, accepted: Sequence[Accepted], consents: Mapping[str, Consent], networks: Networks
    ) -> None:
        """Store the results of an enrollment: all of them or, after an error, none. A new class is created.

        Args:
            name: of the class.
            accepted: photos as vectors; a photo that is stored already is not changed.
            consents: consents of all students in ``accepted``, and newer consents of students in the class.
            networks: the networks that made the vectors.

        Raises:
            StoreError: the class was enrolled with other networks.
        """
        with self.database.write() as session:
            row = find_class(session, self.owner, name)
            if row is None:
                if not accepted:
                    return
                row = ClassRow(owner_id=self.owner.id, name=name, sample=False)
                session.add(row)
            if not row.dimension:
                networks.write_to(row)
            elif accepted and Networks.of(row) != networks:
                raise StoreError(f"Class {name!r} was enrolled with other networks in the meantime. Enroll it again.")
            session.flush()
            students = {student.name: student for student in students_of(session, row.id)}
            for key in dict.fromkeys(photo.student for photo in accepted):
                if key not in students:
                    students[key] = StudentRow(class_id=row.id, name=key)
                    session.add(students[key])
            session.flush()
            for key, consent in consents.items():
                if key in students:
                    self._record(session, students[key], consent)
            saved: dict[str, int] = {}
            for photo in accepted:
                new = save_photo(session, students[photo.student].id, photo, networks)
                saved[photo.student] = saved.get(photo.student, 0) + new
            for key, photos in saved.items():
                if photos:
                    self._note(session, "enrolled", students[key], photos=photos)

    def remove_student(self, name: str, student: str, keep_class: bool = False) -> str:
        """Remove a student and all their data, also in the lessons; see ``remove_traces``.

        Args:
            name: of the class.
            student: name of the student.
            keep_class: keep the class even if it then has no student and no lesson.

        Returns:
            Where else the name was replaced, as a sentence; "" if nowhere.

        Raises:
            UsageError: there is no such class or student.
            ErasurePending: the student is removed, but bytes are still in the file; see ``Database.erase``.
        """
        said = ""
        try:
            with self.database.erase() as session:
                row = class_of(session, self.owner, name)
                found = student_of(session, row, student)
                self._note(session, "erased", found, what="student")
                said = remove_traces(session, row, found)
                session.flush()
                rest = session.scalar(select(StudentRow.id).where(StudentRow.class_id == row.id).limit(1))
                lesson = session.scalar(select(LessonRow.id).where(LessonRow.class_id == row.id).limit(1))
                if rest is None and lesson is None and not keep_class:
                    note_class_erased(session, row, self.owner.id)
                    session.delete(row)
                elif rest is None:
                    Networks().write_to(row)
        except ErasurePending as error:
            text = f"{student} was removed from {name}, but not completely. {error.text} {said}".strip()
            raise ErasurePending(text, hint=error.hint) from error
        return said

    def rename_student(self, name: str, student: str, new: str) -> str:
        """Rename a student, also in all lessons. Returns the name as it is stored.

        Raises:
            UsageError: there is no such class or student, the new name is taken, or it cannot be used.
        """
        plain = check_name(new, "student")
        with self.database.write() as session:
            row = class_of(session, self.owner, name)
            found = student_of(session, row, student)
            other = _like(plain, [one.name for one in students_of(session, row.id) if one.id != found.id])
            if other is not None:
                raise UsageError(f"There is a student {other!r} in class {row.name!r} already. Choose another name.")
            found.name = plain
            self._note(session, "corrected", found, what="name")
        return plain

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
                other = None if key in known else _like(key, known)
                if other is not None and canonical(other) == key:
                    known[key] = known[other]
                elif other is not None:
                    raise UsageError(
                        f"{key!r} and {other!r}, who is in class {row.name!r}, differ only in upper and lower case. "
                        f"If this is the same student, write {other}. If not, use another name, such as {key} 2."
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
                raise UsageError(f"There is no consent on record for {student!r}, so it cannot be withdrawn.")
            consent.withdrawn = day or date.today()
            self._note(session, "consent withdrawn", found)
        self.database.keep_removals()

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
                f"The picture on a student's card must be a JPEG file of at most {LARGEST_PORTRAIT // 1000} kB. Use a "
                "smaller one."
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


def class_names(owner: Owner = LOCAL_TEACHER) -> list[str]:
    """The classes of an owner in the default database."""
    return ClassStore(owner=owner).names()


def _like(name: str, others: Iterable[str]) -> str | None:
    """The first other name that differs from this one only in case or in characters that cannot be seen."""
    return next((other for other in others if alike(other) == alike(name)), None)
