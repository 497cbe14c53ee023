"""Who has a draft before them, on both kinds of database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from panel.core.actor import Actor, Role
from panel.core.draft_edits import ScoreChange
from panel.errors import GateError, NotFound
from panel.store import LOCK_SECONDS, open_store
from panel.store.columns import database_time
from panel.store.schema import draft_locks
from store.editing import ADA, KIM, approval, brought, do, drafted, priced, resolve_all
from store.samples import events_of, lock_of

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio

TEN_MINUTES = 600


async def _pass(store: Store, seconds: float) -> None:
    """Let time pass for all draft_locks, by the database's clock."""
    query = draft_locks.update().values(until=draft_locks.c.until - seconds)
    await store._db.write(lambda connection: connection.execute(query))


async def test_a_claim_lasts_ten_minutes(store: Store) -> None:
    """Whoever opens a draft has it for ten minutes by the database's clock, and not longer."""
    draft = await drafted(store)
    assert await lock_of(store, draft) is None
    claim = await store.locks.lock(draft, ADA)
    assert (claim.draft, claim.holder, claim.seconds, claim.minutes) == (draft, "Ada", TEN_MINUTES, 10)
    time = await store._db.read(database_time)
    until = await store._db.read(
        lambda connection: connection.execute(select(draft_locks.c.until)).scalar_one()
    )
    assert until - time == pytest.approx(LOCK_SECONDS, abs=30)
    await _pass(store, TEN_MINUTES - 60)
    found = await lock_of(store, draft)
    assert found is not None
    assert (found.holder, found.minutes) == ("Ada", 1)
    await _pass(store, 60)
    assert await lock_of(store, draft) is None
    assert (await approval(store).view(draft)).lock is None
    assert (await store.queue.page()).rows[0].holder is None


async def test_a_draft_is_with_one_reader(store: Store) -> None:
    draft = await drafted(store)
    await store.locks.lock(draft, ADA)
    assert (await store.locks.lock(draft, KIM)).holder == "Ada"
    found = (await approval(store).view(draft)).lock
    assert found is not None
    assert found.holder == "Ada"
    await _pass(store, TEN_MINUTES + 1)
    assert (await store.locks.lock(draft, KIM)).holder == "Kim"


async def test_reading_on_renews(store: Store) -> None:
    """A holder who draft_locks a draft again has it for ten more minutes, however they write their name."""
    draft = await drafted(store)
    await store.locks.lock(draft, ADA)
    await _pass(store, TEN_MINUTES - 1)
    await store.locks.lock(draft, Actor(name=" ADA ", role=Role.EDITOR))
    await _pass(store, TEN_MINUTES - 60)
    found = await lock_of(store, draft)
    assert found is not None
    assert found.minutes == 1


async def test_one_of_many_gets_it(where: str, store: Store) -> None:
    """Of several who open a draft at once, all are told the same holder."""
    draft = await drafted(store)
    async with open_store(where) as other:
        asked = [
            (store, other)[n % 2].locks.lock(draft, Actor(name=f"Editor {n}", role=Role.EDITOR))
            for n in range(8)
        ]
        holders = {claim.holder for claim in await asyncio.gather(*asked)}
    found = await lock_of(store, draft)
    assert found is not None
    assert holders == {found.holder}


async def test_what_somebody_else_has_is_left_alone(store: Store) -> None:
    """Nothing is done with a draft that another has before them, until they let it go or it is taken over."""
    draft = await drafted(store)
    await store.locks.lock(draft, ADA)
    with pytest.raises(
        GateError, match=f"draft {draft} is reserved for Ada for 10 more minutes; wait, or take it over"
    ):
        await do(store, draft, "open", KIM)
    await _pass(store, TEN_MINUTES - 60)
    with pytest.raises(GateError, match="is reserved for Ada for 1 more minute"):
        await do(store, draft, "open", KIM)
    await do(store, draft, "open", ADA)
    await store.locks.release(draft, KIM)
    assert await lock_of(store, draft) is not None
    await store.locks.release(draft, ADA)
    await do(store, draft, "edit", KIM)


async def test_a_draft_is_taken_over(store: Store) -> None:
    """Whoever takes a draft over has it, and its history says from whom."""
    draft = await drafted(store)
    await store.locks.lock(draft, ADA)
    before = await approval(store).view(draft)
    claim = await store.locks.take_over(draft, KIM)
    assert (claim.holder, claim.seconds) == ("Kim", TEN_MINUTES)
    after = await approval(store).view(draft)
    event = after.history[-1]
    assert (event.actor, event.kind, event.payload) == (
        "Kim",
        "take_over",
        {"role": "publisher", "from": "Ada"},
    )
    assert (after.shown, after.current) == (before.shown, before.current)
    with pytest.raises(GateError, match="is reserved for Kim"):
        await do(store, draft, "open", ADA)
    assert await store.check() == []


async def test_what_nobody_else_has_is_taken_without_a_trace(store: Store) -> None:
    """Taking over a draft that is free, or one's own, is a claim and no event."""
    draft = await drafted(store)
    await store.locks.take_over(draft, KIM)
    await store.locks.take_over(draft, KIM)
    await _pass(store, TEN_MINUTES)
    await store.locks.take_over(draft, ADA)
    assert len(await events_of(store, draft)) == 1


@pytest.mark.parametrize("decision", ["approve", "request_changes", "reject", "publish", "retract"])
async def test_a_decision_lets_go(store: Store, decision: str) -> None:
    """Whoever decides about a draft no longer has it before them."""
    draft = await drafted(store, priced())
    await resolve_all(store, draft)
    way = {"publish": ("approve",), "retract": ("approve", "publish")}
    await brought(store, draft, *way.get(decision, ()))
    await store.locks.lock(draft, KIM)
    await do(store, draft, decision, KIM)
    assert await lock_of(store, draft) is None


@pytest.mark.parametrize("step", ["edit", "rerun_seat", "undo"])
async def test_work_holds_on(store: Store, step: str) -> None:
    """Whoever works on a draft without deciding keeps it before them."""
    draft = await drafted(store)
    await do(store, draft, "edit", changes=(ScoreChange(persona="skeptic", value=61),))
    await store.locks.lock(draft, KIM)
    await do(store, draft, step, KIM)
    assert await lock_of(store, draft) is not None


async def test_a_refused_decision_lets_nothing_go(store: Store) -> None:
    """A decision that is refused leaves the draft with whoever has it."""
    draft = await drafted(store, priced())
    await do(store, draft, "open")
    await store.locks.lock(draft, KIM)
    with pytest.raises(GateError, match="to resolve before approval"):
        await do(store, draft, "approve", KIM)
    assert await lock_of(store, draft) is not None


@pytest.mark.parametrize("number", [7, 10**30])
async def test_a_draft_that_does_not_exist_cannot_be_locked(store: Store, number: int) -> None:
    await store.locks.release(number, KIM)
    for wanted in (store.locks.lock(number, KIM), store.locks.take_over(number, KIM)):
        with pytest.raises(NotFound, match=f"there is no draft {number}; see the queue"):
            await wanted
