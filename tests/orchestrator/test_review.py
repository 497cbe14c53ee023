from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from acting import Actor, Memory, reply
from panel.domain.completion import ModelConfig
from panel.domain.take import NoTake, NoTakeReason
from panel.domain.tally import PanelVerdict
from panel.domain.tool import Tool
from panel.errors import ProviderDown
from panel.orchestrator.ports import Answerer
from panel.orchestrator.review import Panel, one_by_one
from panel.providers.base import Halt
from panel.providers.gate import Gate, Pace, Throttled

if TYPE_CHECKING:
    from panel.domain.persona import Persona
    from panel.domain.prompt import Prompt
    from panel.loaders.prompts import PromptBook

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def panel(actor: Actor, book: PromptBook, critics: dict[str, Persona], concurrency: int = 10) -> Panel:
    halt = Halt()
    gated = Throttled(actor, Gate(Pace(concurrency), halt))
    return Panel(
        answerer=Answerer(gated, book, ModelConfig(model="m")),
        personas=tuple(critics.values()),
        concurrency=concurrency,
        observer=Memory(),
        clock=lambda: NOW,
        halt=halt,
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

    actor = Actor(lambda _prompt: answer())
    review = await panel(actor, book, critics).review(tool)
    assert actor.most_in_flight == len(critics)
    assert [seat.persona for seat in review.seats] == list(critics)
    assert (review.tally.line, review.reviewed_at) == ("Ship · 5 ship / 0 skip", NOW)


async def test_failed_seat_does_not_fail_the_panel(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """A seat that ends without a take leaves the denominator, and the panel goes on without it."""
    actor = Actor(lambda prompt: "nonsense" if prompt.label.endswith(".creator") else reply())
    review = await panel(actor, book, critics).review(tool)
    assert (review.tally.given, review.panel_size, review.complete) == (4, 5, False)
    assert review.tally.verdict is PanelVerdict.SHIP


async def test_calls_in_flight_are_bounded_over_all_tools(
    book: PromptBook, critics: dict[str, Persona]
) -> None:
    """However many tools there are, no more calls are in flight than the limit, and each tool is reviewed once."""
    actor = Actor(lambda _prompt: reply())
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

    reviews = panel(Actor(lambda _prompt: reply()), book, critics, concurrency=5).reviews(one_by_one(many()))
    await anext(reviews)
    assert len(drawn) <= 3
    await reviews.aclose()


async def test_provider_that_is_down_stops_the_run(book: PromptBook, critics: dict[str, Persona]) -> None:
    """Once no call can succeed, calls in flight finish, no further one starts, and no further tool is begun."""
    actor = Actor(lambda _prompt: ProviderDown("the key was not accepted"))
    sitting = panel(actor, book, critics, concurrency=2)
    reviews = [review async for review in sitting.reviews(one_by_one(tools(6)))]
    assert len(actor.asked) <= 2 + 5
    assert len(reviews) == 2
    assert sitting.halt.reason == "the key was not accepted"
    assert reviews[-1].seats[-1].outcome == NoTake(
        reason=NoTakeReason.PROVIDER_ERROR, detail="not asked: the key was not accepted"
    )


async def test_a_bug_comes_through(tool: Tool, book: PromptBook, critics: dict[str, Persona]) -> None:
    """An exception that is no provider's failure is not swallowed."""

    def broken(_prompt: Prompt) -> Any:
        return RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await panel(Actor(broken), book, critics).review(tool)


async def test_review_id_tells_set_ups_apart(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """The same question to the same panel has the same id; one changed character of the tool has another."""
    sitting = panel(Actor(lambda _prompt: reply()), book, critics)
    first, second = [(await sitting.review(tool)).id for _ in range(2)]
    other = (await sitting.review(Tool(name="Lantern", description=f"{tool.description}!"))).id
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

    actor = Actor(lambda prompt: answer(prompt.label.partition(".")[2]))
    review = await replace(panel(actor, book, critics), warm=True).review(tool)
    assert in_flight[0] == 1
    assert [seat.persona for seat in review.seats] == list(critics)
    assert actor.most_in_flight == len(critics) - 1


async def test_mixed_jury_asks_each_seats_own_model(
    tool: Tool, book: PromptBook, critics: dict[str, Persona]
) -> None:
    """A seat with a model of its own is asked there, and the set-up says so, which makes it another review."""
    most, one = Actor(lambda _prompt: reply()), Actor(lambda _prompt: reply(verdict="skip", score=20))
    plain = panel(most, book, critics)
    other = Answerer(one, book, ModelConfig(model="other"))
    mixed = replace(plain, exceptions={"skeptic": other})
    review = await mixed.review(tool)
    assert [prompt.label for prompt, _ in one.asked] == ["lantern.skeptic"]
    assert (review.tally.ships, review.tally.skips) == (4, 1)
    assert review.setup.asked_models == ("actor:m", "actor:other")
    assert review.id != (await plain.review(tool)).id
