"""Several pages, a few at a time: what each address gives, in the order in which they were named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

from panel.errors import InputError
from panel.web_pages.fetch import fetch_page
from panel.web_pages.snapshot import Snapshot

Getter = Callable[[str], Awaitable[Snapshot]]
"""Gives the page of an address, or raises InputError with one line that says why there is none."""

AT_ONCE = 4


async def public_page(url: str) -> Snapshot:
    """Return a public page as it is now; see `fetch_page`."""
    return await fetch_page(url, clock=lambda: datetime.now(UTC).replace(microsecond=0))


async def each_page(sources: Sequence[str], get: Getter) -> AsyncIterator[tuple[str, Snapshot | InputError]]:
    """Yield each source with its page, or with why there is none, as soon as those before it are done.

    Args:
        sources: what is named.
        get: gives the page of one; a few run at once.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def outcome(source: str) -> Snapshot | InputError:
        async with limit:
            try:
                return await get(source)
            except InputError as error:
                return error

    tasks = [asyncio.create_task(outcome(source)) for source in sources]
    try:
        for source, task in zip(sources, tasks, strict=True):
            yield source, await task
    finally:
        for task in tasks:
            task.cancel()
