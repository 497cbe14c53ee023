from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from panel.core.draft_edits import ScoreChange
from panel.core.draft_state import Action
from panel.errors import StorageError
from panel.store.store import database_at
from publishing import correct, make_review, publish, put_draft
from store.editing import REASON, brought, do

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio


async def test_only_what_was_published_is_listed(store: Store) -> None:
    """Drafts that are live or were retracted are listed by tool, each with a version that grows with what happens to it."""
    await put_draft(store, make_review("Draft"))
    first, second = await publish(store, make_review("One"), make_review("Two"))
    before = await store.publications.listed()
    assert [row.draft for row in before] == [first, second]
    await do(store, second, Action.RETRACT, reason=REASON)
    after = await store.publications.listed()
    assert [row.draft for row in after] == [first, second]
    assert after[0] == before[0]
    assert after[1].version > before[1].version


async def test_each_publication_is_as_it_was(store: Store) -> None:
    draft, *_ = await publish(store, make_review())
    await correct(store, draft, ScoreChange(persona="builder", value=71))
    told = await store.publications.history(draft)
    assert told
    scores = [
        one.shown.review.seats[0].take.score for one in told.publications if one.shown.review.seats[0].take
    ]
    assert scores == [70, 71]
    assert told.live == told.publications[-1]
    assert [one.approved_by for one in told.publications] == ["Kim", "Kim"]


async def test_a_correction_that_is_not_published_changes_nothing(store: Store) -> None:
    """While an editor corrects what is published, the site has what was approved last."""
    draft, *_ = await publish(store, make_review())
    await do(store, draft, Action.EDIT, changes=(ScoreChange(persona="builder", value=71),), reason=REASON)
    told = await store.publications.history(draft)
    assert told
    assert len(told.publications) == 1
    assert told.live


async def test_a_retraction_is_told_with_its_reason(store: Store) -> None:
    draft, *_ = await publish(store, make_review())
    await do(store, draft, Action.RETRACT, reason=REASON)
    told = await store.publications.history(draft)
    assert told
    assert told.live is None
    assert (gone := told.retraction(0))
    assert (gone.by, gone.reason) == ("Kim", REASON)
    await brought(store, draft, "open", "approve", "publish")
    again = await store.publications.history(draft)
    assert again
    assert again.live == again.publications[1]
    assert again.retraction(0) == gone
    assert again.retraction(1) is None


async def test_what_was_never_published_is_none(store: Store) -> None:
    """A draft that only was approved has nothing published."""
    draft = await put_draft(store, make_review())
    await brought(store, draft, "open", "approve")
    assert await store.publications.history(draft) is None


async def test_an_altered_review_is_not_handed_out(store: Store, where: str) -> None:
    """A review that somebody changed in the database is refused, not published."""
    draft, *_ = await publish(store, make_review())
    database = database_at(where)
    change = text(
        "UPDATE drafts SET review = replace(CAST(review AS TEXT), 'log files', 'your mind')"
        if "://" not in where
        else "UPDATE drafts SET review = replace(review::text, 'log files', 'your mind')::json"
    )
    database.write(lambda connection: connection.execute(change))
    database.close()
    with pytest.raises(StorageError, match=f"draft {draft}"):
        await store.publications.history(draft)


async def test_tools_that_were_compared_belong_together(store: Store) -> None:
    """Tools of one comparison are named together, in their order; tools of a review or a batch are not."""
    await publish(store, make_review("One"), make_review("Two"), kind="batch")
    await publish(store, make_review("Three"), make_review("Four"), kind="compare")
    third, fourth = (row.tool for row in (await store.publications.listed())[2:])
    assert await store.publications.compared_tools() == [(third, fourth)]
