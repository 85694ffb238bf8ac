"""Limits on failed logins: by address in memory, by name in the database, so that a restart lifts no lock-out.

Whoever knows a name can lock it. So browsers in which its owner logged in before are counted apart: strangers cannot
keep the owner out of them. Names without an account are counted like the others, so a lock-out does not tell which
names have one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete

from fewshot.classroom.names import folded
from fewshot.database import Database
from fewshot.database.account_tables import RefusedRow
from fewshot.database.columns import now

BY_NAME = 10
"""Failed logins under one name within ``WITHIN``, after which the name is locked for ``LOCKED``."""
WITHIN = timedelta(minutes=15)
LOCKED = timedelta(minutes=15)
BY_ADDRESS = "30 per 5 minutes"
"""Failed logins from one address, with the names of everybody who shares it."""
_KEPT = timedelta(days=1)


class Tries:
    """Counts failed logins.

    Args:
        database: where the names are counted.
        clock: the current time in UTC; for tests.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._database, self._clock = database, clock
        self._limiter, self._limit = MovingWindowRateLimiter(MemoryStorage()), parse(BY_ADDRESS)

    def wait_for_address(self, address: str) -> int:
        """Seconds until somebody at an address may try again; 0: now."""
        if self._limiter.test(self._limit, network_of(address)):
            return 0
        return max(1, round(self._limiter.get_window_stats(self._limit, network_of(address)).reset_time - time.time()))

    def take(self, name: str, own: bool = False) -> int:
        """Count a try under a name before its password is looked at, so that many at once are no way around.

        Args:
            name: as it was typed.
            own: it comes from a browser where somebody logged in under this name before.

        Returns:
            Seconds until the name may be tried again; 0: this try may go on.
        """
        when = self._clock()
        with self._database.write() as session:
            session.execute(delete(RefusedRow).where(RefusedRow.first < when - _KEPT))
            row = session.get(RefusedRow, _key(name, own))
            if row is None:
                row = RefusedRow(name=_key(name, own), count=0, first=when)
                session.add(row)
            if row.until is not None and row.until > when:
                return max(1, round((row.until - when).total_seconds()))
            if row.until is not None or when - row.first > WITHIN:
                row.count, row.first, row.until = 0, when, None
            row.count += 1
            if row.count >= BY_NAME:  # the last one may still be right, and then forgets them all
                row.until = when + LOCKED
        return 0

    def refused(self, address: str) -> None:
        """Count a failed login from an address."""
        self._limiter.hit(self._limit, network_of(address))

    def forget(self, name: str) -> None:
        """A login under this name was right, or an administrator lifts its lock."""
        with self._database.write() as session:
            session.execute(delete(RefusedRow).where(RefusedRow.name.in_([_key(name), _key(name, own=True)])))


def _key(name: str, own: bool = False) -> str:
    plain = folded(name)[:1024].encode("utf-8", "surrogatepass")
    return hashlib.blake2s(plain).hexdigest() if own else hashlib.sha256(plain).hexdigest()


def network_of(address: str) -> str:
    """One home or school has 2^64 addresses of IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped is not None else str(ip_network((found, 64), strict=False))
    return str(found)
