"""``fewshot tokens``: which programs may use the service, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fewshot.accounts.tokens import SCOPES, Token, Tokens
from fewshot.classroom.owners import owner_of_name
from fewshot.commands.terminal import NOTICE, cell, console, say, table, tell
from fewshot.database.owner import LOCAL_TEACHER


def show_tokens() -> None:
    """List the tokens of all accounts: what each may do, and until when."""
    tokens = Tokens().all()
    if not tokens:
        tell("There is no token yet. To add one, type: fewshot tokens add NAME --scope read")
        return
    rows = table("Number", "Name", "Works for", "May", "Classes", "Until", "Last used")
    for token in tokens:
        used = "never" if token.used is None else f"{token.used.astimezone():%Y-%m-%d}"
        cells = (token.name, token.owner.name, ", ".join(sorted(token.scopes)), _classes(token), _until(token), used)
        rows.add_row(str(token.id), *map(cell, cells))
    console().print(rows)


def add_token(name: str, scopes: Sequence[str], classes: Sequence[str] | None, days: int, as_name: str | None) -> None:
    """Add a token, and print its text, which is shown only once.

    Args:
        name: what to call it.
        scopes: what it may do.
        classes: the classes that it may use; None or none: all of the teacher.
        days: after how many days it ends.
        as_name: the account for which it works; None is the local teacher.

    Raises:
        UsageError: see ``Tokens.add``; also if there is no such account.
    """
    owner = LOCAL_TEACHER if as_name is None else owner_of_name(as_name)
    text, token = Tokens().add(owner, name, scopes, classes or None, days)
    what = "; ".join(SCOPES[scope] for scope in sorted(token.scopes))
    say([f"Token {token.id} works for {owner.name} until {_until(token)}. Classes: {_classes(token)}. It may: {what}."])
    say(["Keep it secret. It is shown only now:"])
    tell(text)
    if token.scopes & {"analyze", "lesson", "enroll"}:
        say([NOTICE])


def remove_token(number: int) -> None:
    """Remove a token. What still uses it is refused from now on.

    Raises:
        UsageError: there is no such token.
    """
    token = Tokens().remove(number)
    tell(f"Token {token.id} ({token.name}) was removed. It opens nothing any more.")


def _classes(token: Token) -> str:
    if token.classes is None:
        return "all"
    return ", ".join(sorted(token.classes.values())) or "none, they were deleted"


def _until(token: Token) -> str:
    ended = " (ended)" if token.expires <= datetime.now(UTC) else ""
    return f"{token.expires.astimezone():%Y-%m-%d}{ended}"
