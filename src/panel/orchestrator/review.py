"""One tool, all seats in parallel; and many tools, yielded as they finish."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from panel.domain.review import PanelReview, ReviewSetup
from panel.orchestrator.take import Halt, SeatAsker, not_asked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from datetime import datetime

    from panel.domain.completion import ModelConfig
    from panel.domain.persona import Persona
    from panel.domain.take import Seat
    from panel.domain.tool import Tool
    from panel.orchestrator.ports import Observer, Prompts
    from panel.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that is ready to sit.

    Attributes:
        provider: who answers for all seats.
        prompts: makes the questions.
        config: the model and its parameters.
        personas: the roster, in order.
        concurrency: calls in flight at most, over all tools.
        observer: is told how it goes.
        clock: tells the time of a review.
        halt: set it to start no further calls.
    """

    provider: Provider
    prompts: Prompts
    config: ModelConfig
    personas: tuple[Persona, ...]
    concurrency: int
    observer: Observer
    clock: Callable[[], datetime]
    halt: Halt

    @property
    def setup(self) -> ReviewSetup:
        """All that decides, beside the tool, what this panel answers."""
        return ReviewSetup(
            provider=self.provider.name,
            config=self.config,
            prompts=self.prompts.digest,
            personas={persona.id: persona.digest for persona in self.personas},
        )

    async def reviews(self, tools: Iterable[Tool]) -> AsyncGenerator[PanelReview]:
        """Review tools and yield each review as it is complete, a bounded number of tools at a time.

        Once the panel is halted no further tool is begun; those begun are yielded with the seats they have.
        """
        slots = asyncio.Semaphore(self.concurrency)
        waiting = iter(tools)
        running: set[asyncio.Task[PanelReview]] = set()
        try:
            while True:
                running |= {
                    asyncio.create_task(self._review(tool, slots))
                    for tool in islice(waiting, self._room_for_tools(len(running)))
                }
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            await _cancel(running)

    async def review(self, tool: Tool) -> PanelReview:
        """Review one tool."""
        async with aclosing(self.reviews([tool])) as reviews:
            return await anext(reviews)

    def _room_for_tools(self, running: int) -> int:
        """Return how many to begin so that every slot stays busy while a panel waits for its slowest seat."""
        enough = -(-self.concurrency // len(self.personas)) + 1
        return enough - running if self.halt.reason is None else 0

    async def _review(self, tool: Tool, slots: asyncio.Semaphore) -> PanelReview:
        asker = SeatAsker(
            provider=self.provider,
            prompts=self.prompts,
            config=self.config,
            roster=tuple(persona.id for persona in self.personas),
            observer=self.observer,
            halt=self.halt,
        )
        try:
            async with asyncio.TaskGroup() as group:
                asking = [
                    group.create_task(self._seat(asker, tool, persona, slots)) for persona in self.personas
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        seats = tuple(task.result() for task in asking)
        return PanelReview(tool=tool, setup=self.setup, seats=seats, reviewed_at=self.clock())

    async def _seat(self, asker: SeatAsker, tool: Tool, persona: Persona, slots: asyncio.Semaphore) -> Seat:
        async with slots:
            if self.halt.reason is not None:
                return not_asked(persona, self.halt.reason)
            return await asker.ask(tool, persona)


async def _cancel(tasks: set[asyncio.Task[PanelReview]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
