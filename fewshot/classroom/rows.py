"""Rows of the database as the plain data of a class, and back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.roster import Photo
from fewshot.database.columns import stack
from fewshot.database.tables import ClassRow, ConsentRow, IdentityRow, PhotoRow, StudentRow, SupportRow
from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet


@dataclass(frozen=True, slots=True)
class Networks:
    """Which networks made the vectors of a class, and how long those are; all empty while there is none."""

    network: str = ""
    identity_network: str = ""
    dimension: int = 0
    identity_dimension: int = 0

    @classmethod
    def of(cls, row: ClassRow | PrototypeStore) -> Networks:
        return cls(row.network, row.identity_network, row.dimension, row.identity_dimension)

    def write_to(self, row: ClassRow) -> None:
        row.network, row.identity_network = self.network, self.identity_network
        row.dimension, row.identity_dimension = self.dimension, self.identity_dimension

    def empty_store(self) -> PrototypeStore:
        return PrototypeStore(self.dimension, self.identity_dimension, self.network, self.identity_network)


def consents_of(session: Session, student: int) -> list[Consent]:
    """The consents of a student, the latest last."""
    rows = session.scalars(select(ConsentRow).where(ConsentRow.student_id == student).order_by(ConsentRow.id))
    return [Consent(row.given_by, row.day, row.purpose, row.until, row.withdrawn) for row in rows]


def consent_of(session: Session, student: int) -> Consent | None:
    """The consent that counts."""
    return next(reversed(consents_of(session, student)), None)


def photos_of(session: Session, class_id: int) -> dict[int, dict[str, Photo]]:
    """Enrolled photos of a class by student and hash."""
    photos: dict[int, dict[str, Photo]] = {}
    for row in session.scalars(select(PhotoRow).join(StudentRow).where(StudentRow.class_id == class_id)):
        photo = Photo(row.emotion, row.enrolled, row.fingerprint, row.size, row.sharpness)
        photos.setdefault(row.student_id, {})[row.sha256] = photo
    return photos


def save_photo(session: Session, student: int, photo: Accepted, networks: Networks) -> None:
    """Write a photo as vectors, unless it is there."""
    known = select(PhotoRow.id).where(PhotoRow.student_id == student, PhotoRow.sha256 == photo.sha256)
    if session.scalar(known) is not None:
        return
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


def vectors_of(session: Session, row: ClassRow) -> PrototypeStore:
    """All supports and identity references of a class.

    Raises:
        StoreError: they are not of the networks that the class was enrolled with.
    """
    store = Networks.of(row).empty_store()
    students = dict(
        session.execute(
            select(StudentRow.id, StudentRow.name).where(StudentRow.class_id == row.id).order_by(StudentRow.id)
        )
        .tuples()
        .all()
    )
    supports: dict[int, list[tuple[SupportRow, str | None]]] = {}
    wanted = select(SupportRow, PhotoRow.sha256).outerjoin(PhotoRow, SupportRow.photo_id == PhotoRow.id)
    for support, sha256 in session.execute(wanted.where(SupportRow.student_id.in_(students)).order_by(SupportRow.id)):
        supports.setdefault(support.student_id, []).append((support, sha256))
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
                [sha256 or f"correction {support.correction_id}" for support, sha256 in mine],
            )
            store.replace(students[number], own, stack([face.vector for face in faces], row.identity_dimension))
        except (ValueError, UsageError, DimensionMismatch) as error:
            raise StoreError(
                f"The vectors of {students[number]!r} in class {row.name!r} are damaged ({error}). Remove the student "
                f"and enroll again: fewshot roster."
            ) from error
    return store
