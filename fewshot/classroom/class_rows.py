"""Converts rows of the database to the plain data of a class, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.names import canonical, folded, quoted
from fewshot.classroom.roster import Photo, no_such_student
from fewshot.database.columns import stack
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, ConsentRow, IdentityRow, PhotoRow, StudentRow, SupportRow
from fewshot.errors import DimensionMismatch, FewshotError, StoreError, UsageError
from fewshot.prototypes.estimators.class_model import CORRECTION
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.translation import later


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that made the vectors of a class, and the vectors' lengths; empty while there are no vectors."""

    network: str = ""
    identity_network: str = ""
    dimension: int = 0
    identity_dimension: int = 0

    @classmethod
    def of(cls, row: ClassRow | PrototypeStore) -> Networks:
        """The networks that a class or a store was made with."""
        return cls(row.network, row.identity_network, row.dimension, row.identity_dimension)

    def write_to(self, row: ClassRow) -> None:
        """Write the names and lengths into a class's row."""
        row.network, row.identity_network = self.network, self.identity_network
        row.dimension, row.identity_dimension = self.dimension, self.identity_dimension

    def empty_store(self) -> PrototypeStore:
        """An empty prototype store for vectors of these networks."""
        return PrototypeStore(self.dimension, self.identity_dimension, self.network, self.identity_network)


def consents_of(session: Session, student: int) -> list[Consent]:
    """All consents of a student, the latest last."""
    rows = session.scalars(select(ConsentRow).where(ConsentRow.student_id == student).order_by(ConsentRow.id))
    return [Consent(row.given_by, row.day, row.purpose, row.until, row.withdrawn) for row in rows]


def consent_of(session: Session, student: int) -> Consent | None:
    """The latest consent, which is the valid one; None without any."""
    return next(reversed(consents_of(session, student)), None)


def photos_of(session: Session, class_id: int) -> dict[int, dict[str, Photo]]:
    """Enrolled photos of a class by student and hash."""
    photos: dict[int, dict[str, Photo]] = {}
    for row in session.scalars(select(PhotoRow).join(StudentRow).where(StudentRow.class_id == class_id)):
        photo = Photo(row.emotion, row.enrolled, row.fingerprint, row.size, row.sharpness)
        photos.setdefault(row.student_id, {})[row.sha256] = photo
    return photos


def save_photo(session: Session, student: int, photo: Accepted, networks: Networks) -> bool:
    """Write a photo as vectors, unless it is in the database already. Returns whether it was written."""
    if photo_of(session, student, photo.sha256) is not None:
        return False
    row = PhotoRow(
        student_id=student, sha256=photo.sha256, fingerprint=photo.fingerprint, emotion=photo.emotion,
        enrolled=photo.enrolled, size=photo.size, sharpness=photo.sharpness,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(
        SupportRow(
            student_id=student, photo_id=row.id, emotion=photo.emotion, network=networks.network,
            vector=photo.expression,
        )
    )  # fmt: skip
    session.add(
        IdentityRow(student_id=student, photo_id=row.id, network=networks.identity_network, vector=photo.identity)
    )
    return True


def photo_of(session: Session, student: int, sha256: str) -> PhotoRow | None:
    """A student's photo by its SHA-256."""
    mine = session.scalars(select(PhotoRow).where(PhotoRow.student_id == student))
    return next((photo for photo in mine if photo.sha256 == sha256), None)


def vectors_of(session: Session, row: ClassRow) -> PrototypeStore:
    """All supports and identity references of a class.

    Raises:
        StoreError: the vectors are damaged, or do not fit the networks that the class was enrolled with.
    """
    store = Networks.of(row).empty_store()
    everybody = students_of(session, row.id)
    students = {student.id: student.name for student in everybody}
    supports: dict[int, list[tuple[SupportRow, str | None]]] = {}
    wanted = select(SupportRow, PhotoRow).outerjoin(PhotoRow, SupportRow.photo_id == PhotoRow.id)
    for support, photo in session.execute(wanted.where(SupportRow.student_id.in_(students)).order_by(SupportRow.id)):
        supports.setdefault(support.student_id, []).append((support, None if photo is None else photo.sha256))
    references: dict[int, list[IdentityRow]] = {}
    found = select(IdentityRow).where(IdentityRow.student_id.in_(students)).order_by(IdentityRow.id)
    for reference in session.scalars(found):
        references.setdefault(reference.student_id, []).append(reference)
    for number in sorted(set(supports) | set(references)):
        mine, faces = supports.get(number, []), references.get(number, [])
        try:
            own = SupportSet(
                stack([support.vector for support, _ in mine], row.dimension),
                [support.emotion for support, _ in mine],
                [sha256 or f"{CORRECTION}{support.correction_id}" for support, sha256 in mine],
            )
            store.replace(students[number], own, stack([face.vector for face in faces], row.identity_dimension))
        except (ValueError, UsageError, DimensionMismatch) as error:
            raise StoreError(
                later(
                    "The vectors of {student!r} in class {classroom!r} are damaged ({reason}). Remove this student and "
                    "enroll the photos again.",
                    student=students[number],
                    classroom=row.name,
                    reason=error.text if isinstance(error, FewshotError) else error,
                ),
                hint=f"Type: fewshot roster {quoted(row.name)} --remove {quoted(students[number])}",
            ) from error
    return store


def no_such_class(name: str, names: Sequence[str]) -> UsageError:
    """The error for a class that does not exist; it lists the existing ``names``."""
    known = later("There is no class {name!r}. Existing classes: {classes}.", name=name, classes=", ".join(names))
    return UsageError(
        known if names else later("There is no class {name!r} and no other class yet.", name=name),
        hint=f"To create it, type: fewshot enroll {quoted(name)} PHOTOS --consent-by WHO",
    )


def find_class(session: Session, owner: Owner, name: str) -> ClassRow | None:
    """The owner's class with this name, ignoring case and characters that cannot be seen; None if there is none.

    Earlier versions kept such characters, so two classes may look the same: the exact spelling wins.
    """
    rows = classes_of(session, owner.id)
    exact = next((row for row in rows if row.name == name), None)
    return exact or next((row for row in rows if folded(row.name) == folded(name)), None)


def classes_of(session: Session, owner: str) -> Sequence[ClassRow]:
    """All classes of an owner, the oldest first."""
    return session.scalars(select(ClassRow).where(ClassRow.owner_id == owner).order_by(ClassRow.id)).all()


def class_of(session: Session, owner: Owner, name: str) -> ClassRow:
    """Raises UsageError if the owner has no such class."""
    row = find_class(session, owner, name)
    if row is None:
        raise no_such_class(name, sorted(other.name for other in classes_of(session, owner.id)))
    return row


def students_of(session: Session, class_id: int) -> Sequence[StudentRow]:
    """All students of a class, in the order in which they were added."""
    return session.scalars(select(StudentRow).where(StudentRow.class_id == class_id).order_by(StudentRow.id)).all()


def student_of(session: Session, row: ClassRow, student: str) -> StudentRow:
    """The student with this name; characters that cannot be seen are ignored unless two students differ in them.

    Raises:
        UsageError: there is no such student in the class.
    """
    everybody = {found.name: found for found in students_of(session, row.id)}
    if student in everybody:
        return everybody[student]
    same = [found for name, found in everybody.items() if canonical(name) == canonical(student)]
    if len(same) != 1:
        raise no_such_student(student, row.name, list(everybody))
    return same[0]
