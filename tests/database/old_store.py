"""Stores as earlier versions of the program made them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from fewshot.database.upgrade import MIGRATIONS


def make_old_store(path: Path, version: str) -> None:
    """An SQLite file with the empty tables of one version."""
    _run(path, command.upgrade, version)


def go_back(path: Path, version: str) -> None:
    """Run the ways back of the migrations after a version."""
    _run(path, command.downgrade, version)


def _run(path: Path, direction: object, version: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        direction(config, version)
    engine.dispose()
