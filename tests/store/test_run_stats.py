from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

import builders
from panel.core.frozen import digest_of
from panel.core.review import PanelReview
from panel.core.take import NoTakeReason
from panel.store import FAILURES, ProcessId, RunState
from panel.store.run_stats import PAGE
from panel.store.schema import runs
from store.samples import answered, call_key, failed

if TYPE_CHECKING:
    from panel.core.take import NoTake, Take
    from panel.store import FailedSeat, Store

pytestmark = pytest.mark.anyio

ELSEWHERE = ProcessId(host="far", space="another boot", pid=7, started="1")


def prompt_of(name: str, persona: str) -> str:
    return digest_of([name, persona])


async def keep(store: Store, run: int, name: str, *outcomes: Take | NoTake) -> int:
    """Keep a review whose seats asked a question each."""
    seats = tuple(
        builders.seat(
            persona, outcome, provenance=builders.provenance(prompt_digest=prompt_of(name, persona))
        )
        for persona, outcome in zip(builders.ROSTER, outcomes, strict=False)
    )
    names = [seat.persona for seat in seats]
    kept = PanelReview(
        tool=builders.tool(name),
        setup=builders.setup(roster=names),
        seats=seats,
        reviewed_at=builders.REVIEWED_AT,
    )
    await store.runs.add_tools(run, [kept.tool])
    return await store.drafts.put(kept, run, await store.tools.put(kept.tool), anew=True)


async def reply(store: Store, run: int, prompt: str, text: str, model: str = builders.MODEL) -> None:
    asked = call_key(run=run, prompt_digest=prompt, model=model)
    await store.calls.settle(await store.calls.begin(asked), answered(text))


async def failures(
    store: Store, run: int, reasons: tuple[NoTakeReason, ...] | None = None
) -> list[FailedSeat]:
    return [seat async for seat in store.run_stats.failed_seats(run, reasons)]


async def test_a_run_is_listed_with_its_figures(store: Store) -> None:
    """A line of the list counts a run's own tools, failed seats and prices; a recused seat is no failure."""
    other = await store.runs.create("batch", {})
    run = await store.runs.create("batch", {"model": "openai:m-1"})
    await store.runs.add_tools(run, [builders.tool("Sextant"), builders.tool("Compass")])
    await keep(store, run, "Lantern", builders.take(), builders.no_take(), builders.no_take("invalid"))
    await keep(store, other, "Lantern", builders.no_take("refused"), builders.no_take("timed_out"))
    for entry in (answered(), answered(cost_usd=None), failed()):
        await store.calls.settle(await store.calls.begin(call_key(run=run)), entry)
    mine, its = await store.run_stats.summaries()
    assert (mine.id, mine.kind, mine.settings) == (run, "batch", {"model": "openai:m-1"})
    assert (mine.tools, mine.done, mine.failed_seats) == (3, 1, 1)
    assert (mine.cost_usd, mine.answers, mine.unpriced) == (0.25, 2, 1)
    assert (its.id, its.tools, its.failed_seats, its.cost_usd, its.answers) == (other, 1, 2, 0, 0)
    assert await store.run_stats.summary(run) == mine


async def test_runs_are_listed_by_kind_and_by_page(store: Store) -> None:
    made = [
        await store.runs.create(kind, {})
        for kind in ("batch", "review", "batch", "retry", "compare", "batch")
    ]
    page = await store.run_stats.summaries(("batch", "retry"), limit=2)
    assert [line.id for line in page] == [made[5], made[3]]
    rest = await store.run_stats.summaries(("batch", "retry"), before=page[-1].id)
    assert [line.id for line in rest] == [made[2], made[0]]
    assert len(await store.run_stats.summaries()) == 6
    assert await store.run_stats.summaries(before=made[0]) == []


@pytest.mark.parametrize("number", [7, 2**70])
async def test_a_run_that_is_not_there_has_no_line(store: Store, number: int) -> None:
    await store.runs.create("batch", {})
    assert await store.run_stats.summary(number) is None
    assert len(await store.run_stats.summaries(before=number)) == 1


async def test_a_line_tells_who_is_at_work(store: Store) -> None:
    """A run is at work while a process holds it; one that ended is not, and one of another machine cannot be told."""
    run = await store.runs.create("batch", {})

    async def at_work() -> bool | None:
        line = await store.run_stats.summary(run)
        assert line is not None
        return line.at_work

    assert await at_work() is False
    lease = await store.leases.acquire(run)
    line = await store.run_stats.summary(run)
    assert line is not None
    assert (line.holder, line.held_since) == (ProcessId.current(), lease.since)
    assert line.at_work is True
    await store.leases.release(lease)
    gone = ProcessId.current().model_copy(update={"started": "long ago"})
    await store.leases.release(await store.leases.acquire(run, gone))
    await store.leases.acquire(run, gone)
    assert await at_work() is False
    query = update(runs).values(lease_holder=ELSEWHERE.model_dump())
    await store._db.write(lambda connection: connection.execute(query))
    assert await at_work() is None


async def test_only_an_open_run_is_stopped(store: Store) -> None:
    run = await store.runs.create("batch", {})
    assert await store.runs.stop(run)
    stopped = await store.runs.get(run)
    assert stopped.state is RunState.STOPPED
    assert stopped.finished_at is not None
    assert not await store.runs.stop(run)
    await store.runs.set_state(run, RunState.DONE)
    assert not await store.runs.stop(run)
    assert (await store.runs.get(run)).state is RunState.DONE
    assert not await store.runs.stop(run + 1)


async def test_failures_are_counted_by_reason(store: Store) -> None:
    run, other = await store.runs.create("batch", {}), await store.runs.create("batch", {})
    invalid, refused = builders.no_take("invalid"), builders.no_take("refused")
    await keep(store, run, "Lantern", refused, invalid, builders.take(), builders.no_take())
    await keep(store, run, "Sextant", invalid, builders.take())
    await keep(store, other, "Sextant", refused, refused)
    counts = await store.run_stats.failure_counts(run)
    assert list(counts.items()) == [(NoTakeReason.INVALID, 2), (NoTakeReason.REFUSED, 1)]
    assert await store.run_stats.failure_counts(7) == {}


async def test_a_failed_seat_tells_its_tool_its_reason_and_the_reply(store: Store) -> None:
    """A failed seat comes with the latest answer to its last question by its model; others' answers are not taken for it."""
    run = await store.runs.create("batch", {})
    draft = await keep(store, run, "Lantern", builders.take(), builders.no_take("invalid", "score: missing"))
    question = prompt_of("Lantern", "skeptic")
    for text in ("the first", "the last \0 \x1b[31m"):
        await reply(store, run, question, text)
    await reply(store, run, question, "another model's", model="m-2")
    await reply(store, run, prompt_of("Lantern", "builder"), "another question's")
    (seat,) = await failures(store, run)
    assert (seat.draft, seat.tool, seat.slug, seat.persona) == (draft, "Lantern", "lantern", "skeptic")
    assert (seat.reason, seat.detail, seat.model) == (
        NoTakeReason.INVALID,
        "score: missing",
        builders.MODEL,
    )
    assert seat.reply == "the last \0 \x1b[31m"


@pytest.mark.parametrize(("reason", "replied"), [("truncated", True), ("timed_out", False)])
async def test_a_seat_whose_last_question_was_not_answered_has_no_reply(
    store: Store, reason: str, *, replied: bool
) -> None:
    run = await store.runs.create("batch", {})
    await reply(store, run, prompt_of("Lantern", "builder"), "from earlier")
    await keep(store, run, "Lantern", builders.no_take(reason))
    (seat,) = await failures(store, run)
    assert seat.reply == ("from earlier" if replied else None)


async def test_a_seat_that_was_not_asked_has_no_model(store: Store) -> None:
    run = await store.runs.create("batch", {})
    silent = builders.review(builders.no_take("provider_error", "not asked: the account is empty"))
    silent = silent.model_copy(update={"seats": (silent.seats[0].model_copy(update={"provenance": None}),)})
    await store.drafts.put(silent, run, await store.tools.put(silent.tool))
    (seat,) = await failures(store, run)
    assert (seat.model, seat.reply, seat.detail) == (None, None, "not asked: the account is empty")


async def test_failed_seats_are_filtered_by_reason(store: Store) -> None:
    run = await store.runs.create("batch", {})
    outcomes = [builders.no_take(reason) for reason in ("invalid", "recused", "refused", "truncated")]
    await keep(store, run, "Lantern", *outcomes)
    found = await failures(store, run, (NoTakeReason.TRUNCATED, NoTakeReason.INVALID))
    assert [seat.persona for seat in found] == ["builder", "founder"]
    assert await failures(store, run, (NoTakeReason.RECUSED,)) == []
    assert NoTakeReason.RECUSED not in FAILURES


async def test_failed_seats_are_read_by_page_in_order(store: Store) -> None:
    run = await store.runs.create("batch", {})
    for n in range(PAGE + 3):
        bad = builders.no_take("invalid", f"of {n}")
        await keep(store, run, f"Tool {n}", *((bad, builders.take(), bad) if n % 2 else (bad,)))
    found = await failures(store, run)
    assert found == sorted(found, key=lambda seat: (seat.draft, builders.ROSTER.index(seat.persona)))
    assert len(found) == PAGE + 3 + (PAGE + 3) // 2
    assert [seat.detail for seat in found[:3]] == ["of 0", "of 1", "of 1"]
    assert len({(seat.draft, seat.persona) for seat in found}) == len(found)
