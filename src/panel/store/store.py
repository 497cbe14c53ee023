"""The store as the rest of panel sees it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from panel.errors import SettingsError
from panel.store.approval import Approvals
from panel.store.calls import Steps
from panel.store.draft_locks import Claims
from panel.store.drafts import Drafts
from panel.store.errors import storage_error
from panel.store.figures import Figures
from panel.store.health import Health
from panel.store.leases import Leases
from panel.store.postgres import PostgresDatabase
from panel.store.publications import Publications
from panel.store.queue import Queue
from panel.store.run_stats import Outcomes
from panel.store.runs import Runs
from panel.store.sqlite import SqliteDatabase
from panel.store.subscribers import Subscribers
from panel.store.tools import Tools
from panel.store.users import People
from panel.store.votes import Ballots
from panel.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.store.database import Database

# Fewer than SQLAlchemy's pool holds, so that the writer never waits for a connection.
READERS = 4


class Store(
    Steps,
    Tools,
    Runs,
    Leases,
    Figures,
    Drafts,
    Queue,
    Claims,
    Approvals,
    Publications,
    Ballots,
    Subscribers,
    People,
    Outcomes,
    Health,
):
    """Calls, tools, runs, drafts, events and people in one database; every method may be called from many tasks at once."""


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
    writer = Writer(database)
    readers = ThreadPoolExecutor(READERS, "panel-store-read")
    try:
        yield Store(database, writer, readers)
    finally:
        await asyncio.to_thread(_close, writer, readers, database)


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


def _close(writer: Writer, readers: ThreadPoolExecutor, database: Database) -> None:
    writer.close()
    readers.shutdown()
    database.close()


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
