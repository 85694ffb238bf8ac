"""Answers the pages of the login: who somebody is, another password, log out, and the identity provider."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import datetime
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from fewshot.accounts.accounts import Accounts
from fewshot.accounts.logins import KEPT, Login
from fewshot.accounts.oidc import Provider, ProviderError
from fewshot.accounts.passwords import AT_ONCE, LONGEST, same_password
from fewshot.accounts.tries import Tries
from fewshot.app.guard import Policy, Receive, Scope
from fewshot.app.login.http import Answer, asked_for, cookie, form, moved, own_path, query, set_cookie, told, values
from fewshot.app.login.pages import LOG_IN, login_page, logout_page, message_page, password_page
from fewshot.classroom.owners import Owner
from fewshot.errors import UsageError
from fewshot.translation import LANGUAGE, language_of_header, later, tr, tr_n

LOGIN, PASSWORD, LOGOUT = "/login", "/login/password", "/logout"
OIDC, BACK = "/login/oidc", "/login/oidc/callback"
PATHS = (LOGIN, PASSWORD, LOGOUT, OIDC, BACK)
MOST_WAITING = 20
"""Logins that wait until another one's password was checked; more are asked to come again."""
REFUSED = later("Name or password is wrong. Try again.")

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class Refused(Exception):
    """A try that did not succeed: the status and the sentence of its answer, and seconds to wait."""

    def __init__(self, status: int, said: str, wait: int = 0) -> None:
        super().__init__(said)
        self.status, self.said = status, said
        self.headers = (("retry-after", str(wait)),) if wait else ()


class Desk:
    """The pages of the login.

    Args:
        accounts: who may log in.
        policy: of the guard; it knows the app's own addresses.
        provider: the identity provider; None for none.
        ended: called with the id of a login that has ended, in the server's event loop.
    """

    def __init__(
        self,
        accounts: Accounts,
        policy: Policy,
        provider: Provider | None = None,
        ended: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.accounts, self.policy, self.provider, self.ended = accounts, policy, provider, ended
        self.tries = Tries(accounts.database)
        self._slots: anyio.CapacityLimiter | None = None

    async def find(self, scope: Scope) -> Login | None:
        """The login that a request belongs to; None if it belongs to none that holds."""
        token = cookie(scope, self.cookie_name(scope))
        return await _in_thread(self.accounts.logins.find, token) if token else None

    def cookie_name(self, scope: Scope) -> str:
        """Name of the login's cookie. Only this site itself can set one whose name begins with ``__Host-``."""
        return "__Host-fewshot-login" if self._secure(scope) else "fewshot-login"

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """Answer a request for one of ``PATHS``."""
        LANGUAGE.set(language_of_header(",".join(values(scope, "accept-language"))))
        method, path = scope["method"], scope["path"]
        reads = method in ("GET", "HEAD")
        if not reads and (method != "POST" or path in (OIDC, BACK)):
            return Answer(405, "This page takes no such request.\n", (("allow", "GET, HEAD, POST"),))
        login = await self.find(scope)
        if path in (OIDC, BACK):
            return await (self._to_provider(scope) if path == OIDC else self._from_provider(scope, login))
        if path == LOGOUT:
            return self._ask_to_log_out(login) if reads else await self._log_out(scope, receive, login)
        if path == PASSWORD:
            return await self._password(scope, receive, login, reads)
        if not reads:
            return await self._log_in(scope, receive, login)
        after = own_path(told(query(scope), "next"), PATHS)
        return Answer(200, self._login_page(scope, after)) if login is None else moved(after)

    def to_login(self, scope: Scope) -> Answer:
        """Send the browser to the login, and back afterwards to the page that it asked for."""
        from urllib.parse import quote

        after = own_path(asked_for(scope), PATHS)
        return moved(LOGIN if after == "/" else f"{LOGIN}?next={quote(after, safe='/')}")

    async def _log_in(self, scope: Scope, receive: Receive, before: Login | None) -> Answer:
        fields = await form(scope, receive)
        if fields is None:
            return Answer(400, message_page(LOG_IN, later("The form could not be read. Open the page again.")))
        name, after = told(fields, "name").strip()[:LONGEST], own_path(told(fields, "next"), PATHS)
        try:
            mark = cookie(scope, self._mark_name(scope))
            owner, changed = await self._slot(self._check, name, told(fields, "password"), _address(scope), mark)
            return await self._begin(scope, owner, before, after, changed)
        except Refused as refused:
            page = self._login_page(scope, after, refused.said, name)
            return Answer(refused.status, page, refused.headers)
        except UsageError as error:
            return Answer(401, self._login_page(scope, after, error.text, name))

    def _check(self, name: str, password: str, address: str, mark: str) -> tuple[Owner, datetime | None]:
        """Whose name and password these are, and since when it is the password.

        Raises:
            Refused: they belong to nobody, or there were too many tries.
        """
        name = name.replace("\x00", "\ufffd")  # PostgreSQL looks for no text with a zero
        own, changed = self.accounts.logins.was_here(mark, name), self.accounts.logins.changed_at(name)
        wait = 0 if own else self.tries.wait_for_address(address)
        if wait:
            logger.warning("login refused: too many tries from %s", address)
            said = tr_n(
                "Too many wrong tries from your network. Try again in {number} minute.",
                "Too many wrong tries from your network. Try again in {number} minutes.",
                _minutes(wait),
            )
            raise Refused(429, said, wait)
        wait = self.tries.take(name, own)
        if wait:
            self.tries.refused(address)
            logger.warning("login refused: too many tries under one name, the last from %s", address)
            self.accounts.note_refused(name, "too many tries")
            said = tr_n(
                "Too many wrong tries under this name. Try again in {number} minute.",
                "Too many wrong tries under this name. Try again in {number} minutes.",
                _minutes(wait),
            )
            raise Refused(429, said, wait)
        owner = self.accounts.verify(name, password)
        if owner is None:
            self.tries.refused(address)
            # Not the name: people type their password there.
            logger.warning("login refused: wrong name or password, from %s", address)
            self.accounts.note_refused(name, "wrong name or password")
            raise Refused(401, REFUSED)
        self.tries.forget(name)
        return owner, changed

    async def _begin(
        self, scope: Scope, owner: Owner, before: Login | None, after: str, changed: datetime | None = None
    ) -> Answer:
        token = await _in_thread(self.accounts.logins.begin, owner, changed)
        if before is not None:  # the cookie is replaced, so nobody could end it any more
            await self._end(before)
        mark, secure = await _in_thread(self.accounts.logins.mark, token), self._secure(scope)
        return moved(
            after,
            set_cookie(self.cookie_name(scope), token, secure),
            set_cookie(self._mark_name(scope), mark, secure, int(KEPT.total_seconds())),
        )

    async def _end(self, login: Login) -> None:
        await _in_thread(self.accounts.logins.end, login.id)
        self.ended(login.id)

    def _ask_to_log_out(self, login: Login | None) -> Answer:
        return moved(LOGIN) if login is None else Answer(200, logout_page(login.owner.name))

    async def _log_out(self, scope: Scope, receive: Receive, login: Login | None) -> Answer:
        if login is not None:
            if told(await form(scope, receive) or {}, "everywhere"):
                await _in_thread(self.accounts.logins.end_all, login.owner)
            await self._end(login)
        return moved(LOGIN, set_cookie(self.cookie_name(scope), "", self._secure(scope)))

    async def _password(self, scope: Scope, receive: Receive, login: Login | None, reads: bool) -> Answer:
        if login is None:
            return moved(LOGIN)
        name, must = login.owner.name, login.must_change
        if reads:
            return Answer(200, password_page(name, must))
        fields = await form(scope, receive) or {}
        old, new = told(fields, "old"), told(fields, "new")
        try:
            if new != told(fields, "again"):
                raise Refused(400, later("The two new passwords differ. Type them again."))
            if same_password(new, old):
                raise Refused(400, later("The new password is the one that you have now. Choose another."))
            mark = cookie(scope, self._mark_name(scope))
            _, changed = await self._slot(self._check, name, old, _address(scope), mark)
            await self._slot(self.accounts.change, login.owner, new, changed=changed)
            return await self._begin(scope, login.owner, login, "/")
        except Refused as refused:
            wrong = later("The password that you have now is wrong. Try again.")
            said = wrong if refused.said == REFUSED else refused.said
            return Answer(refused.status, password_page(name, must, said), refused.headers)
        except UsageError as error:
            return Answer(400, password_page(name, must, error.text))

    async def _to_provider(self, scope: Scope) -> Answer:
        if self.provider is None:
            return moved(LOGIN)
        after = own_path(told(query(scope), "next"), PATHS)
        try:
            url, binding = await self._slot(self.provider.begin, self._origin(scope) + BACK, after)
        except (ProviderError, Refused) as error:
            return Answer(503, message_page(LOG_IN, error.said if isinstance(error, Refused) else error.text))
        name = self._binding_name(scope)
        return Answer(303, "", (("location", url), set_cookie(name, binding, self._secure(scope), 600)))

    async def _from_provider(self, scope: Scope, before: Login | None) -> Answer:
        if self.provider is None:
            return moved(LOGIN)
        fields, binding = query(scope), cookie(scope, self._binding_name(scope))
        gone = set_cookie(self._binding_name(scope), "", self._secure(scope))
        try:
            if told(fields, "error") or not told(fields, "code"):
                raise ProviderError(later("The identity provider did not log you in. Begin again."))
            finish = functools.partial(self.provider.finish, told(fields, "state"), told(fields, "code"), binding)
            person, after = await self._slot(finish)
            owner = await _in_thread(self.accounts.known, person.issuer, person.subject, person.email)
        except (ProviderError, Refused) as error:
            said = error.said if isinstance(error, Refused) else error.text
            logger.warning("login refused: %s (from %s)", said, _address(scope))
            return Answer(401, message_page(LOG_IN, said), (gone,))
        if owner is None:
            logger.warning("login refused: the identity provider knows the person, but nobody invited them")
            await _in_thread(self.accounts.note_refused, "", "not invited")
            said = tr(
                "There is no account for {address} on this server. Ask its administrator to invite you.",
                address=person.email,
            )
            if not person.email:
                said = tr(
                    "Your school has not verified your e-mail address, so no account on this server fits it. Ask its "
                    "administrator to invite you."
                )
            return Answer(403, message_page(LOG_IN, said), (gone,))
        try:
            answer = await self._begin(scope, owner, before, after)
        except UsageError:
            return Answer(
                403,
                message_page(
                    LOG_IN, later("This account was removed a moment ago. Ask the administrator of this server.")
                ),
                (gone,),
            )
        return Answer(answer.status, answer.body, (*answer.headers, gone))

    async def _slot(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what takes long or much memory in a thread, a few at once."""
        if self._slots is None:
            self._slots = anyio.CapacityLimiter(AT_ONCE)
        if self._slots.statistics().tasks_waiting >= MOST_WAITING:
            raise Refused(503, later("Many people are logging in at the moment. Try again in a minute."), 60)
        return await anyio.to_thread.run_sync(functools.partial(work, *args, **kwargs), limiter=self._slots)

    def _login_page(self, scope: Scope, after: str, said: str = "", name: str = "") -> str:
        local = self._origin(scope).split("://")[1].rsplit(":", 1)[0] in ("localhost", "127.0.0.1", "[::1]")
        provider = "" if self.provider is None else self.provider.settings.name
        return login_page(after, said, name, provider, safe=local or self._secure(scope))

    def cookie_names(self, scope: Scope) -> tuple[str, ...]:
        """Names of the cookies that are the login's own business."""
        return self.cookie_name(scope), self._mark_name(scope), self._binding_name(scope)

    def _mark_name(self, scope: Scope) -> str:
        """Name of the cookie that says who logged in here once; see ``Logins.mark``."""
        return "__Host-fewshot-known" if self._secure(scope) else "fewshot-known"

    def _binding_name(self, scope: Scope) -> str:
        return "__Host-fewshot-oidc" if self._secure(scope) else "fewshot-oidc"

    def _secure(self, scope: Scope) -> bool:
        return self._origin(scope).startswith("https://")

    def _origin(self, scope: Scope) -> str:
        return self.policy.own_origin(scope)


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await anyio.to_thread.run_sync(functools.partial(work, *args, **kwargs))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _minutes(seconds: int) -> int:
    """Rounded up."""
    return max(1, -(-seconds // 60))
