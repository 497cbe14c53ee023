"""Asynchronous access to the database, and the base class of repositories."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from json import JSONDecodeError
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from panel.errors import StorageError
from panel.store.database import storage_error
from panel.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from panel.store.database import Database

T = TypeVar("T")

# Fewer than SQLAlchemy's pool holds, so that the writer never waits for a connection.
READERS = 4


class AsyncDatabase:
    """A database whose transactions run in threads: one thread writes, up to four read."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.where = database.where
        self._writer = Writer(database)
        self._readers = ThreadPoolExecutor(READERS, "panel-store-read")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent state of the database and return its result.

        Raises:
            StorageError: the database cannot be read, or holds a row that is damaged.
        """
        return await self.run_in_thread(lambda: self._read_now(work))

    async def write(self, work: Callable[[Connection], T], *, paid: bool = False) -> T:
        """Run `work` in a transaction and return its result after the commit; see `Writer.write`.

        Raises:
            StorageError: the work was not committed.
        """
        return await self._writer.write(work, paid=paid)

    async def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` in a reading thread and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def close(self) -> None:
        """Commit what is queued, and end the threads and connections."""
        self._writer.close()
        self._readers.shutdown()
        self.database.close()

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        try:
            return self.database.read(work)
        except DBAPIError as error:
            raise storage_error(error, self.where) from error
        except (ValidationError, JSONDecodeError) as error:
            raise StorageError(f"{self.where} holds a row that cannot be read; restore a backup") from error


class Repository:
    """Base class of the repositories, each of which reads and writes the tables of one aggregate."""

    def __init__(self, db: AsyncDatabase) -> None:
        self._db = db
