"""The writing thread: commits everything that is queued in one transaction (group commit), then answers the callers.

A commit that reaches the disk takes milliseconds, so that many operations share one. Callers are answered after the commit, never before.
After the first storage error only paid operations are still tried: once more at that moment, in the disk space that the
database had reserved, and once each as they arrive.
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
from panel.store.database import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from panel.store.database import Database

T = TypeVar("T")

MAX_GROUP = 512
# Errors that one operation causes; all other driver errors mean that the database cannot be written.
_OPERATION_ERRORS = (IntegrityError, DataError, ProgrammingError)


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

    def resolve(self) -> None:
        """Answer the caller; must run in the caller's event loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


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

        A caller that is cancelled withdraws nothing: queued work is committed.

        Args:
            work: may run again after a failure, so that it must change nothing but the database.
            paid: whether the work keeps something that was paid for.

        Raises:
            StorageError: the work was not committed.
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
        while (first := self._queue.get()) is not None:
            group, last = self._gather(first)
            self._handle(group)
            _answer(group)
            if last:
                return

    def _gather(self, first: _Operation) -> tuple[list[_Operation], bool]:
        group = [first]
        while len(group) < MAX_GROUP:
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
            _refuse([operation for operation in group if not operation.paid], self._fault)
            group = [operation for operation in group if operation.paid]
        try:
            self._commit(group)
        except DBAPIError as error:
            self._rescue(group, storage_error(error, self._database.where))

    def _commit(self, group: list[_Operation]) -> None:
        """Commit a group in one transaction; if one operation is at fault, commit each by itself."""
        if not group:
            return
        try:
            results = self._database.write(lambda connection: [each.work(connection) for each in group])
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, _OPERATION_ERRORS):
                raise
            if len(group) > 1:
                for operation in group:
                    self._handle([operation])
            elif isinstance(error, DBAPIError):
                group[0].end(error=storage_error(error, self._database.where))
            else:
                group[0].end(error=error)
        else:
            for operation, result in zip(group, results, strict=True):
                operation.end(result)

    def _rescue(self, group: list[_Operation], fault: StorageError) -> None:
        waiting = [operation for operation in group if not operation.ended]
        if self._fault:
            _refuse(waiting, fault)
            return
        self._fault = fault
        self._database.free_reserve()
        self._handle(waiting)


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
        operation.resolve()
