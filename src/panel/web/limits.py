"""How often something may be tried: a sliding window for each key, in bounded memory."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 15 * 60
MOST_KEYS = 20_000


class Limits:
    """Attempts of late, by key.

    An attempt counts from when it begins, so that many at once are no way around the limit; one that succeeds is given back.

    Args:
        most: attempts that one key may have within the window.
        clock: seconds from any point, never going back.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._tried: OrderedDict[bytes, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tried)

    def wait(self, key: bytes) -> int:
        """Return the seconds until a key may be tried again, rounded up; 0 if it may be now."""
        tried = self._tried.get(key)
        now = self._clock()
        while tried and tried[0] <= now - WINDOW_SECONDS:
            tried.popleft()
        if not tried or len(tried) < self._most:
            return 0
        return math.ceil(tried[0] + WINDOW_SECONDS - now)

    def take(self, key: bytes) -> None:
        """Count an attempt; keys that were not tried for the longest time are forgotten when there are too many."""
        self._tried.setdefault(key, deque(maxlen=self._most)).append(self._clock())
        self._tried.move_to_end(key)
        while len(self._tried) > MOST_KEYS:
            self._tried.popitem(last=False)

    def give_back(self, key: bytes) -> None:
        """Take back the last attempt of a key, which succeeded."""
        tried = self._tried.get(key)
        if tried:
            tried.pop()
        if not tried:
            self._tried.pop(key, None)
