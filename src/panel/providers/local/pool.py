"""Hands short pieces of work to the servers, so that no core idles and no listing is read more often than needed.

Work that needs a listing in the cache carries the listing's key. A free server takes, in this order: work for the listing that it
holds; work that needs none; the oldest work for a listing that no other server holds; and work for a listing of another server,
if so much of it waits that reading the listing a second time is worth it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from panel.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panel.providers.local.engine import Engine

T = TypeVar("T")

WORTH_A_SECOND_READING = 3
"""Pieces of waiting work: a listing takes about as long to read as six to eight sentences to weigh."""


@dataclass(eq=False, slots=True)
class _Work:
    run: Callable[[Engine], Any]
    key: object | None
    done: asyncio.Future[Any]


@dataclass(eq=False, slots=True)
class _Desk:
    engine: Engine
    key: object | None = None
    busy: bool = False


class Pool:
    """A few engines, one thread each.

    Args:
        engines: the servers.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._desks = [_Desk(engine) for engine in engines]
        self._waiting: list[_Work] = []
        self._threads = ThreadPoolExecutor(len(engines), thread_name_prefix="panel-local")
        self._calls: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, work: Callable[[Engine], T], key: object | None = None) -> T:
        """Do one piece of work on whichever server suits; a cancelled caller gives its place in the queue back.

        Raises:
            ProviderError: the pool is closed. Errors of the work itself pass through.
        """
        if self._closed:
            raise ProviderError("the embedded model is closed")
        piece = _Work(work, key, asyncio.get_running_loop().create_future())
        self._waiting.append(piece)
        asyncio.get_running_loop().call_soon(self._assign)
        try:
            result: T = await piece.done
        finally:
            if piece in self._waiting:
                self._waiting.remove(piece)
        return result

    async def aclose(self) -> None:
        """Let the work in hand end, drop the rest, and stop the servers."""
        self._closed = True
        for piece in self._waiting:
            piece.done.cancel()
        self._waiting.clear()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)
        for desk in self._desks:
            desk.engine.close()
        self._desks.clear()

    def _assign(self) -> None:
        for desk in self._desks:
            piece = None if desk.busy else self._next(desk)
            if piece is None:
                continue
            self._waiting.remove(piece)
            desk.busy, desk.key = True, desk.key if piece.key is None else piece.key
            call = asyncio.get_running_loop().create_task(self._call(desk, piece))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, desk: _Desk, piece: _Work) -> None:
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._threads, piece.run, desk.engine)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the piece gets it
            if not piece.done.done():
                piece.done.set_exception(error)
        else:
            if not piece.done.done():
                piece.done.set_result(result)
        desk.busy = False
        # whoever waited for this piece may add the next one for the same listing before the desk is given away
        loop.call_soon(loop.call_soon, loop.call_soon, self._assign)

    def _next(self, desk: _Desk) -> _Work | None:
        taken = {other.key for other in self._desks if other is not desk and other.key is not None}
        waits = [piece.key for piece in self._waiting]
        rules: tuple[Callable[[_Work], bool], ...] = (
            lambda piece: piece.key is not None and piece.key == desk.key,
            lambda piece: piece.key is None,
            lambda piece: piece.key not in taken,
            lambda piece: waits.count(piece.key) >= WORTH_A_SECOND_READING,
        )
        return next((piece for rule in rules for piece in self._waiting if rule(piece)), None)
