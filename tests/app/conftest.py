"""Fixtures of the app's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def empty_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No lesson runs in this program, before and after; and no models are loaded ahead."""
    from fewshot.app.lesson_room import ROOM

    monkeypatch.setattr("fewshot.app.warm._load", lambda: None)
    yield
    ROOM.close()
    ROOM._lessons.clear()


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing."""
    from argon2 import PasswordHasher

    from fewshot.accounts import passwords

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    nobody = hasher.hash("nobody")
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "_nobodys", lambda: nobody)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Puts a database whose tables were made once into a folder: making them takes longer than most tests."""
    from fewshot.database import Database

    made = tmp_path_factory.mktemp("made") / "fewshot.db"
    Database(f"sqlite:///{made}").close()

    def put(folder: Path) -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(shutil.copy(made, folder / "fewshot.db"))

    return put


@pytest.fixture
def site(cheap_hashes: None, empty_database: Any, fewshot_home: Path) -> Iterator[Any]:
    """The app behind its gate, with accounts for Anna and Bert."""
    from fewshot.accounts.accounts import Accounts
    from fewshot.database import open_database
    from tests.app.login_client import PASSWORD, Site

    accounts = Accounts(open_database(f"sqlite:///{empty_database(fewshot_home)}"))
    for name in ("Anna", "Bert"):
        accounts.add(name, password=PASSWORD)
    made = Site(accounts)
    yield made
    made.close()


@pytest.fixture
def whole_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The app as it is served, in this process; files of up to 100 MB."""
    import tempfile

    from streamlit import config
    from streamlit.runtime import Runtime

    from fewshot.app import server, upload_files
    from tests.app.whole_app import WholeApp

    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(Runtime, "_instance", None)
    for name, value in (("_built", []), ("_desks", []), ("_service", lambda _: (None, []))):
        monkeypatch.setattr(server, name, value)
    monkeypatch.setattr(upload_files, "_open", [])
    monkeypatch.setattr(upload_files, "_draw_again", lambda _: None)
    most = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 100)
    made = WholeApp(folder)
    yield made
    made.close()
    config.set_option("server.maxUploadSize", most)
