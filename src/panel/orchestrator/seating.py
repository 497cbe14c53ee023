"""Opening the providers, and closing them when the panel has sat."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from panel.orchestrator.models import REPLAY, prices_of
from panel.orchestrator.panel import Panel
from panel.orchestrator.ports import SeatModel
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.middleware.budget import worst_case_cost
from panel.providers.middleware.rate_limit import CallLimits, RateLimit, RateLimiter
from panel.providers.middleware.stack import CallPolicy, wrap_hosted, wrap_local
from panel.providers.registry import open_provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.models import ResolvedModel
    from panel.orchestrator.ports import Observer
    from panel.orchestrator.setup import PanelSetup
    from panel.providers.base import Connection, Provider, StopSignal
    from panel.providers.middleware.answer_cache import CallJournal
    from panel.providers.middleware.base import WorstCase
    from panel.providers.middleware.budget import Budget
    from panel.settings.resolve import Resolved


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a panel sits.

    Attributes:
        halt: set it to start no further calls.
        journal: where calls are written down; None if they are not.
        budget: what may be paid; None for no limit.
        warm: whether to ask one seat of each panel first, so that the others read from the provider's cache.
    """

    halt: StopSignal
    journal: CallJournal[Any] | None = None
    budget: Budget | None = None
    warm: bool = False


@asynccontextmanager
async def seated(
    resolved: Resolved,
    cast_: PanelSetup,
    observer: Observer,
    terms: Terms,
    settled: Callable[[Tool, Persona], Seat | None],
) -> AsyncIterator[Panel]:
    """Open the providers, with their wrappers, for as long as the panel sits.

    Args:
        resolved: the settings.
        cast_: what the run needs.
        observer: is told how it goes.
        terms: on what terms it sits.
        settled: returns a seat that needs no asking, or None.
    """
    async with AsyncExitStack() as stack:
        providers = _Providers(resolved, cast_, terms, stack)
        yield Panel(
            answerer=providers.answerer(cast_.means),
            personas=cast_.personas,
            concurrency=resolved.settings.concurrency,
            observer=observer,
            clock=cast_.clock,
            halt=terms.halt,
            seat_models={persona: providers.answerer(means) for persona, means in cast_.seat_models.items()},
            warm=terms.warm,
            budget=terms.budget,
            settled=settled,
        )


class _Providers:
    """Opens one client per provider, with one gate per model, and closes them with the stack."""

    def __init__(self, resolved: Resolved, cast_: PanelSetup, terms: Terms, stack: AsyncExitStack) -> None:
        self._cached = cast_.means.connection if terms.warm else None
        self._settings = resolved.settings
        self._record = cast_.record
        self._terms = terms
        self._stack = stack
        self._adapters: dict[Connection, Provider] = {}
        self._wrapped: dict[tuple[Connection, str], tuple[Provider, WorstCase | None]] = {}

    def answerer(self, means: ResolvedModel) -> SeatModel:
        connection = replace(means.connection, cache=means.connection == self._cached)
        if connection not in self._adapters:
            adapter = open_provider(connection)
            self._stack.push_async_callback(adapter.aclose)
            self._adapters[connection] = adapter
        key = (connection, means.config.model)
        if key not in self._wrapped:
            worst = self._worst(means)
            self._wrapped[key] = self._wrap(self._adapters[connection], connection, worst), worst
        provider, worst = self._wrapped[key]
        return SeatModel(provider, means.prompts, means.config, worst)

    def _worst(self, means: ResolvedModel) -> WorstCase | None:
        """Return what tells the most that a call can cost, if that is wanted: the price list takes a moment to read."""
        return worst_case_cost(prices_of(means)) if self._terms.budget is not None else None

    def _wrap(self, adapter: Provider, connection: Connection, worst: WorstCase | None) -> Provider:
        settings, halt, journal = self._settings, self._terms.halt, self._terms.journal
        if connection.provider == REPLAY:
            return RateLimit(adapter, RateLimiter(CallLimits(settings.concurrency), halt))
        per_minute = (settings.requests_per_minute, settings.tokens_per_minute)
        gate = RateLimiter(
            CallLimits(settings.concurrency, *(() if adapter.scaffolded else per_minute)), halt
        )
        wrapped = self._dependable(adapter, connection, gate, worst)
        if journal is not None:
            wrapped = AnswerCache(
                wrapped,
                journal,
                halt,
                base_url=connection.base_url,
                worst_case=worst,
                most_calls=1 + settings.retries,
                limiter=gate,
            )
        return AnswerCache(wrapped, self._record[0], halt) if self._record else wrapped

    def _dependable(
        self, adapter: Provider, connection: Connection, gate: RateLimiter, worst: WorstCase | None
    ) -> Provider:
        settings, terms = self._settings, self._terms
        if adapter.scaffolded:
            return wrap_local(adapter, gate)
        budget = (terms.budget, worst) if terms.budget is not None and worst is not None else None
        policy = CallPolicy(settings.timeout, 1 + settings.retries, gate, budget)
        return wrap_hosted(adapter, policy, terms.halt, connection.base_url)
