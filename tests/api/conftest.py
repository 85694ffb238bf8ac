"""The service with drawn eyes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_faces import draw_photo, see_drawings


@pytest.fixture(scope="session")
def made_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose tables were made once: making them takes longer than most tests."""
    from fewshot.database import Database

    made = tmp_path_factory.mktemp("made") / "fewshot.db"
    Database(f"sqlite:///{made}").close()
    return made


@pytest.fixture(autouse=True)
def empty_database(made_database: Path, fewshot_home: Path) -> None:
    """Every test has a database of its own."""
    fewshot_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(made_database, fewshot_home / "fewshot.db")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything real but the models."""
    see_drawings(monkeypatch)


@pytest.fixture
def served(drawn: None, fewshot_home: Path) -> Iterator[Any]:
    """A service that this computer alone reaches."""
    from fewshot.api.service import Service
    from tests.api.served import running

    with running(Service()) as found:
        yield found


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Starts ``fewshot serve`` with other words; what was started ends with the test."""
    from fewshot.session.settings import Settings
    from tests.api.serve_process import Served

    Settings().set("detector", "cascade")  # the one that needs no download
    made: list[Served] = []

    def start(*words: str) -> Served:
        made.append(Served(*words))
        return made[-1]

    yield start
    for each in made:
        each.end()


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., bytes]:
    """Bytes of a drawn photo: photo({person: side}, emotion, seed)."""

    def draw(people: dict[int, int], emotion: int = 3, seed: int = 1, suffix: str = ".png") -> bytes:
        return draw_photo(tmp_path / f"drawn{suffix}", people, emotion, seed).read_bytes()

    return draw
