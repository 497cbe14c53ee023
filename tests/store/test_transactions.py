from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from panel.core.frozen import digest_of
from panel.errors import StorageError
from panel.store import open_store
from store.samples import answered, call_key, open_calls

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from panel.store import Store

pytestmark = pytest.mark.anyio


class Commits:
    """How many transactions a store has committed since."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        event.listen(store._db.database.engine, "commit", self._more)

    def _more(self, _connection: Connection) -> None:
        self.count += 1


async def _hold_up(store: Store) -> threading.Event:
    """Keep the writer busy until the event is set, so that what follows queues up."""
    begun, go = threading.Event(), threading.Event()

    def work(_connection: Connection) -> None:
        begun.set()
        go.wait(60)

    task = asyncio.ensure_future(store._db.write(work))
    await asyncio.to_thread(begun.wait, 60)
    task.add_done_callback(lambda done: done.result())
    return go


async def test_what_has_queued_up_shares_a_commit(store: Store) -> None:
    """A thousand calls that were begun while the writer was busy take two commits of at most 512."""
    go = await _hold_up(store)
    commits = Commits(store)
    calls = [asyncio.ensure_future(store.calls.begin(call_key(digest_of(n)))) for n in range(1000)]
    await asyncio.sleep(0)
    go.set()
    assert len(set(await asyncio.gather(*calls))) == 1000
    assert commits.count == 1 + 2


async def test_nobody_is_told_before_the_commit(path: Path) -> None:
    """While a transaction is not committed, no caller whose work it holds goes on."""
    async with open_store(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            call = asyncio.ensure_future(store.calls.begin(call_key()))
            await store.calls.find(call_key().key)
            assert not call.done()
            other.execute("COMMIT")
        assert await call == 1


async def test_one_that_fails_leaves_the_others(store: Store) -> None:
    """Of a group in which one breaks a rule of the database, and one a rule of the store, the others are committed."""
    go = await _hold_up(store)
    good = [asyncio.ensure_future(store.calls.begin(call_key())) for _ in range(3)]
    bad = [
        asyncio.ensure_future(store.calls.begin(call_key(run=7))),
        asyncio.ensure_future(store.calls.settle(99, answered())),
    ]
    late = asyncio.ensure_future(store.calls.begin(call_key()))
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(*good, *bad, late, return_exceptions=True)
    assert [isinstance(outcome, StorageError) for outcome in outcomes] == [False] * 3 + [True] * 2 + [False]
    assert len(await open_calls(store)) == 4
