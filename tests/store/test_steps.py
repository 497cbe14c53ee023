from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from panel.domain.base import digest_of
from panel.domain.journal import Entry
from panel.errors import StorageError
from panel.store import open_store
from panel.store.schema import calls
from store.samples import KEY, answered, failed, step

if TYPE_CHECKING:
    from pathlib import Path

    from panel.store import Store

pytestmark = pytest.mark.anyio


async def test_an_answer_is_found_again(store: Store) -> None:
    """What a call brought is found under the key of its step."""
    await store.settle(await store.begin(step()), answered("first"))
    assert await store.find(KEY) == answered("first")


async def test_nothing_is_found_before_an_answer(store: Store) -> None:
    """A step that was never asked, is being asked or failed has no answer."""
    assert await store.find(KEY) is None
    await store.begin(step())
    await store.settle(await store.begin(step()), failed())
    assert await store.find(KEY) is None


async def test_the_latest_answer_counts(store: Store) -> None:
    """A step that was asked anew has its newer answer, even if a later call failed."""
    for entry in (answered("first"), answered("second"), failed()):
        await store.settle(await store.begin(step()), entry)
    assert await store.find(KEY) == answered("second")


async def test_answers_come_back_as_they_came(store: Store) -> None:
    """Characters that PostgreSQL has no room for are kept in an answer all the same."""
    text = "nul \0, line \u2028, astral \U0001f6a2"
    await store.settle(await store.begin(step()), answered(text))
    assert await store.find(KEY) == answered(text)


async def test_an_intent_is_committed_before_the_call(where: str, store: Store) -> None:
    """Another process sees a call from the moment that it may be made."""
    run = await store.create_run("review", {})
    call = await store.begin(step(run=run))
    async with open_store(where) as other:
        (seen,) = await other.open_calls(run)
    assert (seen.id, seen.step, seen.seq) == (call, step(run=run), 1)


async def test_calls_that_brought_nothing_stay_open(store: Store) -> None:
    """Open calls are those that were begun and never settled, of one run or of all."""
    run = await store.create_run("review", {})
    other = digest_of("other")
    await store.settle(await store.begin(step(run=run)), failed())
    mine = await store.begin(step(run=run))
    runless = await store.begin(step(other))
    assert [(call.id, call.seq) for call in await store.open_calls()] == [(mine, 2), (runless, 1)]
    assert [call.id for call in await store.open_calls(run)] == [mine]


@pytest.mark.parametrize(
    "entry",
    [Entry(key=KEY), answered(key=digest_of("another step"))],
    ids=["nothing", "another step's"],
)
async def test_only_its_own_outcome_settles_a_call(store: Store, entry: Entry) -> None:
    """A call is not settled by nothing, nor by another step's answer."""
    call = await store.begin(step())
    with pytest.raises(StorageError, match=r"open|came of"):
        await store.settle(call, entry)
    assert [open_call.id for open_call in await store.open_calls()] == [call]


async def test_a_call_is_settled_once(store: Store) -> None:
    """A second outcome of a call is refused, and the first one stays."""
    call = await store.begin(step())
    await store.settle(call, answered("first"))
    with pytest.raises(StorageError, match=f"call {call} is not open"):
        await store.settle(call, answered("second"))
    assert await store.find(KEY) == answered("first")


async def test_a_caller_that_is_cancelled_loses_no_answer(path: Path) -> None:
    """An answer that is on its way to the database is committed although nobody waits for it any more."""
    async with open_store(path) as store:
        call = await store.begin(step())
        keeping = asyncio.ensure_future(store.settle(call, answered()))
        await asyncio.sleep(0)
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
    async with open_store(path) as store:
        assert await store.find(KEY) == answered()


async def test_figures_are_columns(store: Store) -> None:
    """Usage, attempts and the request's name can be summed and searched without reading the answer."""
    await store.settle(await store.begin(step()), answered(cached_tokens=None))
    columns = (
        calls.c.input_tokens,
        calls.c.cached_tokens,
        calls.c.cost_usd,
        calls.c.attempts,
        calls.c.request_id,
    )
    row = await store._read(lambda connection: connection.execute(select(*columns)).one())
    assert tuple(row) == (10, None, 0.25, 1, "req-1")


async def test_a_closed_store_takes_nothing(path: Path) -> None:
    """A store that was closed refuses to begin a call."""
    async with open_store(path) as store:
        pass
    with pytest.raises(StorageError, match="is closed; open it again"):
        await store.begin(step())
