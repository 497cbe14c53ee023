"""How often a reader may do something: a moving window for each reader and each address, kept in memory."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

OF_READER = "30 per minute"
OF_ADDRESS = "120 per minute"
MOST_KEYS = 20_000
"""Readers and addresses that are counted at a time; the storage never forgets any by itself, so that it is emptied then."""


class Limits:
    """Counts what readers do."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)

    def allows(self, limit: str, *key: str) -> bool:
        """Count one more, and return whether it is within a limit, such as `3 per day`."""
        if len(self._storage.events) > MOST_KEYS:
            self._storage.reset()
        return self._limiter.hit(parse(limit), *key)

    def check(self, limit: str, *key: str) -> None:
        """Count one more, or refuse it.

        Args:
            limit: such as `30 per minute`.
            key: whose.

        Raises:
            HTTPException: 429, which says after how many seconds to try again.
        """
        if not self.allows(limit, *key):
            left = self._limiter.get_window_stats(parse(limit), *key).reset_time - time.time()
            wait = str(max(1, math.ceil(left)))
            raise HTTPException(429, f"Too many at once; try again in {wait} seconds.", {"retry-after": wait})
