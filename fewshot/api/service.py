"""What the routes of one process share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from fewshot.accounts.logins import Logins
from fewshot.accounts.tickets import Tickets
from fewshot.accounts.tokens import Tokens
from fewshot.api.callers import Caller
from fewshot.api.figures import Figures
from fewshot.api.looks import Looks
from fewshot.api.problems import Problem
from fewshot.api.rates import Rates
from fewshot.api.rooms import Rooms

if TYPE_CHECKING:
    from fewshot.api.lesson import ServedLesson

AT_ONCE = 2
"""Pictures and enrollments that are worked on at the same time; others wait."""
MOST_LESSONS = 12
"""Lessons that run in one process."""


class Service:
    """One process of the service.

    Args:
        tokens: with the database that everything is in; None uses the default one.
        place: under which name other computers reach it; "" if only this computer can.
        rates: limits on how often somebody may call; None uses the default ones.
        most_lessons: see ``MOST_LESSONS``.
    """

    def __init__(
        self,
        tokens: Tokens | None = None,
        place: str = "",
        rates: Rates | None = None,
        most_lessons: int = MOST_LESSONS,
    ) -> None:
        self.tokens = tokens or Tokens()
        self.database = self.tokens.database
        self.place, self.rates, self.most_lessons = place, rates or Rates(), most_lessons
        self.logins = Logins(self.database)
        self.tickets, self.rooms = Tickets(self.database), Rooms()
        self.working = threading.BoundedSemaphore(AT_ONCE)
        self.lessons: dict[int, ServedLesson] = {}
        """Lessons that run now; those that are not recorded have numbers below 0."""
        self.looks = Looks()
        self.figures = Figures(lambda: len(self.lessons))
        self.draining = threading.Event()

    def of_token(self, text: str) -> Caller | None:
        """The program with this token; None if it opens nothing."""
        token = self.tokens.find(text)
        return None if token is None else Caller.of_token(token, self.tokens)

    def of_ticket(self, text: str) -> Caller | None:
        """Who made a ticket, which is used up; None if it opens nothing."""
        ticket = self.tickets.use(text)
        return None if ticket is None else self.again(ticket.token, ticket.login)

    def again(self, token: int | None, login: int | None) -> Caller | None:
        """The caller with a token or login as it is now; None if it was removed or has ended."""
        if token is not None:
            found = self.tokens.get(token)
            return None if found is None else Caller.of_token(found, self.tokens)
        held = None if login is None else self.logins.get(login)
        return None if held is None or held.must_change else Caller.of_login(held, self.tokens)

    def drain(self) -> None:
        """Take no new lesson, and let those that run go: their clients resume them elsewhere."""
        self.draining.set()

    def require_ready(self) -> None:
        """Refuse a new lesson while the service stops, or if too many run.

        Raises:
            Problem: 503.
        """
        if self.draining.is_set():
            raise Problem(503, "The service is stopping. Try again in a few seconds.", headers={"retry-after": "5"})
        if len(self.lessons) >= self.most_lessons:
            said = f"{len(self.lessons)} lessons run here already. Wait until one has ended."
            raise Problem(503, said, headers={"retry-after": "30"})


def service_of(connection: Any) -> Service:
    """The service that a request or WebSocket has reached."""
    service = connection.app.state.service
    assert isinstance(service, Service)  # nosec B101: for the type checker
    return service
