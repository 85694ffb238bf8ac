"""Limits on how often somebody may call; counted in memory, by each process for itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fewshot.accounts.tries import network_of

if TYPE_CHECKING:
    from limits import RateLimitItem

CALLS = "600 per minute"
"""Requests of one token or login."""
REFUSED = "60 per 5 minutes"
"""Requests of one address with a token that opens nothing."""
UPLOADS = "120 per minute"
"""Requests with photos or pictures of one token or login."""


class Rates:
    """Counts requests in a moving window.

    Args:
        calls, refused, uploads: see the constants of this module.
    """

    def __init__(self, calls: str = CALLS, refused: str = REFUSED, uploads: str = UPLOADS) -> None:
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._calls, self._refused, self._uploads = parse(calls), parse(refused), parse(uploads)

    def call(self, key: str, upload: bool = False) -> int:
        """Count a request of a caller. Returns the seconds to wait before it may be answered; 0: now."""
        for limit, counts in ((self._calls, True), (self._uploads, upload)):
            if counts and not self._window.hit(limit, key):
                return self._wait(limit, key)
        return 0

    def refused(self, address: str) -> None:
        """Count a request that nobody was allowed to make."""
        self._window.hit(self._refused, network_of(address))

    def wait_for(self, address: str) -> int:
        """Seconds until an address may try another token; 0: now."""
        key = network_of(address)
        return 0 if self._window.test(self._refused, key) else self._wait(self._refused, key)

    def _wait(self, limit: RateLimitItem, key: str) -> int:
        return max(1, round(self._window.get_window_stats(limit, key).reset_time - time.time()))
