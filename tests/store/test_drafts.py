from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update

import builders
from panel.errors import GateError, StorageError
from panel.store import Event
from panel.store.schema import events, takes
from store.samples import review

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from panel.domain.review import PanelReview
    from panel.store import Store

pytestmark = pytest.mark.anyio


async def _draft(store: Store, kept: PanelReview, run: int | None = None, *, anew: bool = False) -> int:
    run = await store.create_run("review", {}) if run is None else run
    return await store.put_draft(kept, run, await store.put_tool(kept.tool), anew=anew)


async def test_a_draft_is_a_review_with_its_takes_and_its_first_event(store: Store) -> None:
    """A review that is put comes back whole, with a row for each seat and an event of its making."""
    kept = review()
    draft = await store.draft(await _draft(store, kept))
    assert draft.review == kept
    assert (draft.review_id, draft.state, draft.slug) == (kept.id, "drafted", "lantern")
    columns = takes.c.persona, takes.c.kind, takes.c.verdict, takes.c.score, takes.c.reason
    rows = await store._read(
        lambda connection: connection.execute(select(*columns).order_by(takes.c.position)).all()
    )
    assert [tuple(row) for row in rows] == [
        ("builder", "take", "ship", 70, None),
        ("skeptic", "take", "ship", 80, None),
        ("futurist", "no_take", None, None, "recused"),
    ]
    (event,) = await store.events(draft.id)
    assert (event.actor, event.kind, event.hash_before, event.hash_after) == (
        "panel",
        "drafted",
        None,
        draft.shown,
    )


async def test_a_take_names_the_question_it_answers(store: Store) -> None:
    """A take is kept with the prompt and the model it came from, by which its call is found."""
    draft = await _draft(store, review())
    query = select(takes.c.prompt_digest, takes.c.model).where(takes.c.draft_id == draft)
    found = await store._read(lambda connection: {tuple(row) for row in connection.execute(query)})
    source = builders.provenance(attempts=1)
    assert found == {(source.prompt_digest, source.config.model)}


async def test_a_draft_ends_the_work_on_its_tool(store: Store) -> None:
    """The tool of a draft is done in the same transaction."""
    run = await store.create_run("review", {})
    await store.add_tools(run, [builders.tool(), builders.tool("Sextant")])
    await _draft(store, review(), run)
    assert [todo.tool.name for todo in await store.next_tools(run)] == ["Sextant"]
    progress = await store.progress(run)
    assert (progress.todo, progress.done, progress.drafts) == (1, 1, 1)


async def test_a_review_is_drafted_once_in_a_run(store: Store) -> None:
    """The same review put again is the same draft, with no second event."""
    run = await store.create_run("review", {})
    first = await _draft(store, review(), run)
    assert await _draft(store, review(), run) == first
    assert len(await store.events(first)) == 1


async def test_another_review_of_the_tool_needs_another_run(store: Store) -> None:
    """A run has one draft of a tool: another review of it is refused."""
    run = await store.create_run("review", {})
    await _draft(store, review(), run)
    with pytest.raises(StorageError, match="has a draft of Lantern already; begin a new run"):
        await _draft(store, review(builders.tool(pricing="Free")), run)
    await _draft(store, review(builders.tool(pricing="Free")))


async def test_a_draft_needs_its_run_and_its_tool(store: Store) -> None:
    """A draft of a run or a tool that is not there is refused, and leaves nothing behind."""
    version = await store.put_tool(builders.tool())
    with pytest.raises(StorageError):
        await store.put_draft(review(), 7, version)
    with pytest.raises(StorageError, match="there is no version 7"):
        await store.put_draft(review(), await store.create_run("review", {}), 7)
    assert await store.drafts() == []
    with pytest.raises(StorageError, match="holds no draft 1"):
        await store.draft(1)


async def test_drafts_are_listed_by_page(store: Store) -> None:
    """Drafts are listed from the oldest, a page at a time, of one run or of all."""
    run = await store.create_run("review", {})
    for name in ("Lantern", "Sextant", "Compass"):
        await _draft(store, review(builders.tool(name)), run)
    await _draft(store, review(), anew=True)
    first = await store.drafts(limit=3)
    rest = await store.drafts(after=first[-1].id, limit=3)
    assert [line.name for line in [*first, *rest]] == ["Lantern", "Sextant", "Compass", "Lantern"]
    assert len(await store.drafts(run)) == 3


async def test_what_happens_to_a_draft_is_added(store: Store) -> None:
    """Events of a draft come back in the order they were added, with all that was said."""
    draft = await _draft(store, review())
    shown = (await store.draft(draft)).shown
    event = Event(
        draft=draft,
        actor="kim",
        kind="approved",
        reason="reads well",
        hash_before=shown,
        hash_after=shown,
        payload={"ticked": ["42 GB"]},
    )
    number = await store.append_event(event)
    _, kept = await store.events(draft)
    assert kept.id == number
    assert Event.model_validate(kept.model_dump(exclude={"id", "at"})) == event


async def test_an_event_is_about_what_was_shown(store: Store) -> None:
    """An event about a version of a draft that is not the one in force is refused."""
    draft = await _draft(store, review())
    event = Event(draft=draft, actor="kim", kind="approved", hash_before="0" * 64, hash_after="0" * 64)
    with pytest.raises(GateError, match=f"draft {draft} has changed since it was shown"):
        await store.append_event(event)
    with pytest.raises(StorageError, match="there is no draft 7"):
        await store.append_event(event.model_copy(update={"draft": 7}))


@pytest.mark.parametrize(
    "change", [update(events).values(actor="nobody"), delete(events)], ids=["changed", "deleted"]
)
async def test_the_log_is_only_ever_added_to(store: Store, change: Executable) -> None:
    """The database itself refuses to change or delete an event."""
    draft = await _draft(store, review())
    with pytest.raises(StorageError, match="events are only ever added"):
        await store._write(lambda connection: connection.execute(change))
    assert [event.actor for event in await store.events(draft)] == ["panel"]
