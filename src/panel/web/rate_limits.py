"""Rate limits: a moving window for each key, kept in bounded memory."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

MAX_KEYS = 20_000


class RateLimiter:
    """Counts attempts by key. With more than `MAX_KEYS` keys, the one idle for the longest time is forgotten.

    A limit is written as `30 per minute`; a key may have several parts.
    """

    def __init__(self) -> None:
        # The storage drops old attempts, but never a key.
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)

    def __len__(self) -> int:
        return len(self._storage.events)

    def hit(self, limit: str, *key: str) -> int:
        """Count an attempt and return 0; beyond the limit, count nothing and return the seconds to wait."""
        wait = 0 if self._windows.hit(parse(limit), *key) else self.wait(limit, *key)
        events = self._storage.events
        stored = parse(limit).key_for(*key)
        with self._storage.locks[stored]:
            events[stored] = events.pop(stored, [])
        while len(events) > MAX_KEYS:
            self._forget(next(iter(events)))
        return wait

    def wait(self, limit: str, *key: str) -> int:
        """Return the seconds until the next attempt is allowed, rounded up; 0 if it is allowed now."""
        window = self._windows.get_window_stats(parse(limit), *key)
        return 0 if window.remaining > 0 else max(1, math.ceil(window.reset_time - time.time()))

    def refund(self, limit: str, *key: str) -> None:
        """Uncount the last attempt of a key."""
        stored = parse(limit).key_for(*key)
        with self._storage.locks[stored]:
            attempts = self._storage.events.get(stored, [])
            del attempts[:1]  # the newest is first
        if not attempts:
            self._forget(stored)

    def _forget(self, stored: str) -> None:
        # The lock keeps out the storage's own thread, which drops old attempts.
        with self._storage.locks[stored]:
            self._storage.events.pop(stored, None)
        self._storage.locks.pop(stored, None)
