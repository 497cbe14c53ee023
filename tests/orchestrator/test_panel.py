from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from acting import Memory, completion, reply
from panel.core.completion import ModelConfig, Usage
from panel.core.take import NoTake, NoTakeReason, Seat
from panel.core.tally import PanelVerdict
from panel.core.tool import Tool
from panel.errors import ProviderDown, ProviderTimeout
from panel.orchestrator.panel import PanelSession, one_by_one
from panel.orchestrator.seat import SeatModel, worst_seat_cost
from panel.providers.base import StopSignal
from panel.providers.middleware.budget import Budget, BudgetLimit
from panel.providers.middleware.rate_limit import CallLimits, RateLimit, RateLimiter
from parts import ScriptedProvider

if TYPE_CHECKING:
    from panel.core.completion import Completion
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.review import PanelReview
    from panel.prompts.templates import PromptBook

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def panel(
    actor: ScriptedProvider, book: PromptBook, critics: dict[str, Persona], concurrency: int = 10
) -> PanelSession:
    stop = StopSignal()
    gated = RateLimit(actor, RateLimiter(CallLimits(concurrency), stop))
    return PanelSession(
        model=SeatModel(gated, book, ModelConfig(model="m")),
        personas=tuple(critics.values()),
        concurrency=concurrency,
        observer=Memory(),
        clock=lambda: NOW,
        stop=stop,
    )


def tools(count: int) -> list[Tool]:
    return [Tool(name=f"Tool {n}", description="It does one thing and says which.") for n in range(count)]


async def test_seats_are_asked_in_parallel(tool: Tool, book: PromptBook, critics: dict[str, Persona]) -> None:
    """No seat waits for another: each answers only once all five have been asked."""
    everyone = asyncio.Barrier(len(critics))

    async def answer() -> str:
        async with asyncio.timeout(5):
            await everyone.wait()
        return reply()

    actor = ScriptedProvider(lambda _prompt: answer())
    review = await panel(actor, book, critics).review(tool)
    assert actor.most_in_flight == len(critics)
    assert [seat.persona for seat in review.seats] == list(critics)
    assert (review.tally.line, review.reviewed_at) == ("Ship · 5 ship / 0 skip", NOW)


async def test_failed_seat_does_not_fail_the_panel(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """A seat that ends without a take leaves the denominator, and the panel goes on without it."""
    actor = ScriptedProvider(lambda prompt: "nonsense" if prompt.label.endswith(".creator") else reply())
    review = await panel(actor, book, critics).review(tool)
    assert (review.tally.given, review.panel_size, review.complete) == (4, 5, False)
    assert review.tally.verdict is PanelVerdict.SHIP


async def test_calls_in_flight_are_bounded_over_all_tools(
    book: PromptBook, critics: dict[str, Persona]
) -> None:
    """However many tools there are, no more calls are in flight than the limit, and each tool is reviewed once."""
    actor = ScriptedProvider(lambda _prompt: reply())
    done = [
        review.tool.slug
        async for review in panel(actor, book, critics, concurrency=3).reviews(one_by_one(tools(7)))
    ]
    assert actor.most_in_flight == 3
    assert sorted(done) == [f"tool-{n}" for n in range(7)]
    assert len(actor.asked) == 7 * 5


async def test_tools_are_drawn_as_they_are_needed(book: PromptBook, critics: dict[str, Persona]) -> None:
    """A long list of tools is not read ahead: memory does not grow with its length."""
    drawn: list[str] = []

    def many() -> Any:
        for tool in tools(100):
            drawn.append(tool.slug)
            yield tool

    reviews = panel(ScriptedProvider(lambda _prompt: reply()), book, critics, concurrency=5).reviews(
        one_by_one(many())
    )
    await anext(reviews)
    assert len(drawn) <= 3
    await reviews.aclose()


async def test_provider_that_is_down_stops_the_run(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Once no call can succeed, calls in flight finish, no further one starts, and no further tool is begun."""
    actor = ScriptedProvider(lambda _prompt: ProviderDown("the key was not accepted"))
    session = panel(actor, book, critics, concurrency=2)
    reviews = [review async for review in session.reviews(one_by_one(tools(6)))]
    assert len(actor.asked) <= 2 + 5
    assert len(reviews) == 2
    assert session.stop.reason == "the key was not accepted"
    assert reviews[-1].seats[-1].outcome == NoTake(
        reason=NoTakeReason.PROVIDER_ERROR, detail="not asked: the key was not accepted"
    )


async def test_a_bug_comes_through(tool: Tool, book: PromptBook, critics: dict[str, Persona]) -> None:

    def broken(_prompt: Prompt) -> Any:
        return RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await panel(ScriptedProvider(broken), book, critics).review(tool)


async def test_review_id_tells_set_ups_apart(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """The same question to the same panel has the same id; one changed character of the tool has another."""
    session = panel(ScriptedProvider(lambda _prompt: reply()), book, critics)
    first, second = [(await session.review(tool)).id for _ in range(2)]
    other = (await session.review(Tool(name="Lantern", description=f"{tool.description}!"))).id
    assert first == second
    assert first != other


async def test_warm_panel_asks_one_seat_first(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """A panel that warms the provider's cache asks the first seat alone, and the others together when it has answered."""
    others = asyncio.Barrier(len(critics) - 1)
    first = next(iter(critics))
    in_flight: list[int] = []

    async def answer(seat: str) -> str:
        in_flight.append(actor.in_flight)
        if seat != first:
            async with asyncio.timeout(5):
                await others.wait()
        return reply()

    actor = ScriptedProvider(lambda prompt: answer(prompt.label.partition(".")[2]))
    review = await replace(panel(actor, book, critics), warm=True).review(tool)
    assert in_flight[0] == 1
    assert [seat.persona for seat in review.seats] == list(critics)
    assert actor.most_in_flight == len(critics) - 1


async def test_mixed_jury_asks_each_seats_own_model(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """A seat with a model of its own is asked there, and the set-up says so, which makes it another review."""
    most, one = (
        ScriptedProvider(lambda _prompt: reply()),
        ScriptedProvider(lambda _prompt: reply(verdict="skip", score=20)),
    )
    plain = panel(most, book, critics)
    other = SeatModel(one, book, ModelConfig(model="other"))
    mixed = replace(plain, seat_models={"skeptic": other})
    review = await mixed.review(tool)
    assert [prompt.label for prompt, _ in one.asked] == ["lantern.skeptic"]
    assert (review.tally.ships, review.tally.skips) == (4, 1)
    assert review.setup.asked_models == ("scripted:m", "scripted:other")
    assert review.id != (await plain.review(tool)).id


CENT = 0.01
OF_A_PANEL = 5 * 2 * CENT
"""Five seats, each asked twice at worst."""


def budgeted(
    actor: ScriptedProvider,
    book: PromptBook,
    critics: dict[str, Persona],
    budget: Budget,
    concurrency: int = 10,
) -> PanelSession:
    """Return a panel each of whose calls may cost a cent, and costs half as much if it is answered."""

    def worst(_prompt: Prompt, _config: ModelConfig) -> float:
        return CENT

    covered = BudgetLimit(actor, budget, worst)
    plain = panel(actor, book, critics, concurrency)
    answerer = SeatModel(
        RateLimit(covered, RateLimiter(CallLimits(concurrency), plain.stop)),
        book,
        ModelConfig(model="m"),
        worst,
    )
    return replace(plain, model=answerer, budget=budget)


def priced(text: str) -> Completion:
    return completion(text).model_copy(update={"usage": Usage(cost_usd=CENT / 2)})


def takes(_prompt: Prompt) -> Completion:
    return priced(reply())


async def reviewed(session: PanelSession, count: int) -> list[PanelReview]:
    return [review async for review in session.reviews(one_by_one(tools(count)))]


async def test_a_budget_ends_between_tools(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Where the worst case of the next panel does not fit in, it is not begun: every review that there is, is whole."""
    actor, budget = ScriptedProvider(takes), Budget(OF_A_PANEL + 0.06)
    session = budgeted(actor, book, critics, budget)
    reviews = await reviewed(session, 9)
    assert len(reviews) == 3
    assert all(review.complete for review in reviews)
    assert len(actor.asked) == 3 * 5
    assert budget.paid == pytest.approx(3 * 5 * CENT / 2)


async def test_a_budget_names_its_amounts(book: PromptBook, critics: dict[str, Persona]) -> None:
    """The line with which a budget ends a run names the limit, what is paid, the next tool and what that may cost."""
    session = budgeted(ScriptedProvider(takes), book, critics, Budget(0.12))
    await reviewed(session, 9)
    assert session.stop.reason == (
        "the budget of $0.1200 does not cover the next tool: $0.0250 is paid, and Tool 1 may cost up to $0.1000; "
        "raise the budget first"
    )


async def test_a_budget_too_small_for_one_tool_asks_nobody(
    book: PromptBook, critics: dict[str, Persona]
) -> None:
    actor = ScriptedProvider(takes)
    session = budgeted(actor, book, critics, Budget(OF_A_PANEL - 0.001))
    assert await reviewed(session, 3) == []
    assert (actor.asked, "$0.00 is paid, and Tool 0 may" in str(session.stop.reason)) == ([], True)


async def test_a_tool_waits_until_others_leave_room(book: PromptBook, critics: dict[str, Persona]) -> None:
    """A tool that does not fit in beside those under way is reviewed once they have left what they did not need."""
    actor, budget = ScriptedProvider(takes), Budget(OF_A_PANEL + 0.1)
    reviews = await reviewed(budgeted(actor, book, critics, budget), 4)
    assert len(reviews) == 4
    assert actor.most_in_flight <= 2 * 5


async def test_what_was_paid_in_vain_counts(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Calls that may be billed without an answer count in full, so that fewer tools fit in."""
    actor = ScriptedProvider(lambda _prompt: ProviderTimeout("slow"))
    budget = Budget(OF_A_PANEL + 0.06)
    reviews = await reviewed(budgeted(actor, book, critics, budget), 9)
    assert len(reviews) == 2
    assert budget.paid == pytest.approx(2 * 5 * CENT)
    assert {seat.outcome.reason for seat in reviews[0].seats if isinstance(seat.outcome, NoTake)} == {
        NoTakeReason.TIMED_OUT
    }


async def test_a_second_asking_of_each_seat_is_covered(book: PromptBook, critics: dict[str, Persona]) -> None:
    """A panel that was begun is never cut short by the budget, though every seat is asked twice at the worst price."""
    dear = completion("nonsense").model_copy(update={"usage": Usage(cost_usd=CENT)})
    actor, budget = ScriptedProvider(lambda _prompt: dear), Budget(OF_A_PANEL)
    reviews = await reviewed(budgeted(actor, book, critics, budget), 2)
    assert (len(reviews), len(actor.asked)) == (1, 10)
    assert {seat.failure.reason for seat in reviews[0].seats if seat.failure} == {NoTakeReason.INVALID}
    assert budget.paid == pytest.approx(budget.limit)


async def test_a_budget_without_a_limit_stops_nothing(book: PromptBook, critics: dict[str, Persona]) -> None:
    """With an infinite budget all tools are reviewed, and what they cost is counted."""
    budget = Budget(math.inf)
    reviews = await reviewed(budgeted(ScriptedProvider(takes), book, critics, budget), 5)
    assert len(reviews) == 5
    assert budget.paid == pytest.approx(5 * 5 * CENT / 2)


async def test_a_model_of_unknown_price_does_not_count(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Seats whose model has no known price set nothing aside."""
    session = budgeted(ScriptedProvider(takes), book, critics, Budget(CENT / 1000))
    unknown = replace(session.model, worst=lambda _prompt, _config: None, provider=ScriptedProvider(takes))
    assert len(await reviewed(replace(session, model=unknown), 3)) == 3


async def test_a_seat_costs_at_worst_what_both_of_its_calls_may(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """The worst case of a seat has the longest prompt of a second asking and twice the room to answer it."""
    seen: list[tuple[Prompt, ModelConfig]] = []

    def worst(prompt: Prompt, config: ModelConfig) -> float:
        seen.append((prompt, config))
        return 1.0

    config = ModelConfig(model="m", max_output_tokens=1_000)
    answerer = SeatModel(ScriptedProvider(takes), book, config, worst)
    assert worst_seat_cost(answerer, tool, critics["builder"]) == 2.0
    (first, one), (second, two) = seen
    assert (first.ask, second.ask) == (1, 2)
    assert (one.max_output_tokens, two.max_output_tokens) == (1_000, 2_000)
    shown = book.reask(tool, critics["builder"], "\U0001f600" * 9_000, ["score: 101 is outside 0-100"])
    assert len(second.own.encode()) >= len(shown.own.encode())


async def test_settled_seats_are_not_asked(tool: Tool, book: PromptBook, critics: dict[str, Persona]) -> None:
    """A seat that needs no asking is in the review as it is, in its place, and the observer hears of the others alone."""
    kept = Seat(persona="skeptic", name="Skeptic", outcome=NoTake(reason=NoTakeReason.RECUSED, detail="No."))
    actor = ScriptedProvider(lambda _prompt: reply())
    plain = panel(actor, book, critics)
    memory = Memory()
    session = replace(
        plain, observer=memory, known_seat=lambda _tool, persona: kept if persona.id == "skeptic" else None
    )
    review = await session.review(tool)
    assert [seat.persona for seat in review.seats] == list(critics)
    assert review.seat_of("skeptic") == kept
    assert len(actor.asked) == 4
    assert "lantern.skeptic" not in {seat for _, seat, _ in memory.events}
    assert review.id == (await plain.review(tool)).id


async def test_a_panel_without_an_open_seat_asks_nobody(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    actor = ScriptedProvider(lambda _prompt: reply())
    before = await panel(actor, book, critics).review(tool)
    asked = len(actor.asked)
    session = replace(
        panel(actor, book, critics), known_seat=lambda _tool, persona: before.seat_of(persona.id), warm=True
    )
    assert (await session.review(tool)).seats == before.seats
    assert len(actor.asked) == asked


async def test_settled_seats_set_nothing_aside(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Only seats that are asked count towards the worst case of a panel."""
    kept = {
        name: Seat(persona=name, name=name, outcome=NoTake(reason=NoTakeReason.RECUSED, detail="No."))
        for name in critics
        if name != "skeptic"
    }
    actor = ScriptedProvider(takes)
    session = budgeted(actor, book, critics, Budget(2 * CENT))
    session = replace(session, known_seat=lambda _tool, persona: kept.get(persona.id))
    assert len(await reviewed(session, 1)) == 1
    assert [prompt.label for prompt, _ in actor.asked] == ["tool-0.skeptic"]
