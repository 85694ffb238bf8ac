"""Where the default database is, as the environment names it, and what an address means."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from fewshot.errors import UsageError
from fewshot.secret_variables import secret_variable

VARIABLE = "FEWSHOT_DATABASE"
PASSWORD = "FEWSHOT_DATABASE_PASSWORD"  # nosec B105: the name of a variable


def named() -> str:
    """The address that the environment names, with the password of the environment; "" if it names none.

    Raises:
        UsageError: it is not an address, it holds a password besides that of the environment, or see
            ``secret_variable``.
    """
    given = (secret_variable(VARIABLE) or "").strip()
    password = secret_variable(PASSWORD)
    if not given or not password:
        return given
    address = address_of(given)
    if address.get_backend_name() == "sqlite":
        raise UsageError(f"{PASSWORD} is set, and the database of {VARIABLE} is a file, which has no password.")
    if address.password is not None:
        raise UsageError(f"{VARIABLE} holds a password, and {PASSWORD} another one. Remove one of them.")
    return address.set(password=password).render_as_string(hide_password=False)


def address_of(url: str | URL) -> URL:
    """An address as SQLAlchemy takes it.

    Raises:
        UsageError: it is not an address of a database.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            f"{str(url)!r} is not the address of a database. Write {VARIABLE} like sqlite:////home/me/fewshot.db."
        ) from error


def shown(address: URL) -> str:
    """An address as a person may see it: without any password, also one among its options."""
    hidden = {name: "***" for name in address.query if "password" in name.lower()}
    return address.update_query_dict(hidden).render_as_string(hide_password=True)


def is_file(address: URL) -> bool:
    """Whether a database is a file of this computer, and neither in memory nor on a server."""
    return address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}
