"""How connections to a PostgreSQL server are set up: no program may wait for another one for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

PATIENCE = 20.0
"""Seconds to wait while another program changes the same rows."""

FROZEN = 15.0
"""Seconds after which the server undoes the transaction of a program that does nothing in it: its locks are free.

A program that was stopped while it wrote would lock its lesson until it wakes up. Shorter than ``PATIENCE``, so that
whoever waits for the lock gets it.
"""

_CONNECT = 10
_TURN = 0x66657773  # any number that other programs on the server are unlikely to use
_AS_EXPECTED = "-c datestyle=ISO,MDY -c extra_float_digits=3 -c default_transaction_isolation=read\\ committed"
"""An administrator may have set for other programs how values are written, or that a transaction sees one moment only.

The driver reads dates in this form only, numbers would lose digits, and who waited for a lock must see what changed.
"""

_UNACKNOWLEDGED = 20_000  # milliseconds; a cable that was pulled is noticed after that, and not after two hours


_OTHERS = (
    "SELECT coalesce(nullif(application_name, ''), usename), coalesce(host(client_addr), 'the server itself'), "
    "count(*) "
    "FROM pg_stat_activity WHERE datname = :name AND usesysid IS NOT NULL AND pid <> ALL(:ours) "
    "AND pid <> pg_backend_pid() "
    "GROUP BY 1, 2 ORDER BY 1, 2"
)


def options_for(address: URL) -> dict[str, Any]:
    """What libpq is told, unless the address says otherwise; {} for another database or driver."""
    if address.get_backend_name() != "postgresql" or address.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    limits = f"-c lock_timeout={PATIENCE * 1000:.0f} -c idle_in_transaction_session_timeout={FROZEN * 1000:.0f}"
    wanted = {
        "connect_timeout": _CONNECT, "tcp_user_timeout": _UNACKNOWLEDGED, "client_encoding": "utf8",
        "options": f"{limits} {_AS_EXPECTED}",
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if name not in address.query}


def take_turn(session: Session | Connection) -> None:
    """Wait until no other program changes the database, as SQLite does by itself; it lasts as long as the transaction.

    Otherwise two programs that enroll the same student would both find that the student is not there.
    """
    dialect = session.dialect if isinstance(session, Connection) else session.get_bind().dialect
    if dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _TURN})


def connected(connection: Connection, name: str, patience: float, ours: Sequence[int] = ()) -> str:
    """Which other programs are connected to a database of the server, in words; "" if none is.

    Args:
        connection: to the server, without a transaction.
        name: of the database.
        patience: seconds to wait until they have left it.
        ours: connections of this program, as the server numbers them; besides this one.
    """
    until = time.monotonic() + patience
    while True:
        others = connection.execute(text(_OTHERS), {"name": name, "ours": list(ours)}).all()
        if not others or time.monotonic() > until:
            return ", ".join(f"{count} of {program} from {place}" for program, place, count in others)
        time.sleep(0.1)
