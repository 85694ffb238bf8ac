"""Classes and their students in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from fewshot.classroom.class_rows import (
    Networks,
    class_of,
    classes_of,
    consent_of,
    find_class,
    no_such_class,
    photos_of,
    save_photo,
    student_of,
    students_of,
    vectors_of,
)
from fewshot.classroom.consent import SAMPLE_CONSENT, Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.erased import note_class_erased
from fewshot.classroom.export_erasure import erase_class, erase_student
from fewshot.classroom.export_intents import Intent, done, finish, intend
from fewshot.classroom.names import check_name
from fewshot.classroom.roster import Roster, Student
from fewshot.classroom.student_records import StudentRecords, similar_name
from fewshot.classroom.traces import remove_class_traces, remove_traces
from fewshot.database import ErasurePending
from fewshot.database.key_erasure import renew_texts_of
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.tables import ClassRow, StudentRow
from fewshot.database.words import DiskFull
from fewshot.errors import StoreError, UsageError
from fewshot.prototypes.store import PrototypeStore
from fewshot.translation import later, together

__all__ = ["ClassStore", "class_names", "no_such_class"]


class ClassStore(StudentRecords):
    """The classes of one owner. Creating an object is cheap; several threads may share one.

    Names of classes ignore upper and lower case: "Physics" and "physics" are one class.

    Args:
        database: None uses the default database.
        owner: the teacher to whom the classes belong. Classes of others can be neither seen nor changed.

    Raises:
        UsageError: the owner is an administrator, who has no classes.
    """

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
                raise UsageError(later("There is a class {name!r} already. Choose another name.", name=plain))
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
                raise UsageError(later("There is a class {name!r} already. Choose another name.", name=plain))
            row.name = plain
            renew_texts_of(session, row)
        return plain

    def delete(self, name: str) -> None:
        """Delete a class with its students, their vectors and all its lessons.

        Raises:
            UsageError: there is no such class.
            ErasurePending: it is deleted, but its bytes are still in the file; see ``Database.erase``.
        """
        finish(self.database)
        try:
            with self.database.erase() as session:
                row = class_of(session, self.owner, name)
                intent = Intent(self.owner.id, row.id)
                remove_class_traces(session, row)
                note_class_erased(session, row, self.owner.id)
                intend(session, intent)
                session.delete(row)
        except ErasurePending:
            self._erase_class_in_exports(intent)
            raise
        self._erase_class_in_exports(intent)

    def _erase_class_in_exports(self, intent: Intent) -> None:
        """After the deletion, so that a batch that runs finds out about one of both."""
        erase_class(intent.owner, intent.class_id)
        done(self.database, intent)

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
                raise StoreError(
                    later(
                        "Class {classroom!r} was enrolled with other networks in the meantime. Enroll it again.",
                        classroom=name,
                    )
                )
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
        finish(self.database)
        try:
            with self.database.erase() as session:
                row = class_of(session, self.owner, name)
                found = student_of(session, row, student)
                intent = Intent(self.owner.id, row.id, found.id)
                intend(session, intent)
                others = [one.name for one in students_of(session, row.id) if one.id != found.id]
                gone = (row.id, found.id, found.name, others)
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
            exported = erase_student(self.owner.id, *gone)
            done(self.database, intent)
            partly = later(
                "{student} was removed from {classroom}, but not completely.", student=student, classroom=name
            )
            text = together(partly, error.text, said, exported)
            pending = ErasurePending(text, hint=error.hint)
            pending.also = together(said, exported)
            raise pending from error
        exported = erase_student(self.owner.id, *gone)  # after the deletion, as for a class
        done(self.database, intent)
        return together(said, exported)

    def rename_student(self, name: str, student: str, new: str) -> str:
        """Rename a student, also in all lessons. Returns the name as it is stored.

        Raises:
            UsageError: there is no such class or student, the new name is taken, or it cannot be used.
        """
        plain = check_name(new, "student")
        with self.database.write() as session:
            row = class_of(session, self.owner, name)
            found = student_of(session, row, student)
            other = similar_name(plain, [one.name for one in students_of(session, row.id) if one.id != found.id])
            if other is not None:
                raise UsageError(
                    later(
                        "There is a student {other!r} in class {classroom!r} already. Choose another name.",
                        other=other,
                        classroom=row.name,
                    )
                )
            found.name = plain
            self._note(session, "corrected", found, what="name")
        return plain


def class_names(owner: Owner = LOCAL_TEACHER) -> list[str]:
    """The classes of an owner in the default database."""
    return ClassStore(owner=owner).names()
