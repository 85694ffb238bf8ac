"""``fewshot accounts``: who may log in to the app."""

from __future__ import annotations

from pathlib import Path

from fewshot.accounts.accounts import Account, Accounts
from fewshot.classroom.owners import Owner
from fewshot.commands.secret_words import secret_word
from fewshot.commands.terminal import cell, console, table, tell
from fewshot.errors import UsageError
from fewshot.session.analysis.words import counted


def show_accounts() -> None:
    """List the accounts, with what belongs to each."""
    accounts = Accounts().all()
    if not accounts:
        tell("There is no account yet. To add one, type: fewshot accounts add NAME")
        return
    rows = table("Name", "Role", "Logs in with", "Classes", "Lessons", "Logged in now", "Last login")
    for account in accounts:
        last = "never" if account.last is None else account.last.astimezone().strftime("%Y-%m-%d %H:%M")
        cells = (account.owner.name, account.owner.role, how(account), ", ".join(account.classes) or "none")
        rows.add_row(*map(cell, cells), str(account.lessons), str(account.running), last)
    console().print(rows)


def how(account: Account) -> str:
    """How an account logs in, in words."""
    ways = []
    if account.password:
        ways.append("a one-time password" if account.must_change else "password")
    if account.email:
        ways.append(account.email)
    return ", ".join(ways) or "nothing: give it a password"


def add_account(name: str, administrator: bool, password_file: Path | None, email: str, takes_local: bool) -> None:
    """Add an account.

    Args:
        name: of the account.
        administrator: see ``Owner``.
        password_file: where the password is; None asks for it, unless there is an address.
        email: address at the identity provider; "" for none.
        takes_local: give it the classes and lessons of this computer's local teacher.

    Raises:
        UsageError: see ``Accounts.add`` and ``Accounts.give``.
    """
    accounts = Accounts()
    if administrator and takes_local:
        raise UsageError(
            "An administrator has no classes, so nobody was added. Leave out --administrator or --takes-local."
        )
    accounts.check_new(name, email)
    password = None if email and password_file is None else secret_word("password", password_file)
    owner = accounts.add(name, "administrator" if administrator else "teacher", password, email)
    tell(f"{owner.name} was added as {'an administrator' if administrator else 'a teacher'}.")
    if takes_local:
        _give_local(accounts, owner)
    tell("To let other computers in, type: fewshot app --public-url https://NAME (docs/how-to/school-server.md)")


def _give_local(accounts: Accounts, owner: Owner) -> None:
    classes, lessons = accounts.give(accounts.owners.local(), owner, settings=True)
    tell(
        f"{counted(classes, 'class', 'classes')} and {counted(lessons, 'lesson')} of this computer's local teacher "
        f"belong to {owner.name} now."
    )


def reset_account(name: str, password_file: Path | None) -> None:
    """Give an account another password, and end its logins.

    Raises:
        UsageError: see ``Accounts.reset``.
    """
    accounts = Accounts()
    account = accounts.get(name)
    owner = accounts.reset(name, secret_word("password", password_file))
    tell(f"{owner.name} has a new password. {counted(account.running, 'login')} of this account ended.")


def remove_account(name: str, give_to: str | None, delete_classes: bool) -> None:
    """Remove an account.

    Raises:
        UsageError: see ``Accounts.remove``.
    """
    accounts = Accounts()
    account = accounts.remove(name, give_to=give_to, delete_all=delete_classes)
    tell(f"{account.owner.name} was removed. {counted(account.running, 'login')} of this account ended.")
    if account.classes or account.lessons:
        where = "were deleted" if give_to is None else f"belong to {accounts.owners.find(give_to).name} now"
        both = f"{counted(len(account.classes), 'class', 'classes')} and {counted(account.lessons, 'lesson')}"
        tell(f"{both} {where}.")
