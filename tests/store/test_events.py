"""The log of what happened to drafts, on both kinds of database."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, text, update

from panel.core.draft_state import derive_state
from panel.errors import GateError, StorageError
from panel.store.schema import events
from store.editing import KIM, LEE, brought, do, drafted, priced, resolve_all
from store.samples import events_of

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from panel.store import Store

pytestmark = pytest.mark.anyio

STEPS = ("edit", "undo", "rerun_seat", "approve", "publish", "retract", "open")


async def test_events_are_a_chain_that_adds_up_to_the_state(store: Store) -> None:
    draft = await drafted(store, priced())
    await resolve_all(store, draft)
    await store.locks.lock(draft, LEE)
    await store.locks.take_over(draft, KIM)
    standing = await brought(store, draft, *STEPS)
    found = await events_of(store, draft)
    assert [event.kind for event in found] == ["drafted", "tick", "take_over", *STEPS]
    assert all(after.hash_before == before.hash_after for before, after in pairwise(found))
    assert [event.id for event in found] == sorted({event.id for event in found})
    assert derive_state(found) == standing
    assert (await store.drafts.get(draft)).state == standing.state
    assert await store.check() == []


async def test_an_event_tells_who_when_and_why(store: Store) -> None:
    draft = await drafted(store, priced())
    await do(store, draft, "open", LEE)
    await do(store, draft, "request_changes", KIM, reason="  The price is not in the listing.\r\n")
    first, opened, asked = await events_of(store, draft)
    assert (first.actor, first.kind, first.hash_before) == ("panel", "drafted", None)
    assert (opened.actor, opened.reason, opened.payload) == ("Lee", None, {"role": "drafter"})
    assert (asked.actor, asked.reason) == ("Kim", "The price is not in the listing.")
    assert asked.payload == {"role": "publisher"}
    assert first.at <= opened.at <= asked.at
    assert asked.at.tzinfo is not None


async def test_a_refusal_leaves_no_event(store: Store) -> None:
    draft = await drafted(store, priced())
    await do(store, draft, "open")
    before = await events_of(store, draft)
    for action, actor, parts in (
        ("approve", KIM, {}),
        ("approve", LEE, {}),
        ("publish", KIM, {}),
        ("reject", KIM, {"reason": " "}),
        ("tick", KIM, {}),
    ):
        with pytest.raises(GateError):
            await do(store, draft, action, actor, **parts)
    assert await events_of(store, draft) == before


CHANGES: dict[str, Executable] = {
    "actor": update(events).values(actor="Ada"),
    "reason": update(events).where(events.c.kind == "open").values(reason="x"),
    "nothing": update(events).values(kind=events.c.kind),
    "delete": delete(events),
    "delete one": delete(events).where(events.c.kind == "open"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_the_database_keeps_every_event(store: Store, change: str) -> None:
    draft = await drafted(store, priced())
    await do(store, draft, "open")
    before = await events_of(store, draft)

    def work(connection: Any) -> None:
        connection.execute(text("DELETE FROM open_kinds"))
        connection.execute(CHANGES[change])

    with pytest.raises(StorageError, match="events are only ever added"):
        await store._db.write(work)
    assert await events_of(store, draft) == before
    assert (await store.queue.page()).rows[0].open_findings == 1
    await do(store, draft, "edit")
    assert await store.check() == []
