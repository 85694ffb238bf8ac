"""Tables of the service: tokens of programs, and tickets that open one WebSocket. Only their SHA-256 is stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.columns import now
from fewshot.database.row_check import Checked
from fewshot.database.tables import NEVER_AGAIN, Base, belongs_to


class TokenRow(Checked, Base):
    """A token of an owner. ``token`` is the SHA-256 of its text, so the table opens nothing.

    A token whose classes were all deleted must not open the others, so ``all_classes`` says what no row says.
    """

    __tablename__ = "tokens"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    owner_id: Mapped[str] = mapped_column(belongs_to("owners.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    all_classes: Mapped[bool]
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    used: Mapped[datetime | None]

    # Only shown: when a program used the token last.
    unchecked = ("used",)


class TokenClassRow(Checked, Base):
    """A class that a token may use, if it may not use all."""

    __tablename__ = "token_classes"

    token_id: Mapped[int] = mapped_column(belongs_to("tokens.id"), primary_key=True, autoincrement=False)
    class_id: Mapped[int] = mapped_column(belongs_to("classes.id"), primary_key=True, autoincrement=False, index=True)


class TicketRow(Checked, Base):
    """A ticket for one WebSocket of a token or of a login; ``ticket`` is the SHA-256 of its text."""

    __tablename__ = "tickets"

    ticket: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[int | None] = mapped_column(belongs_to("tokens.id"), index=True)
    login_id: Mapped[int | None] = mapped_column(belongs_to("logins.id"), index=True)
    expires: Mapped[datetime]
