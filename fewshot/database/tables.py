"""Tables of classes, students and what is known of their faces. Lessons are in ``lesson_tables.py``.

Prototypes and the FAISS index are not kept: they are made of the supports of the whole class when it is opened, in
milliseconds, so nothing of a removed student can live on in them.

Whatever belongs to somebody hangs on that row by a foreign key that deletes: when a student's row goes, so does
everything that was theirs, in every lesson too.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, Double, ForeignKey, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fewshot.database.columns import Floats, Utc, now

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# A number that was deleted must not come back as somebody else's; SQLite has to be told, the others never do it.
NEVER_AGAIN = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """All tables. Constraints have names, so that a migration can change them."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {float: Double, datetime: Utc, NDArray[np.float32]: Floats}  # noqa: RUF012


def belongs_to(column: str) -> Any:
    """A foreign key: the row goes when the one it belongs to goes."""
    return ForeignKey(column, ondelete="CASCADE")


class ClassRow(Base):
    """A class. ``folded`` makes "Physics" and "physics" one; networks are those of the first enrollment."""

    __tablename__ = "classes"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(256), unique=True)
    sample: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)
    network: Mapped[str] = mapped_column(Text, default="")
    identity_network: Mapped[str] = mapped_column(Text, default="")
    dimension: Mapped[int] = mapped_column(default=0)
    identity_dimension: Mapped[int] = mapped_column(default=0)


class StudentRow(Base):
    """A student of one class; the name is what readings carry."""

    __tablename__ = "students"
    __table_args__ = (UniqueConstraint("class_id", "name"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(belongs_to("classes.id"))
    name: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(default=now)


class PortraitRow(Base):
    """A small picture of a student, JPEG: only if the teacher wants one."""

    __tablename__ = "portraits"

    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), primary_key=True, autoincrement=False)
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)


class ConsentRow(Base):
    """One consent that was given. The latest counts; the earlier ones stay as long as the student does."""

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
    """Where a vector comes from: an enrolled photo, of which no picture is kept."""

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("student_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(Text)
    emotion: Mapped[str | None] = mapped_column(String(64))
    enrolled: Mapped[date]
    size: Mapped[float | None]
    sharpness: Mapped[float | None]


class SupportRow(Base):
    """An expression vector that a student's prototypes rest on: of a photo, or of a teacher's correction."""

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
    """An identity vector that a student is recognised by."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    photo_id: Mapped[int | None] = mapped_column(belongs_to("photos.id"), index=True)
    network: Mapped[str] = mapped_column(Text)
    vector: Mapped[NDArray[np.float32]]


class SettingRow(Base):
    """One setting of this machine's teacher."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
