"""The teachers and administrators of an installation, in the database. How they log in is not stored here."""

from __future__ import annotations

import secrets
from typing import get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fewshot.classroom.names import alike, check_name, folded, quoted
from fewshot.database import Database, open_database
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL, LOCAL_TEACHER, Owner, Role
from fewshot.database.tables import ClassRow, OwnerRow
from fewshot.errors import UsageError
from fewshot.translation import later, later_n

__all__ = ["LOCAL", "Owner", "Owners", "Role"]


class Owners:
    """All owners. Names ignore upper and lower case, as names of classes do.

    Args:
        database: None uses the default database.
    """

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or open_database()

    def local(self) -> Owner:
        """The teacher who works at this computer."""
        return self.get(LOCAL)

    def find(self, name: str) -> Owner:
        """The owner with this name.

        Raises:
            UsageError: there is no such owner, or nobody can have this name.
        """
        plain = check_name(name, "teacher")
        with self.database.read() as session:
            row = session.scalar(select(OwnerRow).where(OwnerRow.folded == folded(plain)))
            if row is not None:
                return row.plain()
        raise UsageError(
            later(
                "There is no account {name!r}. Existing accounts: {accounts}.",
                name=plain,
                accounts=", ".join(owner.name for owner in self.all()),
            ),
            hint=f"To add it, type: fewshot accounts add {quoted(plain)}",
        )

    def get(self, id: str) -> Owner:
        """The owner with this id.

        Raises:
            UsageError: there is no such owner (any more).
        """
        with self.database.read() as session:
            row = session.get(OwnerRow, id)
            if row is not None:
                return row.plain()
        raise UsageError(
            later("This account does not exist any more. Log in with another one."),
            hint="To see the accounts, type: fewshot accounts",
        )

    def all(self) -> list[Owner]:
        """All owners: the local teacher first, then the others by name."""
        with self.database.read() as session:
            owners = [row.plain() for row in session.scalars(select(OwnerRow))]
        return sorted(owners, key=lambda owner: (owner.id != LOCAL, folded(owner.name)))

    def add(self, name: str, role: Role = "teacher") -> Owner:
        """Add an owner, who has no class yet.

        Raises:
            UsageError: the name is taken or cannot be used, or there is no such role.
        """
        plain = check_name(name, "teacher")
        if role not in get_args(Role):
            raise UsageError(
                later("There is no role {role!r}. Use {roles}.", role=role, roles=" or ".join(get_args(Role)))
            )
        with self.database.write() as session:
            taken = taken_by(session, plain)
            if taken is not None:
                raise UsageError(later("There is an account {name!r} already. Choose another name.", name=taken))
            row = OwnerRow(id=secrets.token_hex(16), name=plain, folded=folded(plain), role=role)
            session.add(row)
            return row.plain()

    def remove(self, id: str) -> None:
        """Remove an owner with their settings. It is not an error if the owner is already removed.

        Raises:
            UsageError: the owner still has classes or lessons, or is the local teacher.
        """
        if id == LOCAL:
            raise UsageError(later("The teacher {name!r} works at this computer, and cannot be removed.", name=LOCAL))
        with self.database.write() as session:
            row = session.get(OwnerRow, id)
            if row is None:
                return
            classes = session.scalar(select(func.count()).select_from(ClassRow).where(ClassRow.owner_id == id)) or 0
            lessons = session.scalar(select(func.count()).select_from(LessonRow).where(LessonRow.owner_id == id)) or 0
            if classes or lessons:
                raise UsageError(
                    later(
                        "{name} still has {classes} and {lessons}, so the account was not removed. Delete them first.",
                        name=row.name,
                        classes=later_n("{number} class", "{number} classes", classes),
                        lessons=later_n("{number} lesson", "{number} lessons", lessons),
                    ),
                    hint=f"To see them, type: fewshot roster --as {quoted(row.name)}",
                )
            session.delete(row)


def taken_by(session: Session, name: str) -> str | None:
    """The account whose name nobody could distinguish from a new one, as it is written; None if there is none."""
    return next((kept for kept in session.scalars(select(OwnerRow.name)) if alike(kept) == alike(name)), None)


def owner_named(database: Database, owner: Owner | str | None) -> Owner:
    """The owner that is meant: an owner, the name of one, or None for the local teacher.

    Raises:
        UsageError: there is no owner with this name.
    """
    if isinstance(owner, Owner):
        return owner
    return LOCAL_TEACHER if owner is None else Owners(database).find(owner)


def owner_of_name(name: str) -> Owner:
    """The owner with this name in the default database; see ``owner_named``.

    Raises:
        UsageError: there is no owner with this name.
    """
    return owner_named(open_database(), name)
