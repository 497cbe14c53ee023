"""A panel with its providers open: all seats of one tool in parallel, and many tools, yielded as they finish."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.core.money import dollars
from panel.core.review import PanelReview, ReviewSetup
from panel.orchestrator.seat import SeatAsker, not_asked, worst_seat_cost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.seat import Observer, SeatModel
    from panel.providers.base import StopSignal
    from panel.providers.middleware.budget import Budget

SEATS_PER_CALL = 2
"""Seats in progress for each call in flight, so that a seat that waits for its re-ask blocks no other."""


@dataclass(frozen=True, slots=True)
class PanelSession:
    """A panel whose providers are open.

    `concurrency` is the most calls in flight, which the providers' middleware enforces. Setting `stop` starts no further calls. With `warm`,
    the first seat of each panel is asked alone, so that the others find the listing in the provider's cache. `known_seat` returns the
    seat of a tool that needs no call, or None.
    """

    model: SeatModel
    personas: tuple[Persona, ...]
    concurrency: int
    observer: Observer
    clock: Callable[[], datetime]
    stop: StopSignal
    seat_models: Mapping[str, SeatModel] = field(default_factory=dict)
    warm: bool = False
    budget: Budget | None = None
    known_seat: Callable[[Tool, Persona], Seat | None] = lambda _tool, _persona: None

    @property
    def setup(self) -> ReviewSetup:
        """The models, prompts and personas of this panel, as its reviews keep them."""
        return ReviewSetup(
            **dict(self.model.ref),
            personas={persona.id: persona.digest for persona in self.personas},
            seat_models={persona: model.ref for persona, model in self.seat_models.items()},
        )

    async def reviews(self, tools: AsyncIterator[Tool]) -> AsyncGenerator[PanelReview]:
        """Review tools, a bounded number at a time, and yield each review when it is complete.

        A tool that does not fit into the budget waits until others have released what they did not need; if no other is in progress,
        the run is stopped. After a stop no further tool is begun; those in progress are yielded with the seats they have.
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
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def review(self, tool: Tool) -> PanelReview:
        """Review one tool."""
        async with aclosing(self.reviews(one_by_one([tool]))) as reviews:
            return await anext(reviews)

    def _has_room(self, running: int) -> bool:
        """Whether to begin another tool, so that every slot stays busy while a panel waits for its slowest seat."""
        enough = -(-SEATS_PER_CALL * self.concurrency // len(self.personas)) + 1
        return running < enough and self.stop.reason is None

    def _admits(self, tool: Tool, running: int) -> bool:
        """Whether the budget covers another tool; if it does not and no other is in progress, stop the run."""
        if self.budget is None or self.budget.unlimited:
            return True
        if self.budget.reserve_panel(tool.slug, worst := self._worst_cost(tool)):
            return True
        if not running:
            self.stop.set(
                f"the budget of {dollars(self.budget.limit)} does not cover the next tool: "
                f"{dollars(self.budget.paid)} is paid, and {tool.name} may cost up to {dollars(worst)}; raise the budget first"
            )
        return False

    def _worst_cost(self, tool: Tool) -> float:
        """Return the worst-case cost of a tool's panel in US dollars; models of unknown price do not count."""
        seats = [persona for persona in self.personas if self.known_seat(tool, persona) is None]
        return sum(worst_seat_cost(self._model_of(persona), tool, persona) for persona in seats)

    def _model_of(self, persona: Persona) -> SeatModel:
        return self.seat_models.get(persona.id, self.model)

    async def _review(self, tool: Tool, setup: ReviewSetup, slots: asyncio.Semaphore) -> PanelReview:
        alone = 1 if self.warm else 0
        try:
            first = await self._seats(tool, self.personas[:alone], setup, slots)
            rest = await self._seats(tool, self.personas[alone:], setup, slots)
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
        if (seat := self.known_seat(tool, persona)) is not None:
            return seat
        async with slots:
            if self.stop.reason is not None:
                return not_asked(persona, self.stop.reason)
            return await SeatAsker(self._model_of(persona), setup, self.observer, self.stop).ask(
                tool, persona
            )


async def one_by_one(tools: Iterable[Tool]) -> AsyncGenerator[Tool]:
    """Yield tools from memory."""
    for tool in tools:
        yield tool
