"""The store: a repository for each aggregate over one database."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from panel.store.calls import Calls
from panel.store.check import find_flaws
from panel.store.database import storage_error
from panel.store.draft_locks import DraftLocks
from panel.store.drafts import Drafts
from panel.store.inspect import database_at
from panel.store.leases import Leases
from panel.store.publications import Publications
from panel.store.queue import Queue
from panel.store.readers import ReaderVotes, Subscribers
from panel.store.repository import AsyncDatabase
from panel.store.run_stats import RunStats
from panel.store.runs import Runs
from panel.store.tools import Tools
from panel.store.users import Users

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from panel.store.database import Database


class Store:
    """One database behind a repository for each aggregate. All methods may be called from many tasks at once."""

    def __init__(self, db: AsyncDatabase) -> None:
        self._db = db
        self.tools = Tools(db)
        self.runs = Runs(db)
        self.leases = Leases(db)
        self.run_stats = RunStats(db)
        self.calls = Calls(db)
        self.drafts = Drafts(db)
        self.queue = Queue(db)
        self.locks = DraftLocks(db)
        self.publications = Publications(db)
        self.votes = ReaderVotes(db)
        self.subscribers = Subscribers(db)
        self.users = Users(db)

    async def check(self) -> list[str]:
        """Return every flaw of the database, one line each: damaged pages, dangling references, altered drafts.

        Raises:
            StorageError: the damage is so bad that the database cannot be read.
        """
        return await self._db.read(lambda connection: find_flaws(self._db.database, connection))

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a new file while the store is in use.

        Raises:
            StorageError: the copy cannot be written, the file exists, or the store is not a file.
        """
        await self._db.run_in_thread(lambda: self._db.database.backup(path))


@asynccontextmanager
async def open_store(where: str | Path) -> AsyncIterator[Store]:
    """Open a store, which creates or migrates its tables; closing it commits what is queued.

    Args:
        where: a path, or `postgresql://user@host/database`.

    Raises:
        SettingsError: the address is not understood, or a package for it is missing.
        StorageError: the store cannot be used; the message says what to do.
    """
    db = AsyncDatabase(await asyncio.to_thread(_open, where))
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
