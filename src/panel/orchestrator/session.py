"""Opens the providers of a panel with their middleware: one client per provider, one rate limiter per model."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from panel.orchestrator.models import REPLAY
from panel.orchestrator.panel import PanelSession
from panel.orchestrator.seat import SeatModel
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.middleware.budget import worst_case_cost
from panel.providers.middleware.rate_limit import CallLimits, RateLimit, RateLimiter
from panel.providers.middleware.stack import CallPolicy, wrap_hosted, wrap_local
from panel.providers.registry import open_provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.orchestrator.models import ResolvedModel
    from panel.orchestrator.run_storage import RunStorage
    from panel.orchestrator.seat import Observer
    from panel.orchestrator.setup import PanelSetup
    from panel.providers.base import Connection, Provider, StopSignal
    from panel.providers.middleware.base import WorstCase


@asynccontextmanager
async def open_session(
    setup: PanelSetup, storage: RunStorage, observer: Observer, stop: StopSignal, *, warm: bool = False
) -> AsyncIterator[PanelSession]:
    """Open the providers until the block ends; `warm` asks one seat of each panel first, to fill the provider's cache.

    Raises:
        SettingsError: a provider cannot be set up.
    """
    async with AsyncExitStack() as stack:
        providers = _Providers(setup, storage, stop, stack, warm=warm)
        yield PanelSession(
            model=providers.seat_model(setup.model),
            personas=setup.personas,
            concurrency=setup.settings.concurrency,
            observer=observer,
            clock=setup.clock,
            stop=stop,
            seat_models={
                persona: providers.seat_model(model) for persona, model in setup.seat_models.items()
            },
            warm=warm,
            budget=storage.budget,
            known_seat=storage.known_seat,
        )


class _Providers:
    """Opened providers, closed with the stack."""

    def __init__(
        self, setup: PanelSetup, storage: RunStorage, stop: StopSignal, stack: AsyncExitStack, *, warm: bool
    ) -> None:
        self._warmed = setup.model.connection if warm else None
        self._settings = setup.settings
        self._recording = setup.recording[0] if setup.recording else None
        self._storage = storage
        self._stop = stop
        self._stack = stack
        self._adapters: dict[Connection, Provider] = {}
        self._wrapped: dict[tuple[Connection, str], tuple[Provider, WorstCase | None]] = {}

    def seat_model(self, model: ResolvedModel) -> SeatModel:
        connection = replace(model.connection, cache=model.connection == self._warmed)
        if connection not in self._adapters:
            adapter = open_provider(connection)
            self._stack.push_async_callback(adapter.aclose)
            self._adapters[connection] = adapter
        key = (connection, model.config.model)
        if key not in self._wrapped:
            # Only if there is a budget, because reading the price list takes a moment.
            worst = worst_case_cost(model.prices) if self._storage.budget is not None else None
            self._wrapped[key] = self._wrap(self._adapters[connection], connection, worst), worst
        provider, worst = self._wrapped[key]
        return SeatModel(provider, model.prompts, model.config, worst)

    def _wrap(self, adapter: Provider, connection: Connection, worst: WorstCase | None) -> Provider:
        settings, stop, budget = self._settings, self._stop, self._storage.budget
        if connection.provider == REPLAY:
            return RateLimit(adapter, RateLimiter(CallLimits(settings.concurrency), stop))
        attempts = 1 + settings.retries
        if adapter.scaffolded:
            limiter = RateLimiter(CallLimits(settings.concurrency), stop)
            wrapped = wrap_local(adapter, limiter)
        else:
            pace = CallLimits(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)
            limiter = RateLimiter(pace, stop)
            priced = (budget, worst) if budget is not None and worst is not None else None
            policy = CallPolicy(settings.timeout, attempts, limiter, budget=priced)
            wrapped = wrap_hosted(adapter, policy, stop, connection.base_url)
        if (journal := self._storage.journal) is not None:
            wrapped = AnswerCache(
                wrapped,
                journal,
                stop,
                base_url=connection.base_url,
                worst_case=worst,
                most_calls=attempts,
                limiter=limiter,
            )
        return wrapped if self._recording is None else AnswerCache(wrapped, self._recording, stop)
