"""The store as commands open it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import StorageError
from panel.orchestrator.models import data_dir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from panel.settings.resolve import Resolved
    from panel.store import Store

FILE = "panel.db"


def store_address(resolved: Resolved) -> str | Path:
    """Return where the store is: the address that is set, or a file with the user's data."""
    return resolved.settings.database_url or data_dir(resolved) / FILE


def opened(resolved: Resolved) -> AbstractAsyncContextManager[Store]:
    """Open the store in force, and make it if there is none.

    Raises:
        PanelError: it cannot be used.
    """
    from panel.store import open_store

    where = store_address(resolved)
    if isinstance(where, Path):
        try:
            where.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{where.parent}: {error.strerror}; choose another folder with PANEL_DATA_DIR"
            ) from error
    return open_store(where)


@asynccontextmanager
async def opened_if_there(resolved: Resolved) -> AsyncIterator[Store | None]:
    """Open the store in force, or return None if it is a file that is not there; raises as `opened` does."""
    where = store_address(resolved)
    if isinstance(where, Path) and not where.exists():
        yield None
        return
    async with opened(resolved) as store:
        yield store
