"""How every room of the store reads and writes, without holding up the event loop."""

from __future__ import annotations

import asyncio
from json import JSONDecodeError
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from panel.store.errors import damaged, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from sqlalchemy import Connection

    from panel.store.database import Database
    from panel.store.writer import Writer

T = TypeVar("T")


class Access:
    """The way into a database.

    Args:
        database: the database.
        writer: the thread that writes to it.
        readers: the threads that read from it.
    """

    def __init__(self, database: Database, writer: Writer, readers: ThreadPoolExecutor) -> None:
        self._database = database
        self._writer = writer
        self._readers = readers

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._in_thread(lambda: self._read_now(work))

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._database.read(work)
        except DBAPIError as error:
            raise storage_error(error, self._database.where) from error
        except (ValidationError, JSONDecodeError) as error:
            raise damaged(self._database.where, "a row") from error

    async def _write(self, work: Callable[[Connection], T], *, paid: bool = False) -> T:
        return await self._writer.write(work, paid=paid)
