from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from panel.store import SubscriptionState

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio

KIM, ADA = "Kim@example.org", "ada@example.org"


async def test_somebody_confirms_and_leaves(store: Store) -> None:
    """Whoever asks is pending, gets issues once they confirmed, and none after they left; asking again begins anew."""
    asked = await store.subscribers.request(KIM)
    assert (asked.state, asked.mail) == (SubscriptionState.PENDING, KIM)
    assert await store.subscribers.due("2026-W47") == []
    await store.subscribers.confirm(asked.id)
    assert [one.mail for one in await store.subscribers.due("2026-W47")] == [KIM]
    await store.subscribers.leave(asked.id)
    assert await store.subscribers.due("2026-W47") == []
    again = await store.subscribers.request(KIM)
    assert (again.id, again.state) == (asked.id, SubscriptionState.PENDING)


async def test_asking_twice_changes_nothing_for_who_is_in(store: Store) -> None:
    """Somebody who confirmed stays confirmed when anybody asks for their address again, in whatever case."""
    asked = await store.subscribers.request(KIM)
    await store.subscribers.confirm(asked.id)
    known = await store.subscribers.request(KIM.lower())
    assert (known.id, known.state, known.mail) == (asked.id, SubscriptionState.CONFIRMED, KIM)


async def test_an_issue_is_sent_once(store: Store) -> None:
    """Whoever is taken for an issue cannot be taken for it again, is due for the next one, and no more for an earlier one."""
    for mail in (KIM, ADA):
        await store.subscribers.confirm((await store.subscribers.request(mail)).id)
    first, second = await store.subscribers.due("2026-W47")
    assert await asyncio.gather(*(store.subscribers.reserve(first, "2026-W47") for _ in range(3))) == [
        True,
        False,
        False,
    ]
    assert await store.subscribers.due("2026-W47") == [second]
    assert await store.subscribers.due("2026-W46") == [second]
    assert len(await store.subscribers.due("2026-W48")) == 2
    await store.subscribers.release(first)
    assert await store.subscribers.due("2026-W47") == [first, second]
    assert await store.subscribers.due("2026-W47", after=first.id) == [second]


async def test_somebody_is_forgotten(store: Store) -> None:
    """Nothing is left of an address that is forgotten, and forgetting it again says that there was nothing."""
    asked = await store.subscribers.request(KIM)
    assert await store.subscribers.forget(KIM.upper().replace("EXAMPLE.ORG", "example.org"))
    assert await store.subscribers.get(asked.id) is None
    assert await store.subscribers.find(KIM) is None
    assert await store.subscribers.page() == []
    assert not await store.subscribers.forget(KIM)
