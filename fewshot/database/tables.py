"""Tables of classes, students and their vectors. Lessons are in ``lesson_tables.py``.

Prototypes and the FAISS index are not stored. They are computed in milliseconds from the supports of the whole class
when it is opened, so they contain nothing of a removed student.

All data of a student refers to the student's row with a foreign key that cascades: when the row is deleted, all data of
the student is deleted, also in every lesson.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, Double, ForeignKey, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fewshot.database.columns import Floats, Utc, now
from fewshot.database.owner import LOCAL, Owner, Role

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


class OwnerRow(Base):
    """A teacher or an administrator; see ``fewshot.database.owner.Owner``."""

    __tablename__ = "owners"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(256), unique=True)
    role: Mapped[Role] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=now)

    def plain(self) -> Owner:
        """The owner as plain data."""
        return Owner(self.id, self.name, self.role)


class ClassRow(Base):
    """A class of an owner. With ``folded``, "Physics" and "physics" are equal; networks are of the first enrollment."""

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("owner_id", "folded"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id"), default=LOCAL)
    name: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(256))
    sample: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)
    network: Mapped[str] = mapped_column(Text, default="")
    identity_network: Mapped[str] = mapped_column(Text, default="")
    dimension: Mapped[int] = mapped_column(default=0)
    identity_dimension: Mapped[int] = mapped_column(default=0)


class StudentRow(Base):
    """A student of one class; readings contain the name."""

    __tablename__ = "students"
    __table_args__ = (UniqueConstraint("class_id", "name"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(belongs_to("classes.id"))
    name: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(default=now)


class PortraitRow(Base):
    """A small JPEG picture of a student; only if the teacher saved one."""

    __tablename__ = "portraits"

    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), primary_key=True, autoincrement=False)
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)


class ConsentRow(Base):
    """One consent. The latest one is valid; earlier ones are kept until the student is removed."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    given_by: Mapped[str] = mapped_column(Text)
    day: Mapped[date]
    purpose: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None]
    withdrawn: Mapped[date | None]
    recorded: Mapped[datetime] = mapped_column(default=now)


class PhotoRow(Base):
    """An enrolled photo, from which vectors were computed. The picture is not stored."""

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("student_id", "sha256"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(Text)
    emotion: Mapped[str | None] = mapped_column(String(64))
    enrolled: Mapped[date]
    size: Mapped[float | None]
    sharpness: Mapped[float | None]


class SupportRow(Base):
    """An expression vector of a student's support set, from a photo or from a teacher's correction."""

    __tablename__ = "supports"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    photo_id: Mapped[int | None] = mapped_column(belongs_to("photos.id"), index=True)
    correction_id: Mapped[int | None] = mapped_column(belongs_to("corrections.id"), index=True)
    emotion: Mapped[str | None] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(Text)
    vector: Mapped[NDArray[np.float32]]
    made: Mapped[datetime] = mapped_column(default=now)


class IdentityRow(Base):
    """An identity vector with which a student is recognised."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    photo_id: Mapped[int | None] = mapped_column(belongs_to("photos.id"), index=True)
    network: Mapped[str] = mapped_column(Text)
    vector: Mapped[NDArray[np.float32]]


class SettingRow(Base):
    """One setting of the whole installation."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class OwnerSettingRow(Base):
    """One setting of one owner."""

    __tablename__ = "owner_settings"

    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
