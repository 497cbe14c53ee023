"""One at a time: who clicks twice waits for the first click's answer, and is told that it was done."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

    from starlette.requests import Request


@asynccontextmanager
async def turn(request: Request, key: Hashable) -> AsyncIterator[None]:
    """Wait until no other request of this server is at the same thing."""
    state = request.app.state
    if not hasattr(state, "turns"):
        state.turns = WeakValueDictionary()
    turns: WeakValueDictionary[Hashable, asyncio.Lock] = state.turns
    lock = turns.get(key)
    if lock is None:
        lock = turns[key] = asyncio.Lock()
    async with lock:
        yield
