"""The store for commands that look at what is there, and so never make it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from panel.errors import SettingsError
from panel.orchestrator.storing import opened, store_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from panel.settings.resolve import Resolved
    from panel.store import Glance, Store

T = TypeVar("T")


def glanced(resolved: Resolved) -> Glance:
    """Return what there is where the store in force belongs.

    Raises:
        PanelError: that cannot be told.
    """
    from panel.store import glance

    return glance(store_address(resolved))


def found(resolved: Resolved) -> Glance:
    """Return what there is of the store in force.

    Raises:
        SettingsError: there is none.
        PanelError: that cannot be told.
    """
    seen = glanced(resolved)
    if not seen.there:
        raise SettingsError(f"{seen.where}: there is no database yet; any review makes it: panel review FILE")
    return seen


def look(resolved: Resolved, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return what work on the store in force returns.

    Raises:
        SettingsError: there is none.
        PanelError: it cannot be used.
    """
    found(resolved)

    async def at_it() -> T:
        async with opened(resolved) as store:
            return await work(store)

    return asyncio.run(at_it())
