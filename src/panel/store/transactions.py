"""Transactions in threads: one thread writes, up to four read; and the base class of repositories.

The writing thread commits everything that is queued in one transaction (group commit), because a commit that reaches the disk takes milliseconds.
Callers are answered after the commit, never before. After the first storage error only paid operations are still tried: once more at
that moment, in the disk space that the database had reserved, and once each as they arrive.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from json import JSONDecodeError
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from panel.errors import StorageError
from panel.store.database import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sqlalchemy import Connection, Select

    from panel.store.database import Database

P = ParamSpec("P")
R = TypeVar("R", bound="Repository")
T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

MAX_GROUP = 512
# Fewer than SQLAlchemy's pool holds, so that the writer never waits for a connection.
READERS = 4
# Errors that one operation causes; all other driver errors mean that the database cannot be written.
_OPERATION_ERRORS = (IntegrityError, DataError, ProgrammingError)


def load(connection: Connection, model: type[Model], query: Select[Any]) -> list[Model]:
    """Return the rows of a query, whose columns are called as the model's fields."""
    return [model.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def load_one(connection: Connection, model: type[Model], query: Select[Any]) -> Model | None:
    """Return the first row of a query, or None."""
    return next(iter(load(connection, model, query)), None)


class AsyncDatabase:
    """A database whose transactions run in threads. Its methods raise StorageError if they cannot read or commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.where = database.where
        self._writer = Writer(database)
        self._readers = ThreadPoolExecutor(READERS, "panel-store-read")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent state of the database and return its result."""
        return await self.run_in_thread(lambda: self._read_now(work))

    async def write(self, work: Callable[[Connection], T], *, paid: bool = False) -> T:
        """Run `work` in a transaction and return its result after the commit; see `Writer.write`."""
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
    """Base class of the repositories, each of which reads and writes the tables of one aggregate.

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


@dataclass(slots=True)
class _Operation:
    work: Callable[[Connection], Any]
    paid: bool
    future: asyncio.Future[Any]
    ended: bool = False
    result: Any = None
    error: Exception | None = None

    def end(self, result: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - what the work returned
        self.ended, self.result, self.error = True, result, error


class Writer:
    """A queue of write operations and the thread that commits them in order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Operation | None] = SimpleQueue()
        self._fault: StorageError | None = None
        self._closed = False
        self._thread = Thread(target=self._run, name="panel-store", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T], *, paid: bool = False) -> T:
        """Run `work` in a transaction that others may share, and return its result after the commit.

        `work` may run again after a failure, so that it must change nothing but the database. `paid` marks work that keeps something
        that was paid for. A caller that is cancelled withdraws nothing: queued work is committed.
        """
        if self._closed:
            raise StorageError(f"{self._database.where} is closed; open it again")
        future = asyncio.get_running_loop().create_future()
        self._queue.put(_Operation(work, paid, future))
        result: T = await asyncio.shield(future)
        return result

    def close(self) -> None:
        """Commit what is queued, and end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open and (first := self._queue.get()):
            group = [first]
            with suppress(Empty):
                while is_open and len(group) < MAX_GROUP:
                    if following := self._queue.get_nowait():
                        group.append(following)
                    else:
                        is_open = False
            self._handle(group)
            _answer(group)

    def _handle(self, group: list[_Operation]) -> None:
        if self._fault:
            _refuse([operation for operation in group if not operation.paid], self._fault)
            group = [operation for operation in group if operation.paid]
        try:
            self._commit(group)
        except DBAPIError as error:
            fault = storage_error(error, self._database.where)
            waiting = [operation for operation in group if not operation.ended]
            if self._fault:
                _refuse(waiting, fault)
                return
            self._fault = fault
            self._database.free_reserve()
            self._handle(waiting)

    def _commit(self, group: list[_Operation]) -> None:
        """Commit a group in one transaction; if one operation is at fault, commit each by itself."""
        if not group:
            return
        try:
            results = self._database.write(lambda connection: [each.work(connection) for each in group])
        except Exception as error:
            is_driver_error = isinstance(error, DBAPIError)
            if is_driver_error and not isinstance(error, _OPERATION_ERRORS):
                raise
            if len(group) == 1:
                group[0].end(error=storage_error(error, self._database.where) if is_driver_error else error)
                return
            for operation in group:
                self._handle([operation])
        else:
            for operation, result in zip(group, results, strict=True):
                operation.end(result)


def _refuse(operations: list[_Operation], fault: StorageError) -> None:
    for operation in operations:
        operation.end(error=fault)


def _answer(group: list[_Operation]) -> None:
    """Wake each event loop once for all of its operations: waking costs more than a small write."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Operation]] = {}
    for operation in group:
        by_loop.setdefault(operation.future.get_loop(), []).append(operation)
    for loop, operations in by_loop.items():
        with suppress(RuntimeError):  # a closed loop has no callers left
            loop.call_soon_threadsafe(_resolve_all, operations)


def _resolve_all(operations: list[_Operation]) -> None:
    for operation in operations:
        if operation.future.done():
            continue
        if operation.error is not None:
            operation.future.set_exception(operation.error)
        else:
            operation.future.set_result(operation.result)
