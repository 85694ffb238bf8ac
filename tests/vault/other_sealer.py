"""A program of its own, for tests: it encrypts a database on a server and ends before a statement.

Run it with ``URL LAST``. It prints the statements that change something, in the order in which they ran.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from sqlalchemy import Engine, event

from fewshot.database import Database
from fewshot.database.new_database import seal_into_new


def run(url: str, last: int) -> None:
    """Encrypt the database; the program ends before statement number ``last`` (from 0)."""
    database, done = Database(url), [0]

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "SHOW")):
            return
        if done[0] == last:
            os._exit(9)
        done[0] += 1
        print(" ".join(statement.split())[:60], flush=True)

    event.listen(Engine, "before_cursor_execute", before)
    seal_into_new(database)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
