from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update

import builders
from panel.core.review import PanelReview
from panel.errors import StorageError
from panel.store.schema import events, takes
from store.samples import events_of, review

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from panel.core.take import NoTake, Take
    from panel.store import Store

pytestmark = pytest.mark.anyio


async def _draft(store: Store, kept: PanelReview, run: int | None = None, *, anew: bool = False) -> int:
    run = await store.runs.create("review", {}) if run is None else run
    return await store.drafts.put(kept, run, await store.tools.put(kept.tool), anew=anew)


async def test_a_draft_is_a_review_with_its_takes_and_its_first_event(store: Store) -> None:
    """A review that is put comes back whole, with a row for each seat and an event of its making."""
    kept = review()
    draft = await store.drafts.get(await _draft(store, kept))
    assert draft.review == kept
    assert (draft.review_id, draft.state, draft.slug) == (kept.id, "drafted", "lantern")
    columns = takes.c.persona, takes.c.verdict, takes.c.reason
    rows = await store._db.read(
        lambda connection: connection.execute(select(*columns).order_by(takes.c.position)).all()
    )
    assert [tuple(row) for row in rows] == [
        ("builder", "ship", None),
        ("skeptic", "ship", None),
        ("futurist", None, "recused"),
    ]
    (event,) = await events_of(store, draft.id)
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
    found = await store._db.read(lambda connection: {tuple(row) for row in connection.execute(query)})
    source = builders.provenance(attempts=1)
    assert found == {(source.prompt_digest, source.config.model)}


async def test_a_draft_ends_the_work_on_its_tool(store: Store) -> None:
    """The tool of a draft is done in the same transaction."""
    run = await store.runs.create("review", {})
    await store.runs.add_tools(run, [builders.tool(), builders.tool("Sextant")])
    await _draft(store, review(), run)
    assert [todo.tool.name for todo in await store.runs.next_tools(run)] == ["Sextant"]
    progress = await store.run_stats.progress(run)
    assert (progress.todo, progress.done, progress.drafts) == (1, 1, 1)


async def test_a_review_is_drafted_once_in_a_run(store: Store) -> None:
    """The same review put again is the same draft, with no second event."""
    run = await store.runs.create("review", {})
    first = await _draft(store, review(), run)
    assert await _draft(store, review(), run) == first
    assert len(await events_of(store, first)) == 1


async def test_another_review_of_the_tool_needs_another_run(store: Store) -> None:
    run = await store.runs.create("review", {})
    await _draft(store, review(), run)
    with pytest.raises(StorageError, match="has a draft of Lantern already; begin a new run"):
        await _draft(store, review(builders.tool(pricing="Free")), run)
    await _draft(store, review(builders.tool(pricing="Free")))


async def test_a_draft_needs_its_run_and_its_tool(store: Store) -> None:
    version = await store.tools.put(builders.tool())
    with pytest.raises(StorageError):
        await store.drafts.put(review(), 7, version)
    with pytest.raises(StorageError, match="there is no version 7"):
        await store.drafts.put(review(), await store.runs.create("review", {}), 7)
    assert (await store.queue.page()).rows == ()
    with pytest.raises(StorageError, match="holds no draft 1"):
        await store.drafts.get(1)


@pytest.mark.parametrize(
    "change", [update(events).values(actor="nobody"), delete(events)], ids=["changed", "deleted"]
)
async def test_the_log_is_only_ever_added_to(store: Store, change: Executable) -> None:
    """The database itself refuses to change or delete an event."""
    draft = await _draft(store, review())
    with pytest.raises(StorageError, match="events are only ever added"):
        await store._db.write(lambda connection: connection.execute(change))
    assert [event.actor for event in await events_of(store, draft)] == ["panel"]


FAILED = builders.no_take("timed_out", "No answer within 120 s.")
SCORED = builders.take(), builders.take(80), builders.take(60)


async def test_a_review_that_says_the_same_is_kept_once(store: Store) -> None:
    """Another run's review with the same outcomes is the first run's draft, though it was made later and cost otherwise."""
    first = await _draft(store, review())
    run = await store.runs.create("batch", {})
    await store.runs.add_tools(run, [builders.tool()])
    later = review()
    source = builders.provenance(attempts=4)
    seats = tuple(seat.model_copy(update={"provenance": source}) for seat in later.seats)
    later = later.model_copy(update={"reviewed_at": later.reviewed_at + timedelta(days=1), "seats": seats})
    assert await _draft(store, later, run) == first
    assert (await store.drafts.get(first)).review == review()
    assert len(await events_of(store, first)) == 1
    progress = await store.run_stats.progress(run)
    assert (progress.todo, progress.done, progress.drafts) == (0, 1, 1)


async def test_a_review_that_fills_in_takes_the_place(store: Store) -> None:
    before = review(None, SCORED[0], FAILED, FAILED)
    draft = await _draft(store, before)
    shown = (await store.drafts.get(draft)).shown
    mended = review(None, *SCORED)
    assert await _draft(store, mended) == draft
    kept = await store.drafts.get(draft)
    assert (kept.review, kept.run, kept.review_id) == (mended, 1, before.id)
    assert kept.shown != shown
    rows = await store._db.read(
        lambda connection: connection.execute(
            select(takes.c.verdict, takes.c.reason).order_by(takes.c.position)
        ).all()
    )
    assert [tuple(row) for row in rows] == [("ship", None), ("ship", None), ("ship", None)]
    assert len((await store.queue.page()).rows) == 1
    assert await store.check() == []


async def test_a_revision_is_an_event_that_holds_what_was_there_before(store: Store) -> None:
    """The event of a revision has both digests, and the review as it was with the seats that had failed."""
    before = review(None, SCORED[0], FAILED, builders.no_take())
    draft = await _draft(store, before)
    await _draft(store, review(None, SCORED[0], SCORED[1], builders.no_take()))
    drafted, revised = await events_of(store, draft)
    assert (revised.actor, revised.kind) == ("panel", "revised")
    assert (revised.hash_before, revised.hash_after) == (
        drafted.hash_after,
        (await store.drafts.get(draft)).shown,
    )
    assert PanelReview.model_validate(revised.payload["review"]) == before


async def test_a_draft_may_be_filled_in_step_by_step(store: Store) -> None:
    """Each review that mends a further seat is a revision of its own."""
    draft = await _draft(store, review(None, SCORED[0], FAILED, FAILED))
    await _draft(store, review(None, SCORED[0], SCORED[1], FAILED))
    assert await _draft(store, review(None, *SCORED)) == draft
    assert [event.kind for event in await events_of(store, draft)] == ["drafted", "revised", "revised"]


async def test_a_seat_that_recuses_itself_fills_in(store: Store) -> None:
    """A recusal in the place of a failed seat is an outcome like a take."""
    draft = await _draft(store, review(None, SCORED[0], SCORED[1], FAILED))
    mended = review(None, SCORED[0], SCORED[1], builders.no_take())
    assert await _draft(store, mended) == draft
    assert (await store.drafts.get(draft)).review == mended


@pytest.mark.parametrize(
    "worse",
    [
        (SCORED[0], FAILED, FAILED),
        (SCORED[0], SCORED[1], builders.no_take("invalid", "It was no JSON.")),
        (FAILED, SCORED[1], SCORED[2]),
        (builders.take(10, "skip"), SCORED[1], SCORED[2]),
    ],
    ids=["loses a take", "fails for another reason", "gains one and loses one", "changes a take"],
)
async def test_a_review_that_is_no_better_is_not_kept_in_its_run(
    worse: tuple[Take | NoTake, ...], store: Store
) -> None:
    """A run that asks again and gains nothing keeps the draft that it had, with no event; none of its takes is replaced."""
    run = await store.runs.create("batch", {})
    before = review(None, SCORED[0], SCORED[1], FAILED)
    draft = await _draft(store, before, run)
    assert await _draft(store, review(None, *worse), run) == draft
    assert (await store.drafts.get(draft)).review == before
    assert len(await events_of(store, draft)) == 1


@pytest.mark.parametrize(
    "other",
    [(SCORED[0], FAILED, FAILED), (builders.take(10, "skip"), SCORED[1], FAILED)],
    ids=["worse", "other"],
)
async def test_another_runs_other_review_is_a_draft_of_its_own(
    other: tuple[Take | NoTake, ...], store: Store
) -> None:
    first = await _draft(store, review(None, SCORED[0], SCORED[1], FAILED))
    second = await _draft(store, review(None, *other))
    assert second != first
    assert (await store.drafts.get(second)).review == review(None, *other)
    assert len(await events_of(store, first)) == 1


async def test_a_review_that_was_asked_anew_is_a_draft_of_its_own(store: Store) -> None:
    """A fresh run leaves other runs' drafts alone, whether its review says the same or fills one in; its own it mends."""
    first = await _draft(store, review(None, SCORED[0], SCORED[1], FAILED))
    run = await store.runs.create("batch", {})
    second = await _draft(store, review(None, SCORED[0], SCORED[1], FAILED), run, anew=True)
    assert second != first
    assert await _draft(store, review(None, *SCORED), run, anew=True) == second
    assert len(await events_of(store, first)) == 1
    assert [event.kind for event in await events_of(store, second)] == ["drafted", "revised"]


async def test_the_latest_draft_is_the_one_that_is_filled_in(store: Store) -> None:
    first = await _draft(store, review(None, SCORED[0], FAILED, FAILED))
    second = await _draft(store, review(None, SCORED[0], SCORED[1], FAILED), anew=True)
    assert await _draft(store, review(None, *SCORED)) == second
    assert len(await events_of(store, first)) == 1


async def test_what_is_drafted_has_no_failed_seat(store: Store) -> None:
    lacking, whole = review(None, *SCORED[:2], FAILED), review(builders.tool("Sextant"))
    await _draft(store, lacking)
    draft = await _draft(store, whole)
    found = await store.drafts.complete([lacking.id, whole.id, "0" * 64])
    assert {key: line.id for key, line in found.items()} == {whole.id: draft}
    await _draft(store, review(None, *SCORED))
    assert set(await store.drafts.complete([lacking.id, whole.id])) == {lacking.id, whole.id}
    assert await store.drafts.complete([]) == {}


async def test_the_latest_whole_draft_is_named(store: Store) -> None:
    kept = review(None, *SCORED)
    await _draft(store, kept)
    second = await _draft(store, kept, anew=True)
    await _draft(store, review(None, *SCORED[:2], FAILED), anew=True)
    assert (await store.drafts.complete([kept.id]))[kept.id].id == second


async def test_many_reviews_are_looked_for_at_once(store: Store) -> None:
    """A page of 200 reviews is looked for in one question."""
    draft = await _draft(store, review())
    found = await store.drafts.complete([*(f"{n:064x}" for n in range(200)), review().id])
    assert [line.id for line in found.values()] == [draft]


async def test_a_runs_draft_of_a_tool_is_found_by_its_name(store: Store) -> None:
    run, other = [await store.runs.create("batch", {}) for _ in range(2)]
    draft = await _draft(store, review(), run)
    found = await store.drafts.of_tool(run, builders.tool("LANTERN", description="Another text."))
    assert found is not None
    assert (found.id, found.review) == (draft, review())
    assert await store.drafts.of_tool(other, builders.tool()) is None
    assert await store.drafts.of_tool(run, builders.tool("Sextant")) is None
