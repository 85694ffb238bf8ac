"""Tables of accounts: how owners log in, and which logins run. No table holds a password or a token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.columns import now
from fewshot.database.row_check import Checked
from fewshot.database.tables import NEVER_AGAIN, Base, belongs_to


class PasswordRow(Checked, Base):
    """The argon2id hash of an owner's password. With ``must_change`` it is good only for choosing another one."""

    __tablename__ = "passwords"

    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(256))
    changed: Mapped[datetime] = mapped_column(default=now)
    must_change: Mapped[bool] = mapped_column(default=False)


class InvitedRow(Checked, Base):
    """An owner who logs in with an identity provider.

    The first login must have the verified address ``email``; from then on issuer and subject decide, because an address
    may be given to another person.
    """

    __tablename__ = "invited"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    issuer: Mapped[str | None] = mapped_column(String(512))
    subject: Mapped[str | None] = mapped_column(String(255))


class LoginRow(Checked, Base):
    """A login. ``token`` is the SHA-256 of the cookie's value, so the table opens nothing."""

    __tablename__ = "logins"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    seen: Mapped[datetime] = mapped_column(default=now)
    ended: Mapped[datetime | None]

    # Written with every click: a wrong time only ends the login earlier, or later within its absolute length.
    unchecked = ("seen",)


class RefusedRow(Checked, Base):
    """Failed logins under one name, whether or not there is such an account; ``name`` is the SHA-256 of it."""

    __tablename__ = "refused_logins"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    first: Mapped[datetime]
    until: Mapped[datetime | None]
