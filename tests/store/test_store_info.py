from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from panel.errors import SettingsError, StorageError
from panel.store import StoreInfo, open_store, read_store_info
from panel.store.database import REVISIONS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_an_existing_store_has_a_kind_a_revision_and_a_size(where: str, kind: str) -> None:
    async with open_store(where):
        pass
    seen = read_store_info(where)
    assert (seen.kind.lower(), seen.revision) == (kind, REVISIONS[-1])
    assert seen.exists
    assert not seen.is_newer
    assert seen.bytes > 10_000


def test_reading_the_info_of_a_store_creates_nothing(nothing: str, path: Path) -> None:
    for _ in range(2):
        seen = read_store_info(nothing)
        assert not seen.exists
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_an_address_of_something_else_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (name)")
    with pytest.raises(StorageError, match="holds the tables of another program"):
        read_store_info(path)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="is not a database"):
        read_store_info(path)
    with pytest.raises(SettingsError, match="mysql is not supported"):
        read_store_info("mysql://somewhere/panel")


def test_a_revision_that_is_not_known_is_newer() -> None:
    assert StoreInfo(where="a.db", kind="SQLite", revision="9999").is_newer
    assert not StoreInfo(where="a.db", kind="SQLite").is_newer
