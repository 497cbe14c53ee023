from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.errors import RunStopped
from panel.store import ProcessId, open_store
from panel.store.leases import LEASE_SECONDS
from store.samples import python

if TYPE_CHECKING:
    from panel.store import Lease, Store

pytestmark = pytest.mark.anyio

AFAR = ProcessId(host="build-7", space="another boot", pid=4121, started="1")


class Waits:
    """Waits that do not wait, but renew a lease from the n-th on, if they are given one."""

    def __init__(self, store: Store, lease: Lease | None = None, at: int = 1) -> None:
        self.seconds = 0.0
        self._store = store
        self._lease = lease
        self._left = at

    async def __call__(self, seconds: float) -> None:
        self.seconds += seconds
        self._left -= 1
        if self._lease and self._left <= 0:
            await self._store.leases.renew(self._lease)


async def test_a_run_that_is_worked_on_is_held(where: str, store: Store) -> None:
    """A run whose holder still renews is refused to another, with who holds it and since when."""
    run = await store.runs.create("review", {})
    lease = await store.leases.acquire(run, AFAR)
    async with open_store(where) as other:
        with pytest.raises(
            RunStopped, match=rf"run {run} is held by process 4121 on build-7 since \d{{4}}-.* UTC; wait"
        ):
            await other.leases.acquire(run, wait=Waits(store, lease, at=3))


async def test_a_holder_that_stands_still_is_replaced(store: Store) -> None:
    """A run whose holder has not renewed for as long as a lease lasts goes to who waited for it."""
    run = await store.runs.create("review", {})
    lost = await store.leases.acquire(run, AFAR)
    waits = Waits(store)
    lease = await store.leases.acquire(run, wait=waits)
    assert waits.seconds == pytest.approx(LEASE_SECONDS)
    assert lease.holder == ProcessId.current()
    with pytest.raises(RunStopped, match=f"the lease of run {run} was lost"):
        await store.leases.renew(lost)


async def test_a_killed_process_is_replaced_at_once(store: Store) -> None:
    """A run whose holder was a process of this machine that has ended is not waited for."""
    code = "from panel.store.leases import ProcessId; print(ProcessId.current().model_dump_json())"
    done = python(code)
    run = await store.runs.create("review", {})
    await store.leases.acquire(run, ProcessId.model_validate_json(done.stdout))
    waits = Waits(store)
    await store.leases.acquire(run, wait=waits)
    assert waits.seconds == 0


async def test_a_released_run_is_free(store: Store) -> None:
    """A run that was given back is taken without a wait, and the old lease gives nothing back any more."""
    run = await store.runs.create("review", {})
    old = await store.leases.acquire(run, AFAR)
    await store.leases.release(old)
    new = await store.leases.acquire(run, AFAR, wait=Waits(store))
    await store.leases.release(old)
    await store.leases.renew(new)


async def test_a_run_that_is_released_meanwhile_is_taken(store: Store) -> None:
    """Who watches a run gets it as soon as it is given back."""
    run = await store.runs.create("review", {})
    lease = await store.leases.acquire(run, AFAR)

    async def released(_seconds: float) -> None:
        await store.leases.release(lease)

    assert (await store.leases.acquire(run, wait=released)).token != lease.token


async def test_one_of_two_who_find_it_free_gets_it(where: str, store: Store) -> None:
    """Of two who replace the same holder, the second is told of the first."""
    run = await store.runs.create("review", {})
    await store.leases.acquire(run, AFAR)
    async with open_store(where) as other:

        class Overtaken(Waits):
            async def __call__(self, seconds: float) -> None:
                await super().__call__(seconds)
                if self.seconds > LEASE_SECONDS - 0.5:
                    await other.leases.acquire(run, wait=Waits(other))

        with pytest.raises(RunStopped, match="is held by process"):
            await store.leases.acquire(run, wait=Overtaken(store))


def test_a_process_number_that_was_used_again_is_another_process() -> None:
    assert not ProcessId.current().has_ended
    assert ProcessId.current().model_copy(update={"started": "1"}).has_ended


def test_a_process_of_another_machine_may_live() -> None:
    assert not AFAR.has_ended
