"""The store: a repository for each aggregate over one database, and what an address holds before it is opened."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from panel.core.frozen import Frozen
from panel.errors import SettingsError
from panel.store.calls import Calls
from panel.store.database import REVISIONS, storage_error
from panel.store.drafts import DraftLocks, Drafts
from panel.store.integrity import find_flaws
from panel.store.leases import Leases
from panel.store.postgres import PostgresDatabase
from panel.store.publications import Publications
from panel.store.queue import Queue
from panel.store.readers import ReaderVotes, Subscribers
from panel.store.run_stats import RunStats
from panel.store.runs import Runs, Tools
from panel.store.sqlite import SqliteDatabase
from panel.store.transactions import AsyncDatabase
from panel.store.users import Users

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        """Return every flaw of the database, one line each: damaged pages, dangling references, altered drafts."""
        return await self._db.read(lambda connection: find_flaws(self._db.database, connection))

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a new file while the store is in use; raises StorageError if the store is not a file."""
        await self._db.run_in_thread(lambda: self._db.database.backup(path))


class StoreInfo(Frozen):
    """The store at an address: its absolute path or address, the revision of its tables, None if there are none, and its size."""

    where: str
    kind: str
    revision: str | None = None
    bytes: int = 0

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return self.revision is not None

    @property
    def is_newer(self) -> bool:
        """Whether a newer version of panel has migrated it, so that this one cannot open it."""
        return self.exists and self.revision not in REVISIONS


@asynccontextmanager
async def open_store(where: str | Path) -> AsyncIterator[Store]:
    """Open the store at a path or at `postgresql://user@host/database`; closing it commits what is queued.

    Its tables are created or migrated.

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


def read_store_info(where: str | Path) -> StoreInfo:
    """Return the kind, revision and size of the store at an address; nothing is created, migrated or locked.

    Raises as `open_store` does, and StorageError if the tables are another program's.
    """
    with closing(database_at(where)) as database:
        name = str(database.path) if isinstance(database, SqliteDatabase) else database.where
        try:
            revision, size = database.revision_and_bytes()
        except (DBAPIError, OSError) as error:
            raise storage_error(error, database.where) from error
    return StoreInfo(where=name, kind=database.kind, revision=revision, bytes=size)


def database_at(where: str | Path) -> Database:
    """Return the database at an address, without connecting to it; raises SettingsError as `open_store` does."""
    if isinstance(where, Path) or "://" not in where:
        return SqliteDatabase(Path(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        # The message does not repeat the address, which may hold a password.
        raise SettingsError(
            "the store's address cannot be read; write postgresql://user@host/name"
        ) from error
    if url.get_backend_name() == "postgresql":
        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise SettingsError(
        f"{url.get_backend_name()} is not supported; give a path, or postgresql://user@host/name"
    )
