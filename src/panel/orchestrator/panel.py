"""A panel with its providers open: all seats of one tool in parallel, and many tools, yielded as they finish."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from panel.core.review import PanelReview, ReviewSetup
from panel.core.text import dollars
from panel.orchestrator.seat import SeatAsker, SeatModel, not_asked, worst_seat_cost
from panel.orchestrator.setup import REPLAY
from panel.providers import open_provider
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.middleware.rate_limit import CallLimits, RateLimit, RateLimiter
from panel.providers.middleware.stack import wrap_hosted, wrap_local

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.run_storage import StoredRun
    from panel.orchestrator.seat import Observer
    from panel.orchestrator.setup import PanelSetup, ResolvedModel
    from panel.providers.base import Connection, Provider, StopSignal, WorstCase
    from panel.providers.middleware.budget import Budget

SEATS_PER_CALL = 2
"""Seats started for each call allowed at a time, so that a seat that waits for its re-ask blocks no other."""


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

    async def reviews(self, tools: AsyncIterator[Tool]) -> AsyncGenerator[PanelReview]:
        """Review tools, a bounded number at a time, and yield each review when it is complete.

        A tool that does not fit into the budget waits until others have released what they did not need; if no other is in progress,
        the run is stopped. After a stop no further tool is begun; those in progress are yielded with the seats they have.
        """
        # Enough tools that every slot stays busy while a panel waits for its slowest seat.
        most_tools = -(-SEATS_PER_CALL * self.concurrency // len(self.personas)) + 1
        slots = asyncio.Semaphore(SEATS_PER_CALL * self.concurrency)
        setup = ReviewSetup.of(
            self.model.ref, self.personas, {persona: model.ref for persona, model in self.seat_models.items()}
        )
        following: Tool | None = None
        running: set[asyncio.Task[PanelReview]] = set()
        try:
            while True:
                while len(running) < most_tools and self.stop.reason is None:
                    following = following or await anext(tools, None)
                    if following is None or not self._admits(following, alone=not running):
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

    def _admits(self, tool: Tool, *, alone: bool) -> bool:
        """Whether the budget covers another tool; if it does not and no other is in progress, stop the run."""
        if self.budget is None or self.budget.unlimited:
            return True
        unknown = [persona for persona in self.personas if self.known_seat(tool, persona) is None]
        worst = sum(worst_seat_cost(self._model_of(persona), tool, persona) for persona in unknown)
        if self.budget.reserve_panel(tool.slug, worst):
            return True
        if alone:
            self.stop.set(
                f"the budget of {dollars(self.budget.limit)} does not cover the next tool: "
                f"{dollars(self.budget.paid)} is paid, and {tool.name} may cost up to {dollars(worst)}; raise the budget first"
            )
        return False

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
    ) -> list[Seat]:
        async def seat(persona: Persona) -> Seat:
            if (known := self.known_seat(tool, persona)) is not None:
                return known
            async with slots:
                if self.stop.reason is not None:
                    return not_asked(persona, self.stop.reason)
                model = self._model_of(persona)
                return await SeatAsker(model, tool, persona, setup, self.observer, self.stop).ask()

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(seat(persona)) for persona in personas]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]


async def one_by_one(tools: Iterable[Tool]) -> AsyncGenerator[Tool]:
    """Yield tools from memory."""
    for tool in tools:
        yield tool


@asynccontextmanager
async def open_session(
    setup: PanelSetup, storage: StoredRun | None, observer: Observer, stop: StopSignal, *, warm: bool = False
) -> AsyncIterator[PanelSession]:
    """Open the providers until the block ends: one client for each connection, one rate limiter for each model.

    With `warm`, one seat of each panel is asked first, to fill the provider's cache. Without a `storage` no call is stored.

    Raises:
        SettingsError: a provider cannot be set up.
    """
    budget = storage.budget if storage else None
    adapters: dict[Connection, Provider] = {}
    wrapped: dict[tuple[Connection, str], tuple[Provider, WorstCase | None]] = {}

    def seat_model(model: ResolvedModel) -> SeatModel:
        cached = warm and model.connection == setup.model.connection
        connection = replace(model.connection, cache=cached)
        if connection not in adapters:
            adapters[connection] = open_provider(connection)
            stack.push_async_callback(adapters[connection].aclose)
        key = connection, model.config.model
        if key not in wrapped:
            # Only if there is a budget, because reading the price list takes a moment.
            worst: WorstCase | None = model.prices.worst_case if budget is not None else None
            provider = _with_middleware(
                adapters[connection], connection, setup, storage, stop=stop, worst=worst
            )
            wrapped[key] = provider, worst
        provider, worst = wrapped[key]
        return SeatModel(provider, model.prompts, model.config, worst)

    async with AsyncExitStack() as stack:
        yield PanelSession(
            model=seat_model(setup.model),
            personas=setup.personas,
            concurrency=setup.settings.concurrency,
            observer=observer,
            clock=setup.clock,
            stop=stop,
            seat_models={persona: seat_model(model) for persona, model in setup.seat_models.items()},
            warm=warm,
            budget=budget,
            known_seat=storage.known_seat if storage else lambda _tool, _persona: None,
        )


def _with_middleware(  # noqa: PLR0913 - each is a part of the stack
    adapter: Provider,
    connection: Connection,
    setup: PanelSetup,
    storage: StoredRun | None,
    *,
    stop: StopSignal,
    worst: WorstCase | None,
) -> Provider:
    settings, budget = setup.settings, storage.budget if storage else None
    if connection.provider == REPLAY:
        return RateLimit(adapter, RateLimiter(CallLimits(settings.concurrency), stop))
    attempts = 1 + settings.retries
    if adapter.scaffolded:
        limiter = RateLimiter(CallLimits(settings.concurrency), stop)
        provider = wrap_local(adapter, limiter)
    else:
        limits = CallLimits(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)
        limiter = RateLimiter(limits, stop)
        priced = (budget, worst) if budget is not None and worst is not None else None
        provider = wrap_hosted(
            adapter,
            limiter,
            timeout=settings.timeout,
            attempts=attempts,
            base_url=connection.base_url,
            budget=priced,
        )
    if storage is not None:
        provider = AnswerCache(
            provider,
            storage,
            stop,
            base_url=connection.base_url,
            worst_case=worst,
            most_calls=attempts,
            limiter=limiter,
        )
    return provider if setup.recording is None else AnswerCache(provider, setup.recording[0], stop)
