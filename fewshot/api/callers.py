"""Who calls the service: a program with a token, or a person who is logged in to the app."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.accounts.logins import Login
from fewshot.accounts.tokens import SCOPES, Token, Tokens
from fewshot.api.problems import Problem, not_found
from fewshot.classroom.own_classes import Numbered, OwnClasses
from fewshot.classroom.owners import Owner
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what this caller may do.

    Attributes:
        classes: the classes that may be used.
        scopes: keys of ``fewshot.accounts.tokens.SCOPES``.
        token, login: number of the token or login; one of them is None.
    """

    classes: OwnClasses
    scopes: frozenset[str]
    token: int | None = None
    login: int | None = None

    @classmethod
    def of_token(cls, token: Token, tokens: Tokens) -> Caller:
        """The program that has a token."""
        only = None if token.classes is None else frozenset(token.classes)
        return cls(OwnClasses(tokens.database, token.owner, only), token.scopes, token=token.id)

    @classmethod
    def of_login(cls, login: Login, tokens: Tokens) -> Caller:
        """The person who is logged in: may do everything with their own classes."""
        rights = set(SCOPES) if login.owner.teaches else set()
        rights = rights | {"metrics"} if login.owner.manages else rights - {"metrics"}
        return cls(OwnClasses(tokens.database, login.owner), frozenset(rights), login=login.id)

    @property
    def owner(self) -> Owner:
        """For whom."""
        return self.classes.owner

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
        if self.classes.only is not None:
            raise Problem(403, f"This token is for some classes only, so it cannot {what}.")

    def class_of(self, number: int) -> Numbered:
        """The class with this number.

        Raises:
            Problem: 404, also if it is somebody else's.
        """
        found = self.classes.get(number)
        if found is None:
            raise not_found("class")
        return found

    def class_named(self, name: str) -> Numbered:
        """The class with this name, in any case of its letters.

        Raises:
            Problem: 404, also if it is somebody else's.
        """
        found = self.classes.named(name)
        if found is None:
            raise not_found("class")
        return found

    def lessons(self, classroom: str | None = None) -> list[LessonInfo]:
        """The lessons that may be seen, newest first; of one class if it is named."""
        found = LessonStore(self.classes.database, self.owner).lessons(classroom)
        if self.classes.only is None:
            return found
        names = {each.name for each in self.classes.all()}
        return [info for info in found if info.classroom in names]

    def lesson_of(self, number: int) -> tuple[LessonStore, LessonInfo]:
        """The lesson with this number, and the store that it is in.

        Raises:
            Problem: 404, also if it is somebody else's, or of a class that the token may not use.
        """
        found = next((info for info in self.lessons() if info.id == number), None)
        if found is None:
            raise not_found("lesson")
        return LessonStore(self.classes.database, self.owner), found
