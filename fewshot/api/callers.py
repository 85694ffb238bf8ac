"""Who calls the service: a program with a token, or a person who is logged in to the app."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from fewshot.accounts.logins import Login
from fewshot.accounts.tokens import SCOPES, Token
from fewshot.api.problems import Problem, not_found
from fewshot.classroom.class_rows import students_of
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore

LARGEST = 2**63 - 1
"""Of the numbers of rows."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class that the caller may use."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what this caller may do.

    Attributes:
        owner: for whom.
        scopes: keys of ``fewshot.accounts.tokens.SCOPES``.
        only: numbers of the classes that may be used; None: all of the owner.
        token, login: number of the token or login; one of them is None.
    """

    owner: Owner
    scopes: frozenset[str]
    only: frozenset[int] | None = None
    token: int | None = None
    login: int | None = None

    @classmethod
    def of_token(cls, token: Token) -> Caller:
        """The program that has a token."""
        only = None if token.classes is None else frozenset(token.classes)
        return cls(token.owner, token.scopes, only, token=token.id)

    @classmethod
    def of_login(cls, login: Login) -> Caller:
        """The person who is logged in: may do everything with their own classes."""
        rights = set(SCOPES) if login.owner.teaches else set()
        rights = rights | {"metrics"} if login.owner.manages else rights - {"metrics"}
        return cls(login.owner, frozenset(rights), login=login.id)

    @property
    def key(self) -> str:
        """Distinguishes callers in limits and logs; opens nothing."""
        return f"token {self.token}" if self.token is not None else f"login {self.login}"

    def require(self, scope: str) -> None:
        """Refuse a caller without a right.

        Raises:
            Problem: 403.
        """
        if scope not in self.scopes:
            raise Problem(403, f"This token or login may not do that: it needs the right {scope}.")

    def require_all_classes(self, what: str) -> None:
        """Refuse a token that may use some classes only.

        Raises:
            Problem: 403.
        """
        if self.only is not None:
            raise Problem(403, f"This token is for some classes only, so it cannot {what}.")

    def classes(self, database: Database) -> list[Class]:
        """The classes that the caller may use, by name."""
        with database.read() as session:
            rows = session.scalars(select(ClassRow).where(ClassRow.owner_id == self.owner.id)).all()
            found = [Class(row.id, row.name) for row in rows if self.only is None or row.id in self.only]
        return sorted(found, key=lambda each: each.name)

    def class_of(self, database: Database, number: int) -> Class:
        """The class with this number.

        Raises:
            Problem: 404, also if it is somebody else's.
        """
        with database.read() as session:
            row = session.get(ClassRow, number) if 0 < number <= LARGEST else None
            if row is None or row.owner_id != self.owner.id or (self.only is not None and row.id not in self.only):
                raise not_found("class")
            return Class(row.id, row.name)

    def class_named(self, database: Database, name: str) -> Class:
        """The class with this name, in any case of its letters.

        Raises:
            Problem: 404, also if it is somebody else's.
        """
        spelled = ClassStore(database, self.owner).spelled(name)
        found = next((each for each in self.classes(database) if each.name == spelled), None)
        if found is None:
            raise not_found("class")
        return found

    def lesson_of(self, database: Database, number: int) -> tuple[LessonStore, LessonInfo]:
        """The lesson with this number, and the store that it is in.

        Raises:
            Problem: 404, also if it is somebody else's, or of a class that the token may not use.
        """
        store = LessonStore(database, self.owner)
        found = next((info for info in store.lessons() if info.id == number), None)
        if found is None or not self.may_see(database, found):
            raise not_found("lesson")
        return store, found

    def may_see(self, database: Database, lesson: LessonInfo) -> bool:
        """Whether a lesson of the owner is of a class that the caller may use."""
        return self.only is None or any(each.name == lesson.classroom for each in self.classes(database))


def students_in(database: Database, of: Class) -> dict[int, str]:
    """Number -> name of the students of a class."""
    with database.read() as session:
        return {row.id: row.name for row in students_of(session, of.id)}
