"""Decides at the start whether people must log in, and sets up what they log in with."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.accounts import oidc
from fewshot.app.listening import Listening, reachable_elsewhere, refuse_without_login
from fewshot.app.server import options_of
from fewshot.errors import UsageError

if TYPE_CHECKING:
    from fewshot.app.guard import Policy
    from fewshot.app.login.desk import Desk

CERTIFICATE = "STREAMLIT_SERVER_SSL_CERT_FILE"
_NEEDED = {"argon2": "argon2-cffi", "limits": "limits", "authlib": "authlib"}


def must_log_in(where: Listening, source: str, public: Mapping[str, str], login: bool, without_login: bool) -> bool:
    """Whether people must log in to the app.

    Args:
        where: the address to listen at.
        source: what asked for it: an option, a variable or a file.
        public: addresses that a reverse proxy gives the app; see ``public_origins``.
        login: whether a login is asked for on this computer too.
        without_login: whether other computers may come in without one.

    Raises:
        UsageError: people must log in and nobody could, or the two wishes contradict each other.
    """
    if login and without_login:
        raise UsageError("--login and --without-login contradict each other. Leave one of them out.")
    if without_login or (where.local and not reachable_elsewhere(public) and not login):
        return False
    from fewshot.accounts.accounts import Accounts

    accounts = Accounts()
    if accounts.any() or oidc.from_environment() is not None:
        return True
    if login:
        raise UsageError(
            "The app does not start: --login asks for a login, and there is no account yet.",
            hint="To add one, type: fewshot accounts add NAME",
        )
    refuse_without_login(where, source, public, accounts.were_used())
    return False


def desk_for(policy: Policy) -> Desk:
    """The pages of the login.

    Raises:
        UsageError: a package is not installed, or the identity provider is not set up completely.
    """
    missing = [name for module, name in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(
            f"Login needs packages that are not installed ({', '.join(missing)}).",
            hint="To install them, type in the project's folder: pip install '.[app]' (or: make app)",
        )
    from fewshot.accounts.accounts import Accounts
    from fewshot.accounts.passwords import warm_up
    from fewshot.app.login.desk import Desk

    settings = oidc.from_environment()
    warm_up()
    return Desk(Accounts(), policy, None if settings is None else oidc.Provider(settings))


def has_certificate() -> bool:
    """Whether Streamlit is given a certificate by a variable or a file, so that the app itself speaks HTTPS."""
    # Not by Streamlit's own function: whoever asks it before the start is warned about options that change later.
    if os.environ.get(CERTIFICATE):
        return True
    from streamlit.config import get_config_files

    for path in map(Path, get_config_files("config.toml")):
        with contextlib.suppress(OSError, ValueError):  # what cannot be read is reported where the address is read
            if options_of(path).get("server.sslCertFile"):
                return True
    return False
