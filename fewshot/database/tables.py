"""Tables of classes, students and their vectors. Lessons are in ``lesson_tables.py``.

Prototypes and the FAISS index are not stored. They are computed in milliseconds from the supports of the whole class
when it is opened, so they contain nothing of a removed student.

All data of a student refers to the student's row with a foreign key that cascades: when the row is deleted, all data of
the student is deleted, also in every lesson.

What is told of people is sealed (``sealing``): by the student's own key, by the key for the texts of the class, or by
both. Columns called ``key``, ``text_key`` and ``index_key`` hold random ids of keys, which are not in the database.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, Double, ForeignKey, LargeBinary, MetaData, String, Text, UniqueConstraint, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from fewshot.database.columns import Floats, Utc, now
from fewshot.database.owner import LOCAL, Owner, Role
from fewshot.database.row_check import Checked
from fewshot.database.sealing import BYTES, FLOATS, MAYBE_TEXT, TEXT, Blind, Holder, Sealed, parent
from fewshot.types import EMOTIONS
from fewshot.vault.cipher import new_id

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# The number of a deleted row must not be used again for another one. Only SQLite needs this setting.
NEVER_AGAIN = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Base class of all tables. Constraints have names, so that a migration can change them."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {float: Double, datetime: Utc, NDArray[np.float32]: Floats}  # noqa: RUF012


def belongs_to(column: str) -> Any:
    """A foreign key that cascades: the row is deleted together with the row that it belongs to."""
    return ForeignKey(column, ondelete="CASCADE")


class RowId(Checked):
    """A random id of the row, which its sealed values are bound to."""

    rid: Mapped[str] = mapped_column(String(16), default=new_id, server_default="")


def key_id() -> Any:
    """A column with the id of a key; "" until the key is needed."""
    return mapped_column(String(16), default="", server_default="")


def texts_of_class(session: Session, class_id: int) -> Holder:
    """Who holds the key for the texts of a class."""
    return parent(session, ClassRow, class_id), "text_key"


def class_called(session: Session, owner: str, name: str) -> ClassRow | None:
    """The owner's class with exactly this name; None if there is none. Names are sealed, so all of them are read."""
    rows = session.scalars(select(ClassRow).where(ClassRow.owner_id == owner))
    return next((row for row in rows if row.name == name), None)


def key_of_student(session: Session, student_id: int) -> Holder:
    """Who holds a student's key."""
    return parent(session, StudentRow, student_id), "key"


def _own(row: Any, session: Session) -> tuple[Holder, ...]:
    return (key_of_student(session, row.student_id),)


def is_emotion(label: str | None) -> bool:
    """Whether a label is one of the seven, and no word that a person chose."""
    return label in EMOTIONS


def _texts(row: Any, session: Session) -> tuple[Holder, ...]:
    return (texts_of_class(session, key_of_student(session, row.student_id)[0].class_id),)


def _fold(name: str) -> str:
    """As ``fewshot.classroom.names.folded``, for a name without characters that cannot be seen."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _label(row: Any, session: Session) -> tuple[Holder, ...]:
    # A word that a person chose may name another student: dropping the key of the student or of the texts erases it.
    student, field = key_of_student(session, row.student_id)
    return (student, field), texts_of_class(session, student.class_id)


class OwnerRow(Checked, Base):
    """A teacher or an administrator; see ``fewshot.database.owner.Owner``."""

    __tablename__ = "owners"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(256), unique=True)
    role: Mapped[Role] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=now)
    text_key: Mapped[str] = key_id()
    index_key: Mapped[str] = key_id()

    def plain(self) -> Owner:
        """The owner as plain data."""
        return Owner(self.id, self.name, self.role)


class ClassRow(RowId, Base):
    """A class of an owner; networks are of the first enrollment.

    ``folded`` is a blind index of the name without upper and lower case, so that "Physics" and "physics" are equal.
    """

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("owner_id", "folded"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id"), default=LOCAL)
    name_: Mapped[bytes] = mapped_column("name", LargeBinary)
    folded: Mapped[str] = mapped_column(String(256))
    text_key: Mapped[str] = key_id()
    index_key: Mapped[str] = key_id()
    sample: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)
    network: Mapped[str] = mapped_column(Text, default="")
    identity_network: Mapped[str] = mapped_column(Text, default="")
    dimension: Mapped[int] = mapped_column(default=0)
    identity_dimension: Mapped[int] = mapped_column(default=0)

    own_keys = ("text_key", "index_key")
    name = Sealed("name_", TEXT, lambda row, _: ((row, "text_key"),))
    by_name = Blind(
        "folded", "name", lambda row, session: (parent(session, OwnerRow, row.owner_id or LOCAL), "index_key"), _fold
    )


class StudentRow(RowId, Base):
    """A student of one class; readings contain the name, and ``name_index`` is a blind index of it."""

    __tablename__ = "students"
    __table_args__ = (UniqueConstraint("class_id", "name_index"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(belongs_to("classes.id"))
    name_: Mapped[bytes] = mapped_column("name", LargeBinary)
    name_index: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = key_id()
    created: Mapped[datetime] = mapped_column(default=now)

    own_keys = ("key",)
    name = Sealed("name_", TEXT, lambda row, _: ((row, "key"),))
    by_name = Blind("name_index", "name", lambda row, session: (parent(session, ClassRow, row.class_id), "index_key"))


class PortraitRow(RowId, Base):
    """A small JPEG picture of a student; only if the teacher saved one."""

    __tablename__ = "portraits"

    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), primary_key=True, autoincrement=False)
    picture_: Mapped[bytes] = mapped_column("picture", LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)

    picture = Sealed("picture_", BYTES, _own)


class ConsentRow(RowId, Base):
    """One consent. The latest one is valid; earlier ones are kept until the student is removed."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    given_by_: Mapped[bytes] = mapped_column("given_by", LargeBinary)
    day: Mapped[date]
    purpose_: Mapped[bytes] = mapped_column("purpose", LargeBinary)
    until: Mapped[date | None]
    withdrawn: Mapped[date | None]
    recorded: Mapped[datetime] = mapped_column(default=now)

    # By the key of the texts, because a consent may also name another student ("the mother of Anna and Ben").
    given_by = Sealed("given_by_", TEXT, _texts)
    purpose = Sealed("purpose_", TEXT, _texts)


class PhotoRow(RowId, Base):
    """An enrolled photo, from which vectors were computed. The picture is not stored.

    ``sha256_index`` is a blind index of ``sha256``, so that a photo is enrolled only once.
    """

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("student_id", "sha256"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"))
    sha256_index: Mapped[str] = mapped_column("sha256", String(64))
    digest_: Mapped[bytes] = mapped_column("digest", LargeBinary)
    fingerprint_: Mapped[bytes] = mapped_column("fingerprint", LargeBinary)
    emotion_: Mapped[bytes | None] = mapped_column("emotion", LargeBinary)
    enrolled: Mapped[date]
    size: Mapped[float | None]
    sharpness: Mapped[float | None]

    sha256 = Sealed("digest_", TEXT, _own)
    by_sha256 = Blind("sha256_index", "sha256", lambda row, session: key_of_student(session, row.student_id))
    fingerprint = Sealed("fingerprint_", TEXT, _own)
    emotion = Sealed("emotion_", MAYBE_TEXT, _label, _own, is_emotion)


class SupportRow(RowId, Base):
    """An expression vector of a student's support set, from a photo or from a teacher's correction."""

    __tablename__ = "supports"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    photo_id: Mapped[int | None] = mapped_column(belongs_to("photos.id"), index=True)
    correction_id: Mapped[int | None] = mapped_column(belongs_to("corrections.id"), index=True)
    emotion_: Mapped[bytes | None] = mapped_column("emotion", LargeBinary)
    network: Mapped[str] = mapped_column(Text)
    vector_: Mapped[bytes] = mapped_column("vector", LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)

    emotion = Sealed("emotion_", MAYBE_TEXT, _label, _own, is_emotion)
    vector = Sealed("vector_", FLOATS, _own)


class IdentityRow(RowId, Base):
    """An identity vector with which a student is recognised."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    photo_id: Mapped[int | None] = mapped_column(belongs_to("photos.id"), index=True)
    network: Mapped[str] = mapped_column(Text)
    vector_: Mapped[bytes] = mapped_column("vector", LargeBinary)

    vector = Sealed("vector_", FLOATS, _own)


class SettingRow(Checked, Base):
    """One setting of the whole installation."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class OwnerSettingRow(Checked, Base):
    """One setting of one owner."""

    __tablename__ = "owner_settings"

    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
