"""The password of the TURN server: in a file that only this user can read, or in the environment; in no database."""

from __future__ import annotations

from fewshot.errors import UsageError, reason_of
from fewshot.models.files import home
from fewshot.private_files import make_private_folder
from fewshot.secret_variables import secret_variable
from fewshot.translation import later
from fewshot.vault.durable import write_through

VARIABLE = "FEWSHOT_TURN_PASSWORD"
FILE = "turn-password"


def from_environment() -> bool:
    """Whether the environment names the password, so that the file is not used."""
    return bool(secret_variable(VARIABLE))


def read() -> str:
    """The password; "" if there is none.

    Raises:
        UsageError: the file is there, but cannot be read; see also ``secret_variable``.
    """
    given = secret_variable(VARIABLE)
    if given:
        return given
    try:
        return (home() / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeError) as error:
        raise UsageError(
            later(
                "The password of the TURN server in {file} cannot be read ({reason}). Delete this file, and type "
                "the password again under Settings, Connection.",
                file=home() / FILE,
                reason=error,
            )
        ) from error


def write(password: str) -> None:
    """Keep the password with the rights 0600; "" deletes it. A crash leaves the old one or the new one.

    Raises:
        UsageError: the file cannot be written.
    """
    target = home() / FILE
    try:
        if not password:
            target.unlink(missing_ok=True)
            return
        make_private_folder(target.parent)
        write_through(target, password.encode())
    except OSError as error:
        raise UsageError(
            later(
                "The password of the TURN server could not be saved in {target} ({reason}). Check that the folder "
                "has free space and may be written to.",
                target=target,
                reason=reason_of(error),
            )
        ) from error
