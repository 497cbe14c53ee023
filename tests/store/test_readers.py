from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from panel.core.draft_state import Action
from panel.core.take import Verdict
from panel.core.tally import Votes
from panel.errors import GateError, NotFound
from panel.store import SubscriptionState
from panel.store.readers import MAX_VOTES_OF_ADDRESS
from publishing import make_review, publish, put_draft
from store.editing import REASON, do

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio

HOME = "a" * 64


def voter(number: int) -> str:
    return f"{number:064}"


async def test_a_reader_has_one_vote_that_can_change(store: Store) -> None:
    """A second vote of a reader takes the place of the first, and taking it back leaves none."""
    await publish(store, make_review())
    await store.votes.cast("lantern", voter(1), Verdict.SHIP, HOME)
    await store.votes.cast("lantern", voter(1), Verdict.SKIP, HOME)
    await store.votes.cast("lantern", voter(2), Verdict.SKIP, HOME)
    assert await store.votes.counts(["lantern"]) == {"lantern": Votes(skips=2)}
    assert await store.votes.by_reader(voter(1), ["lantern", "other"]) == {"lantern": Verdict.SKIP}
    await store.votes.cast("lantern", voter(1), None, HOME)
    assert await store.votes.all_counts() == {"lantern": Votes(skips=1)}
    assert await store.votes.by_reader(voter(1), ["lantern"]) == {}


async def test_only_what_is_on_the_site_can_be_voted_on(store: Store) -> None:
    """A draft, a retracted review and a tool that nobody knows take no votes."""
    await put_draft(store, make_review("Draft"))
    retracted, *_ = await publish(store, make_review("Gone"))
    await do(store, retracted, Action.RETRACT, reason=REASON)
    for slug in ("draft", "gone", "nothing"):
        with pytest.raises(NotFound, match=slug):
            await store.votes.cast(slug, voter(1), Verdict.SHIP, HOME)
    assert await store.votes.counts(["draft", "gone", "nothing"]) == {}


async def test_an_address_has_a_ceiling(store: Store) -> None:
    """From one address so many readers can vote on a tool and no more; those who voted can still change their minds."""
    await publish(store, make_review(), make_review("Sextant"))
    for number in range(MAX_VOTES_OF_ADDRESS):
        await store.votes.cast("lantern", voter(number), Verdict.SHIP, HOME)
    with pytest.raises(GateError, match="tomorrow"):
        await store.votes.cast("lantern", voter(99), Verdict.SHIP, HOME)
    await store.votes.cast("lantern", voter(0), Verdict.SKIP, HOME)
    await store.votes.cast("lantern", voter(99), Verdict.SHIP, "b" * 64)
    await store.votes.cast("sextant", voter(99), Verdict.SHIP, HOME)
    assert (await store.votes.counts(["lantern"]))["lantern"].total == MAX_VOTES_OF_ADDRESS + 1


async def test_a_vote_that_is_changed_makes_no_room(store: Store) -> None:
    """Votes that are changed from another address still count for the first one's ceiling."""
    await publish(store, make_review())
    for number in range(MAX_VOTES_OF_ADDRESS):
        await store.votes.cast("lantern", voter(number), Verdict.SHIP, HOME)
        await store.votes.cast("lantern", voter(number), Verdict.SKIP, "b" * 64)
    with pytest.raises(GateError):
        await store.votes.cast("lantern", voter(99), Verdict.SHIP, HOME)


async def test_a_former_slug_is_another_tool_s_to_take(store: Store) -> None:
    await publish(store, make_review("Lantern", slug="foo"))
    await store.votes.cast("foo", voter(1), Verdict.SHIP, HOME)
    await publish(store, make_review("Lantern", slug="bar"))
    await publish(store, make_review("Foo", slug="foo"))
    await store.votes.cast("foo", voter(2), Verdict.SKIP, HOME)
    assert await store.votes.all_counts() == {"bar": Votes(ships=1), "foo": Votes(skips=1)}


async def test_many_votes_at_once_are_all_counted(store: Store) -> None:
    """Readers who vote at the same time lose no vote, and one who clicks twice has one."""
    await publish(store, make_review())
    votes = (store.votes.cast("lantern", voter(n % 8), Verdict.SHIP, f"{n % 8:064}") for n in range(24))
    await asyncio.gather(*votes)
    assert await store.votes.all_counts() == {"lantern": Votes(ships=8)}


async def test_a_tool_reviewed_twice_keeps_its_votes(store: Store) -> None:
    """Votes are on the tool: a new review, under another address, has those that were cast before."""
    await publish(store, make_review())
    await store.votes.cast("lantern", voter(1), Verdict.SHIP, HOME)
    await publish(store, make_review("Lantern", 20, 30, 40))
    assert await store.votes.all_counts() == {"lantern": Votes(ships=1)}


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
    asked = await store.subscribers.request(KIM)
    assert await store.subscribers.forget(KIM.upper().replace("EXAMPLE.ORG", "example.org"))
    assert await store.subscribers.get(asked.id) is None
    assert await store.subscribers.page() == []
    assert not await store.subscribers.forget(KIM)
