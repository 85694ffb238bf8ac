"""Visitors of the demo: each one is an owner with a store in memory, which is gone when the visit ends."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import text

from fewshot.classroom.owners import Owners
from fewshot.database import Database
from fewshot.database.engine import lend
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError

LARGEST = 24_000_000
"""Bytes of a visitor's store. A change that needs more is refused."""


def begin_visit() -> Owner:
    """Make a new owner with an empty store, which nobody else can open."""
    database = Database("sqlite://")
    with database.read() as session:
        size = session.execute(text("PRAGMA page_size")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {LARGEST // int(size)}"))
    owner = Owners(database).add("visitor")
    lend(owner.id, database)
    return owner


def end_visit(owner: Owner) -> None:
    """Delete the store of a visitor with everything in it; what still works on it gets a ``StoreError``."""
    database = lend(owner.id, None)
    if database is not None:
        with suppress(FewshotError):
            database.close()
