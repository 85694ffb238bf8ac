"""Tables about the installation itself: its random id, and the numbers of what was erased in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.columns import now
from fewshot.database.row_check import Checked
from fewshot.database.tables import Base

Kind = Literal["student", "lesson", "class", "photo"]


class InstallationRow(Checked, Base):
    """The random id of this installation, in the only row. A backup carries it.

    ``keys`` is the random id of the key store that sealed something here; "" while nothing is sealed.
    """

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)
    keys: Mapped[str] = mapped_column(String(32), default="", server_default="")

    # Compared with the key store itself whenever a key is made or dropped.
    unchecked = ("keys",)


class DroppedKeyRow(Checked, Base):
    """The id of a key that must be dropped, or was. Written in the transaction that erases what it sealed."""

    __tablename__ = "dropped_keys"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class ErasedRow(Checked, Base):
    """The number of an erased row. Numbers are never used again, so a backup that has this row must lose it too."""

    __tablename__ = "erased"

    kind: Mapped[Kind] = mapped_column(String(16), primary_key=True)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(default=now)
