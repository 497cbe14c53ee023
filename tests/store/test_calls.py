from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from panel.core.completion import CallRecord
from panel.core.frozen import digest_of
from panel.errors import StorageError
from panel.store import ProcessId, open_store
from panel.store.leases import LEASE_SECONDS
from panel.store.schema import calls
from store.samples import KEY, answered, call_key, failed, open_calls, python

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from panel.store import Store

pytestmark = pytest.mark.anyio

AFAR = ProcessId(host="build-7", space="another boot", pid=4121, started="1")
ENDED = ProcessId.current().model_copy(update={"started": "1"})


class Waits:
    """Waits that do not wait, but have something done at the second."""

    def __init__(self, do: Callable[[], Awaitable[object]] | None = None) -> None:
        self.seconds: list[float] = []
        self._do = do

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self._do and len(self.seconds) == 2:
            await self._do()


async def test_an_answer_is_found_again(store: Store) -> None:
    """What a call brought is found under the key."""
    await store.calls.settle(await store.calls.begin(call_key()), answered("first"))
    assert await store.calls.find(KEY) == answered("first")


async def test_nothing_is_found_before_an_answer(store: Store) -> None:
    """A call that was never asked, is being asked or failed has no answer."""
    assert await store.calls.find(KEY) is None
    await store.calls.begin(call_key())
    await store.calls.settle(await store.calls.begin(call_key()), failed())
    assert await store.calls.find(KEY) is None


async def test_the_latest_answer_counts(store: Store) -> None:
    """A call that was asked anew has its newer answer, even if a later call failed."""
    for entry in (answered("first"), answered("second"), failed()):
        await store.calls.settle(await store.calls.begin(call_key()), entry)
    assert await store.calls.find(KEY) == answered("second")


async def test_answers_come_back_as_they_came(store: Store) -> None:
    """Characters that PostgreSQL has no room for are kept in an answer all the same."""
    text = "nul \0, line \u2028, astral \U0001f6a2"
    await store.calls.settle(await store.calls.begin(call_key()), answered(text))
    assert await store.calls.find(KEY) == answered(text)


async def test_an_intent_is_committed_before_the_call(where: str, store: Store) -> None:
    """Another process sees a call from the moment that it may be made."""
    run = await store.runs.create("review", {})
    call = await store.calls.begin(call_key(run=run))
    async with open_store(where) as other:
        (seen,) = await open_calls(other, run)
    assert (seen.id, seen.key) == (call, call_key(run=run))


async def test_calls_that_brought_nothing_stay_open(store: Store) -> None:
    """Open calls are those that were begun and never settled, of one run or of all."""
    run = await store.runs.create("review", {})
    other = digest_of("other")
    await store.calls.settle(await store.calls.begin(call_key(run=run)), failed())
    mine = await store.calls.begin(call_key(run=run))
    runless = await store.calls.begin(call_key(other))
    assert [call.id for call in await open_calls(store)] == [mine, runless]
    assert [call.id for call in await open_calls(store, run)] == [mine]


@pytest.mark.parametrize(
    "entry",
    [CallRecord(key=KEY), answered(key=digest_of("another call"))],
    ids=["nothing", "another call's"],
)
async def test_only_its_own_outcome_settles_a_call(store: Store, entry: CallRecord) -> None:
    """A call is not settled by nothing, nor by another call's answer."""
    call = await store.calls.begin(call_key())
    with pytest.raises(StorageError, match=r"is not open|with an answer or with a failure"):
        await store.calls.settle(call, entry)
    assert [open_call.id for open_call in await open_calls(store)] == [call]


async def test_a_call_is_settled_once(store: Store) -> None:
    """A second outcome of a call is refused, and the first one stays."""
    call = await store.calls.begin(call_key())
    await store.calls.settle(call, answered("first"))
    with pytest.raises(StorageError, match=f"call {call} is not open"):
        await store.calls.settle(call, answered("second"))
    assert await store.calls.find(KEY) == answered("first")


async def test_a_caller_that_is_cancelled_loses_no_answer(path: Path) -> None:
    """An answer that is on its way to the database is committed although nobody waits for it any more."""
    async with open_store(path) as store:
        call = await store.calls.begin(call_key())
        keeping = asyncio.ensure_future(store.calls.settle(call, answered()))
        await asyncio.sleep(0)
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
    async with open_store(path) as store:
        assert await store.calls.find(KEY) == answered()


async def test_figures_that_are_summed_are_columns(store: Store) -> None:
    await store.calls.settle(await store.calls.begin(call_key()), answered())
    columns = (calls.c.input_tokens, calls.c.output_tokens, calls.c.cost_usd, calls.c.lost_calls)
    row = await store._db.read(lambda connection: connection.execute(select(*columns)).one())
    assert tuple(row) == (10, 2, 0.25, 0)


async def test_a_closed_store_takes_nothing(path: Path) -> None:
    """A store that was closed refuses to begin a call."""
    async with open_store(path) as store:
        pass
    with pytest.raises(StorageError, match="is closed; open it again"):
        await store.calls.begin(call_key())


# What another run has in flight.


async def runs_of_two(store: Store, holder: ProcessId | None = None) -> tuple[int, int]:
    """Return a run that is worked on and has a call in flight, and another one."""
    theirs, mine = [await store.runs.create("batch", {}) for _ in range(2)]
    await store.leases.acquire(theirs, holder)
    await store.calls.begin(call_key(run=theirs))
    return theirs, mine


async def test_a_call_that_nobody_asks_is_begun(store: Store) -> None:
    run = await store.runs.create("batch", {})
    waits = Waits()
    assert isinstance(await store.calls.begin_once(call_key(run=run), waits), int)
    assert (waits.seconds, len(await open_calls(store, run))) == ([], 1)


async def test_an_answer_that_came_meanwhile_is_returned(store: Store) -> None:
    """A call that was answered since somebody looked is not begun again, in whichever run that was."""
    first, second = [await store.runs.create("batch", {}) for _ in range(2)]
    await store.calls.settle(await store.calls.begin(call_key(run=first)), answered("theirs"))
    assert await store.calls.begin_once(call_key(run=second)) == answered("theirs").completion
    assert await open_calls(store) == []


async def test_a_call_in_flight_is_waited_for(store: Store) -> None:
    """A call that a run at work is asking is waited for, and its answer is the other run's as well."""
    theirs, mine = await runs_of_two(store)
    (call,) = await open_calls(store, theirs)
    waits = Waits(lambda: store.calls.settle(call.id, answered("theirs")))
    assert await store.calls.begin_once(call_key(run=mine), waits) == answered("theirs").completion
    assert (len(waits.seconds), await open_calls(store)) == (2, [])


@pytest.mark.parametrize("ending", ["failed", "withdrawn"])
async def test_a_call_whose_call_brought_nothing_is_begun(store: Store, ending: str) -> None:
    """When the other run's call fails, or is not made, the run that waited asks itself."""
    theirs, mine = await runs_of_two(store)
    (call,) = await open_calls(store, theirs)
    end = store.calls.settle(call.id, failed()) if ending == "failed" else store.calls.withdraw(call.id)
    begun = await store.calls.begin_once(call_key(run=mine), Waits(lambda: end))
    assert [each.id for each in await open_calls(store)] == [begun]


async def test_a_run_that_shows_itself_is_waited_for_as_long_as_it_does(store: Store) -> None:
    """A holder elsewhere that renews its lease is waited for beyond the time of one lease."""
    theirs = await store.runs.create("batch", {})
    mine = await store.runs.create("batch", {})
    lease = await store.leases.acquire(theirs, AFAR)
    call = await store.calls.begin(call_key(run=theirs))
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await (
            store.leases.renew(lease)
            if sum(waited) < 3 * LEASE_SECONDS
            else store.calls.settle(call, answered())
        )

    assert await store.calls.begin_once(call_key(run=mine), wait) == answered().completion


async def test_a_run_that_stands_still_is_not_waited_for_any_longer(store: Store) -> None:
    """A call of a holder that has not shown itself for as long as a lease lasts is asked again."""
    _, mine = await runs_of_two(store, AFAR)
    waits = Waits()
    assert isinstance(await store.calls.begin_once(call_key(run=mine), waits), int)
    assert sum(waits.seconds) == pytest.approx(LEASE_SECONDS)


async def test_a_call_of_a_process_that_has_ended_is_not_waited_for(where: str, store: Store) -> None:
    """A call that was left open by a process of this machine that was killed is asked again at once."""
    theirs, mine = [await store.runs.create("batch", {}) for _ in range(2)]
    code = [
        "import asyncio, os, sys",
        "from panel.store import open_store",
        "async def main():",
        "    async with open_store(sys.argv[1]) as store:",
        "        await store.leases.acquire(int(sys.argv[2]))",
        "        os._exit(0)",
        "asyncio.run(main())",
    ]
    assert python("\n".join(code), where, str(theirs)).returncode == 0
    await store.calls.begin(call_key(run=theirs))
    waits = Waits()
    assert isinstance(await store.calls.begin_once(call_key(run=mine), waits), int)
    assert waits.seconds == []


async def test_a_run_does_not_wait_for_itself(store: Store) -> None:
    """A run that is resumed repeats the calls that it left open itself."""
    theirs, _ = await runs_of_two(store)
    waits = Waits()
    assert isinstance(await store.calls.begin_once(call_key(run=theirs), waits), int)
    assert waits.seconds == []


async def test_a_call_of_an_earlier_holder_is_not_waited_for(store: Store) -> None:
    """A call that a run left open is asked again at once, although the run is at work again."""
    theirs, mine = await runs_of_two(store, ENDED)
    await store.leases.acquire(theirs)
    waits = Waits()
    assert isinstance(await store.calls.begin_once(call_key(run=mine), waits), int)
    assert waits.seconds == []


async def test_two_runs_that_left_the_same_call_open_do_not_wait_for_each_other(store: Store) -> None:
    theirs, mine = await runs_of_two(store, ENDED)
    await store.leases.acquire(mine, ENDED)
    await store.calls.begin(call_key(run=mine))
    for run in theirs, mine:
        await store.leases.acquire(run)
    first = Waits()
    begun = await store.calls.begin_once(call_key(run=mine), first)
    assert isinstance(begun, int)
    assert first.seconds == []
    waits = Waits(lambda: store.calls.settle(begun, answered("mine")))
    assert await store.calls.begin_once(call_key(run=theirs), waits) == answered("mine").completion


async def test_waiting_can_be_broken_off(store: Store) -> None:
    """What the waiting raises comes through, and nothing was begun."""
    _, mine = await runs_of_two(store)

    async def halted(_seconds: float) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await store.calls.begin_once(call_key(run=mine), halted)
    assert await open_calls(store, mine) == []


async def test_of_many_that_begin_at_once_one_asks(where: str, store: Store) -> None:
    """Of several processes that begin the same call at the same moment, one asks, and the others are given its answer."""
    runs = [await store.runs.create("batch", {}) for _ in range(4)]

    async def ask(run: int) -> str:
        async with open_store(where) as own:
            lease = await own.leases.acquire(run)
            begun = await own.calls.begin_once(call_key(run=run), lambda _seconds: asyncio.sleep(0.01))
            if isinstance(begun, int):
                await own.calls.settle(begun, answered(f"of run {run}"))
            await own.leases.release(lease)
            return begun.text if not isinstance(begun, int) else f"of run {run}"

    assert len(set(await asyncio.gather(*map(ask, runs)))) == 1
    async with open_store(where) as other:
        assert (await other.run_stats.spent()).cost_usd == 0.25
