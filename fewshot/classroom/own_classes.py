"""The classes of an owner by number, all or some of them: what a program's token may use."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.classroom.class_rows import classes_of, students_of
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, ErasurePending
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow

LARGEST = 2**63 - 1
"""Of the numbers of rows."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A class with its number, which stays when it is renamed, and is never used again."""

    id: int
    name: str


class OwnClasses:
    """Classes of one owner. One that belongs to somebody else is treated as one that does not exist.

    Args:
        database: where they are.
        owner: whose they are.
        only: numbers of those that may be used; None: all.
    """

    def __init__(self, database: Database, owner: Owner, only: frozenset[int] | None = None) -> None:
        self.database, self.owner, self.only = database, owner, only

    def all(self) -> list[Numbered]:
        """The classes by name."""
        with self.database.read() as session:
            rows = classes_of(session, self.owner.id)
            found = [Numbered(row.id, row.name) for row in rows if self.only is None or row.id in self.only]
        return sorted(found, key=lambda each: each.name)

    def get(self, number: int) -> Numbered | None:
        """The class with this number; None if there is none that may be used."""
        with self.database.read() as session:
            row = session.get(ClassRow, number) if 0 < number <= LARGEST else None
            if row is None or row.owner_id != self.owner.id or (self.only is not None and row.id not in self.only):
                return None
            return Numbered(row.id, row.name)

    def named(self, name: str) -> Numbered | None:
        """The class with this name, in any case of its letters; None if there is none that may be used.

        Raises:
            UsageError: no class can have this name.
        """
        spelled = ClassStore(self.database, self.owner).spelled(name)
        return next((each for each in self.all() if each.name == spelled), None)

    def students(self, of: Numbered) -> dict[int, str]:
        """Number -> name of the students of a class."""
        with self.database.read() as session:
            return {row.id: row.name for row in students_of(session, of.id)}


def is_done(error: Exception) -> bool:
    """Whether what failed was done all the same, and only its old bytes are still in the files of the database."""
    return isinstance(error, ErasurePending)
