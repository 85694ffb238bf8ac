"""Fixtures of the app's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing."""
    from argon2 import PasswordHasher

    from fewshot.accounts import passwords

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    nobody = hasher.hash("nobody")
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "_nobodys", lambda: nobody)


@pytest.fixture
def site(cheap_hashes: None) -> Iterator[Any]:
    """The app behind its gate, with accounts for Anna and Bert."""
    from fewshot.accounts.accounts import Accounts
    from fewshot.database import open_database
    from tests.app.login_client import PASSWORD, Site

    accounts = Accounts(open_database())
    for name in ("Anna", "Bert"):
        accounts.add(name, password=PASSWORD)
    made = Site(accounts)
    yield made
    made.close()
