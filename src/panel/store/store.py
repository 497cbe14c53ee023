"""The store as the rest of panel sees it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from panel.errors import SettingsError
from panel.store.approval import Approvals
from panel.store.calls import Calls
from panel.store.draft_locks import Claims
from panel.store.drafts import Drafts
from panel.store.errors import storage_error
from panel.store.health import find_flaws
from panel.store.leases import Leases
from panel.store.postgres import PostgresDatabase
from panel.store.publications import Publications
from panel.store.queue import Queue
from panel.store.repository import AsyncDatabase
from panel.store.run_stats import RunStats
from panel.store.runs import Runs
from panel.store.sqlite import SqliteDatabase
from panel.store.subscribers import Subscribers
from panel.store.tools import Tools
from panel.store.users import Users
from panel.store.votes import ReaderVotes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.store.database import Database


class Store:
    """Everything that is kept, in one database: a repository for each aggregate. All methods may be called from many tasks at once."""

    def __init__(self, db: AsyncDatabase) -> None:
        self._db = db
        self.tools = Tools(db)
        self.runs = Runs(db)
        self.leases = Leases(db)
        self.run_stats = RunStats(db)
        self.calls = Calls(db)
        self.drafts = Drafts(db)
        self.queue = Queue(db)
        self.locks = Claims(db)
        self.approval = Approvals(db)
        self.publications = Publications(db)
        self.votes = ReaderVotes(db)
        self.subscribers = Subscribers(db)
        self.users = Users(db)

    async def check(self) -> list[str]:
        """Return what is wrong with the database, a line each: damage, rows without what they refer to, drafts that were altered.

        Raises:
            StorageError: it is damaged so badly that it cannot be read.
        """
        return await self._db.read(lambda connection: find_flaws(self._db.database, connection))

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a path where there is nothing yet, while the store is in use.

        Raises:
            StorageError: it cannot be written, or the store is not a file.
        """
        await self._db.run_in_thread(lambda: self._db.database.backup(path))


@asynccontextmanager
async def open_store(where: str | Path) -> AsyncIterator[Store]:
    """Open a store, and make or bring up to date its tables; on leaving, what is queued is committed.

    Args:
        where: a path, or `postgresql+psycopg://user@host/database`.

    Raises:
        SettingsError: it is no address that panel knows, or a package for it is missing.
        StorageError: it cannot be used; the line says what to do.
    """
    database = await asyncio.to_thread(_open, where)
    db = AsyncDatabase(database)
    try:
        yield Store(db)
    finally:
        await asyncio.to_thread(db.close)


def _open(where: str | Path) -> Database:
    database = database_at(where)
    try:
        database.prepare()
    except (DBAPIError, OSError, sqlite3.Error) as error:
        database.close()
        raise storage_error(error, database.where) from error
    except BaseException:
        database.close()
        raise
    return database


def database_at(where: str | Path) -> Database:
    """Return the database at a path or an address, untouched.

    Raises:
        SettingsError: it is no address that panel knows, or a package for it is missing.
    """
    if isinstance(where, Path) or "://" not in where:
        return SqliteDatabase(Path(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        # It is not repeated, because it may hold a password.
        raise SettingsError(
            "the store's address cannot be read; write postgresql://user@host/name"
        ) from error
    if url.get_backend_name() == "postgresql":
        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise SettingsError(
        f"{url.get_backend_name()} is no kind of store; give a path, or postgresql://user@host/name"
    )
