"""A second call for a straggler."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from panel.core.completion import Usage
from panel.errors import ProviderError
from panel.providers.middleware.base import Wrapper

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider
    from panel.providers.middleware.rate_limit import RateLimiter


class Hedged(Wrapper):
    """Sends a straggler's question a second time and takes the answer that comes first.

    The other call is dropped; it may be billed, and is counted as lost.

    Args:
        inner: the provider.
        gate: admits the second call.
        seconds: how long to wait for the first.
    """

    def __init__(self, inner: Provider, gate: RateLimiter, seconds: float) -> None:
        super().__init__(inner)
        self._gate = gate
        self._seconds = seconds

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt, with a second call if need be; see `Provider.complete`."""
        calls = [asyncio.create_task(self._inner.complete(prompt, config))]
        made = asyncio.Event()
        try:
            await asyncio.wait(calls, timeout=self._seconds)
            if calls[0].done():
                return calls[0].result()
            calls.append(asyncio.create_task(self._again(prompt, config, made)))
            await _first_good(calls)
            return _outcome(calls, made=made.is_set())
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _again(self, prompt: Prompt, config: ModelConfig, made: asyncio.Event) -> Completion:
        async with self._gate.passage(prompt, config):
            made.set()
            return await self._inner.complete(prompt, config)


async def _first_good(calls: list[asyncio.Task[Completion]]) -> None:
    """Wait for an answer, or until all calls have failed."""
    pending = set(calls)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(call.exception() is None for call in done):
            return


def _outcome(calls: list[asyncio.Task[Completion]], *, made: bool) -> Completion:
    """Return the answer, with what the other call took; or raise the first call's failure, likewise."""
    good = next((call for call in calls if call.done() and call.exception() is None), None)
    other = calls[0] if good is calls[1] else calls[1]
    if good is None:
        return _failed(calls)
    if not made:
        return good.result()
    completion = good.result()
    update = {"attempts": completion.attempts + 1, "usage": completion.usage + _spent(other)}
    return completion.model_copy(update=update)


def _spent(call: asyncio.Task[Completion]) -> Usage:
    if not call.done():
        return Usage.lost(1)
    error = call.exception()
    if error is None:
        return call.result().usage
    return Usage.lost(error.lost_calls if isinstance(error, ProviderError) else 1)


def _failed(calls: list[asyncio.Task[Completion]]) -> Completion:
    first, second = (call.exception() for call in calls)
    if isinstance(first, ProviderError) and isinstance(second, ProviderError):
        first.attempts += second.attempts
        first.lost_calls += second.lost_calls
    return calls[0].result()
