"""Asynchronous access to the database, and the base class of repositories."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from json import JSONDecodeError
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from panel.errors import StorageError
from panel.store.database import storage_error
from panel.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from sqlalchemy import Connection

    from panel.store.database import Database

P = ParamSpec("P")
R = TypeVar("R", bound="Repository")
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
    """Base class of the repositories.

    Their methods take a connection and are decorated with `reads` or `writes`, which run them in a transaction and a thread; callers await
    them, without the connection. A method that cannot be done raises StorageError.
    """

    def __init__(self, db: AsyncDatabase) -> None:
        self._db = db


def reads(
    method: Callable[Concatenate[R, Connection, P], T],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Run a method on one consistent state of the database; it must not write."""

    @wraps(method)
    async def read(self: R, /, *args: P.args, **options: P.kwargs) -> T:
        return await self._db.read(lambda connection: method(self, connection, *args, **options))

    return read


def writes(
    method: Callable[Concatenate[R, Connection, P], T],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Run a method in a write transaction, and return its result after the commit."""

    @wraps(method)
    async def write(self: R, /, *args: P.args, **options: P.kwargs) -> T:
        return await self._db.write(lambda connection: method(self, connection, *args, **options))

    return write
