"""The one thread that writes: it commits what has queued up in one transaction, and then tells everyone who waits.

A commit that reaches the disk takes milliseconds, so that many calls share one (group commit). Nobody is told before the commit.
After the first storage error nothing new is begun: only what was paid for is still tried, once more at that moment in the room
that the database had set aside.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from panel.errors import StorageError
from panel.store.errors import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from panel.store.database import Database

T = TypeVar("T")

GROUP = 512
# Errors of one operation; every other one of a driver's is the database's.
_ITS_OWN = (IntegrityError, DataError, ProgrammingError)


@dataclass(slots=True)
class _Operation:
    work: Callable[[Connection], Any]
    paid: bool
    told: asyncio.Future[Any]
    ended: bool = False
    result: Any = None
    error: Exception | None = None

    def end(self, result: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - what the work returned
        """Note what came of it."""
        self.ended, self.result, self.error = True, result, error

    def tell(self) -> None:
        """Tell whoever waits; in the thread of their loop."""
        if self.told.done():
            return
        if self.error is not None:
            self.told.set_exception(self.error)
        else:
            self.told.set_result(self.result)


class Writer:
    """Writes to a database, in order.

    Args:
        database: where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Operation | None] = SimpleQueue()
        self._fault: StorageError | None = None
        self._closed = False
        self._thread = Thread(target=self._serve, name="panel-store", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T], *, paid: bool = False) -> T:
        """Do work in a transaction, which it may share; return what it returns once that is committed.

        A caller that is cancelled withdraws nothing: what is queued is committed.

        Args:
            work: may be done again after a failure, and must change nothing but the database.
            paid: whether it keeps something that was paid for.

        Raises:
            StorageError: it was not committed.
        """
        if self._closed:
            raise StorageError(f"{self._database.where} is closed; open it again")
        told = asyncio.get_running_loop().create_future()
        self._queue.put(_Operation(work, paid, told))
        result: T = await asyncio.shield(told)
        return result

    def close(self) -> None:
        """Commit what is queued, and end."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = self._gather(first)
            self._handle(group)
            _tell(group)
            if last:
                return

    def _gather(self, first: _Operation) -> tuple[list[_Operation], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _handle(self, group: list[_Operation]) -> None:
        if self._fault:
            group = self._refuse_unpaid(group, self._fault)
        try:
            self._commit(group)
        except DBAPIError as error:
            self._rescue(group, error)

    def _commit(self, group: list[_Operation]) -> None:
        """Commit a group; if one of it is at fault, each by itself."""
        if not group:
            return
        try:
            results = self._database.write(lambda connection: [each.work(connection) for each in group])
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, _ITS_OWN):
                raise
            self._commit_singly(group, error)
        else:
            for operation, result in zip(group, results, strict=True):
                operation.end(result)

    def _commit_singly(self, group: list[_Operation], error: Exception) -> None:
        if len(group) == 1:
            group[0].end(error=self._told(error))
            return
        for operation in group:
            self._handle([operation])

    def _rescue(self, group: list[_Operation], error: DBAPIError) -> None:
        fault = storage_error(error, self._database.where)
        waiting = [operation for operation in group if not operation.ended]
        if self._fault:
            _refuse(waiting, fault)
            return
        self._fault = fault
        self._database.make_room()
        self._handle(waiting)

    def _refuse_unpaid(self, group: list[_Operation], fault: StorageError) -> list[_Operation]:
        _refuse([operation for operation in group if not operation.paid], fault)
        return [operation for operation in group if operation.paid]

    def _told(self, error: Exception) -> Exception:
        return storage_error(error, self._database.where) if isinstance(error, DBAPIError) else error


def _refuse(operations: list[_Operation], fault: StorageError) -> None:
    for operation in operations:
        operation.end(error=fault)


def _tell(group: list[_Operation]) -> None:
    """Wake each loop once for all of its operations: a wake costs more than a small write."""
    waiting: dict[asyncio.AbstractEventLoop, list[_Operation]] = {}
    for operation in group:
        waiting.setdefault(operation.told.get_loop(), []).append(operation)
    for loop, operations in waiting.items():
        with suppress(RuntimeError):  # nobody waits in a loop that is closed
            loop.call_soon_threadsafe(_tell_all, operations)


def _tell_all(operations: list[_Operation]) -> None:
    for operation in operations:
        operation.tell()
