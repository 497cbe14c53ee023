"""One tool, all seats in parallel; and many tools, yielded as they finish."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.core.completion import ModelRef
from panel.core.money import dollars
from panel.core.review import PanelReview, ReviewSetup
from panel.orchestrator.seat import SeatAsker, not_asked, worst_of_seat

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.ports import Observer, SeatModel
    from panel.providers.base import StopSignal
    from panel.providers.middleware.budget import Budget

SEATS_PER_CALL = 2
"""Seats in work for each call that may be in flight, so that a seat that waits to be asked again keeps no other from its turn."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that is ready to sit.

    Attributes:
        answerer: who answers for the seats.
        personas: the roster, in order.
        concurrency: calls in flight at most; the provider's wrappers keep to it.
        observer: is told how it goes.
        clock: tells the time of a review.
        halt: set it to start no further calls.
        seat_models: by persona, who answers for a seat instead.
        warm: whether to ask the first seat of each panel alone, so that the others find the listing in the provider's cache.
        budget: what may be paid; None for no limit.
        settled: returns the seat of a tool that needs no asking, or None for one that does.
    """

    answerer: SeatModel
    personas: tuple[Persona, ...]
    concurrency: int
    observer: Observer
    clock: Callable[[], datetime]
    halt: StopSignal
    seat_models: Mapping[str, SeatModel] = field(default_factory=dict)
    warm: bool = False
    budget: Budget | None = None
    settled: Callable[[Tool, Persona], Seat | None] = lambda _tool, _persona: None

    @property
    def setup(self) -> ReviewSetup:
        """All that decides, beside the tool, what this panel answers."""
        return ReviewSetup(
            **dict(_asked(self.answerer)),
            personas={persona.id: persona.digest for persona in self.personas},
            seat_models={persona: _asked(answerer) for persona, answerer in self.seat_models.items()},
        )

    async def reviews(self, tools: AsyncIterator[Tool]) -> AsyncGenerator[PanelReview]:
        """Review tools and yield each review as it is complete, a bounded number of tools at a time.

        A tool that the budget does not cover waits until others have left what they did not need; if none is under way, the panel is
        halted. Once the panel is halted no further tool is begun; those begun are yielded with the seats they have.
        """
        slots = asyncio.Semaphore(SEATS_PER_CALL * self.concurrency)
        setup = self.setup
        following: Tool | None = None
        running: set[asyncio.Task[PanelReview]] = set()
        try:
            while True:
                while self._has_room(len(running)):
                    following = following or await anext(tools, None)
                    if following is None or not self._admits(following, len(running)):
                        break
                    running.add(asyncio.create_task(self._review(following, setup, slots)))
                    following = None
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            await _cancel(running)

    async def review(self, tool: Tool) -> PanelReview:
        """Review one tool."""
        async with aclosing(self.reviews(one_by_one([tool]))) as reviews:
            return await anext(reviews)

    def _has_room(self, running: int) -> bool:
        """Whether to begin another tool, so that every slot stays busy while a panel waits for its slowest seat."""
        enough = -(-SEATS_PER_CALL * self.concurrency // len(self.personas)) + 1
        return running < enough and self.halt.reason is None

    def _admits(self, tool: Tool, running: int) -> bool:
        """Whether the budget covers another tool; if not, and no other will leave anything, that is the end of the run."""
        if self.budget is None or self.budget.unlimited:
            return True
        if self.budget.reserve_panel(tool.slug, worst := self._worst(tool)):
            return True
        if not running:
            self.halt.set(
                f"the budget of {dollars(self.budget.limit)} does not cover the next tool: "
                f"{dollars(self.budget.paid)} is paid, and {tool.name} may cost up to {dollars(worst)}; raise the budget first"
            )
        return False

    def _worst(self, tool: Tool) -> float:
        """Return the most that a tool's panel can cost if every call brings an answer; models of unknown price do not count."""
        seats = [persona for persona in self.personas if self.settled(tool, persona) is None]
        return sum(worst_of_seat(self._answerer(persona), tool, persona) for persona in seats)

    def _answerer(self, persona: Persona) -> SeatModel:
        return self.seat_models.get(persona.id, self.answerer)

    async def _review(self, tool: Tool, setup: ReviewSetup, slots: asyncio.Semaphore) -> PanelReview:
        head = 1 if self.warm else 0
        try:
            first = await self._seats(tool, self.personas[:head], setup, slots)
            rest = await self._seats(tool, self.personas[head:], setup, slots)
        finally:
            if self.budget is not None:
                self.budget.release_panel(tool.slug)
        return PanelReview(tool=tool, setup=setup, seats=(*first, *rest), reviewed_at=self.clock())

    async def _seats(
        self, tool: Tool, personas: Sequence[Persona], setup: ReviewSetup, slots: asyncio.Semaphore
    ) -> tuple[Seat, ...]:
        try:
            async with asyncio.TaskGroup() as group:
                asking = [group.create_task(self._seat(tool, one, setup, slots)) for one in personas]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return tuple(task.result() for task in asking)

    async def _seat(self, tool: Tool, persona: Persona, setup: ReviewSetup, slots: asyncio.Semaphore) -> Seat:
        if (seat := self.settled(tool, persona)) is not None:
            return seat
        async with slots:
            if self.halt.reason is not None:
                return not_asked(persona, self.halt.reason)
            asker = SeatAsker(
                answerer=self._answerer(persona),
                setup=setup,
                observer=self.observer,
                halt=self.halt,
            )
            return await asker.ask(tool, persona)


async def one_by_one(tools: Iterable[Tool]) -> AsyncGenerator[Tool]:
    """Yield tools that are there already."""
    for tool in tools:
        yield tool


def _asked(answerer: SeatModel) -> ModelRef:
    return ModelRef(provider=answerer.provider.name, config=answerer.config, prompts=answerer.prompts.digest)


async def _cancel(tasks: set[asyncio.Task[PanelReview]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
