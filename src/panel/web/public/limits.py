"""How often a reader may do something: a moving window for each reader and each address, kept in memory."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from limits import RateLimitItem

OF_READER = "30 per minute"
OF_ADDRESS = "120 per minute"


class Limits:
    """Counts what readers do."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, limit: str, *key: str) -> bool:
        """Count one more, and return whether it is within a limit, such as `3 per day`."""
        return self._limiter.hit(parse(limit), *key)

    def check(self, limit: str, *key: str) -> None:
        """Count one more, or refuse it.

        Args:
            limit: such as `30 per minute`.
            key: whose.

        Raises:
            HTTPException: 429, which says after how many seconds to try again.
        """
        item: RateLimitItem = parse(limit)
        if not self._limiter.hit(item, *key):
            left = self._limiter.get_window_stats(item, *key).reset_time - time.time()
            wait = str(max(1, math.ceil(left)))
            raise HTTPException(429, f"Too many at once; try again in {wait} seconds.", {"retry-after": wait})
