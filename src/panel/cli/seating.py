"""Opening the providers, and closing them when the panel has sat."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from panel.cli.means import REPLAY
from panel.orchestrator.ports import Answerer
from panel.orchestrator.review import Panel
from panel.providers import open_provider
from panel.providers.gate import Gate, Pace, Throttled
from panel.providers.recording import Recorded
from panel.providers.stack import Policy, dependable, metered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.cli.compose import Cast
    from panel.cli.means import Means
    from panel.orchestrator.ports import Observer
    from panel.providers import Connection
    from panel.providers.base import Halt, Provider
    from panel.settings.resolve import Resolved


@asynccontextmanager
async def seated(
    resolved: Resolved, cast_: Cast, observer: Observer, halt: Halt, *, warm: bool = False
) -> AsyncIterator[Panel]:
    """Open the providers, with their wrappers, for as long as the panel sits.

    Args:
        resolved: the settings.
        cast_: what the run needs.
        observer: is told how it goes.
        halt: set it to start no further calls.
        warm: whether to ask one seat of each panel first, so that the others read from the provider's cache.
    """
    async with AsyncExitStack() as stack:
        providers = _Providers(resolved, cast_, halt, stack, warm=warm)
        yield Panel(
            answerer=providers.answerer(cast_.means),
            personas=cast_.personas,
            concurrency=resolved.settings.concurrency,
            observer=observer,
            clock=cast_.clock,
            halt=halt,
            exceptions={persona: providers.answerer(means) for persona, means in cast_.exceptions.items()},
            warm=warm,
        )


class _Providers:
    """Opens one client per provider, with one gate per model, and closes them with the stack."""

    def __init__(
        self, resolved: Resolved, cast_: Cast, halt: Halt, stack: AsyncExitStack, *, warm: bool
    ) -> None:
        self._cached = cast_.means.connection if warm else None
        self._settings = resolved.settings
        self._record = cast_.record
        self._halt = halt
        self._stack = stack
        self._adapters: dict[Connection, Provider] = {}
        self._wrapped: dict[tuple[Connection, str], Provider] = {}

    def answerer(self, means: Means) -> Answerer:
        connection = replace(means.connection, cache=means.connection == self._cached)
        if connection not in self._adapters:
            adapter = open_provider(connection)
            self._stack.push_async_callback(adapter.aclose)
            self._adapters[connection] = adapter
        key = (connection, means.config.model)
        if key not in self._wrapped:
            self._wrapped[key] = self._wrap(self._adapters[connection], connection)
        return Answerer(self._wrapped[key], means.prompts, means.config)

    def _wrap(self, adapter: Provider, connection: Connection) -> Provider:
        settings = self._settings
        pace = Pace(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)
        if connection.provider == REPLAY:
            return Throttled(adapter, Gate(Pace(settings.concurrency), self._halt))
        if adapter.scaffolded:
            wrapped = metered(adapter, Pace(settings.concurrency), self._halt)
        else:
            policy = Policy(settings.timeout, 1 + settings.retries, pace, settings.hedge)
            wrapped = dependable(adapter, policy, self._halt, connection.base_url)
        return Recorded(wrapped, self._record[0], self._halt) if self._record else wrapped
