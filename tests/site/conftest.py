from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.store import open_store
from publishing import Site, copy_store, empty_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from panel.store import Store


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in a file, to be copied."""
    return empty_store(tmp_path_factory.mktemp("empty") / "panel.db")


@pytest.fixture
async def store(empty: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    async with open_store(copy_store(empty, tmp_path / "panel.db")) as opened:
        yield opened


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    """A site that is not built yet."""
    return Site(store, tmp_path / "site")
