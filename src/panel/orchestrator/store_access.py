"""Access to the store that the settings name: created where it is missing, required, or used only if it exists."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from panel.settings.resolve import Resolved
    from panel.store import Store, StoreInfo

T = TypeVar("T")


def configured_store(resolved: Resolved) -> AbstractAsyncContextManager[Store]:
    """Open the configured store; create it if it does not exist.

    Raises:
        PanelError: it cannot be opened.
    """
    from panel.store import open_store

    address = resolved.database
    if isinstance(address, Path):
        try:
            address.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{address.parent}: {error.strerror}; choose another folder with PANEL_DATA_DIR"
            ) from error
    return open_store(address)


@asynccontextmanager
async def existing_store(resolved: Resolved) -> AsyncIterator[Store | None]:
    """Open the configured store, or return None if it does not exist; raises as `configured_store` does."""
    from panel.store import read_store_info

    if read_store_info(resolved.database).exists:
        async with configured_store(resolved) as store:
            yield store
    else:
        yield None


def require_store(resolved: Resolved) -> StoreInfo:
    """Return kind, revision and size of the configured store.

    Raises:
        SettingsError: it does not exist.
        PanelError: it cannot be read.
    """
    from panel.store import read_store_info

    info = read_store_info(resolved.database)
    if not info.exists:
        raise SettingsError(f"{info.where}: there is no database yet; any review makes it: panel review FILE")
    return info


def use_store(resolved: Resolved, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return the result of `work` with the configured store, which must exist; raises as `require_store` does."""
    require_store(resolved)

    async def run() -> T:
        async with configured_store(resolved) as store:
            return await work(store)

    return asyncio.run(run())


def use_existing_store(resolved: Resolved, work: Callable[[Store], Awaitable[T]]) -> T | None:
    """Return the result of `work` with the configured store, or None if there is no store."""

    async def run() -> T | None:
        async with existing_store(resolved) as store:
            return None if store is None else await work(store)

    return asyncio.run(run())
