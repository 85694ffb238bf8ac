"""A home of the program that is made once and copied for every test: making it takes longer than a test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fewshot.classroom.store import ClassStore
from fewshot.database import engine


def made_home(factory: pytest.TempPathFactory, make: Callable[[], ClassStore]) -> Path:
    """The folder that ``make`` has filled, with its database closed.

    Args:
        factory: makes the folder.
        make: fills the usual store.
    """
    home = factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(home))
        make().database.close()
    return home


def writable_places(home: Path, tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Everywhere the program may write: its data, its keys, temporary files, and another folder, which is made.

    Args:
        home: folder with the data; the keys lie beside it.
        other: name of the other folder in ``tmp_path``.
    """
    found = [home, home.with_name(f"{home.name}-keys"), tmp_path / "temp", tmp_path / other]
    for folder in found[2:]:
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setattr(engine, "_opened", {})
    return found
