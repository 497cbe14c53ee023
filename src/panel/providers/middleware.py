"""Concerns that cut across providers: wrappers of the same protocol, composed once by the command line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import tenacity

from panel.errors import ProviderBusy, ProviderTimeout
from panel.providers.base import Provider

if TYPE_CHECKING:
    from panel.domain.completion import Completion, ModelConfig
    from panel.domain.prompt import Prompt

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0


class Wrapper(Provider):
    """A provider around a provider."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.name = inner.name
        self.scaffolded = inner.scaffolded

    async def aclose(self) -> None:
        """Close the inner provider."""
        await self._inner.aclose()


class Timed(Wrapper):
    """Gives each call a limit by the wall clock, which a body that drips in byte by byte cannot outlive."""

    def __init__(self, inner: Provider, seconds: float) -> None:
        super().__init__(inner)
        self._seconds = seconds

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt in time; see `Provider.complete`."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._inner.complete(prompt, config)
        except TimeoutError as error:
            raise ProviderTimeout(f"{self.name} did not answer within {self._seconds:g} s") from error


class Retrying(Wrapper):
    """Makes a call again when the provider was busy, after the wait it asked for or a growing, jittered one.

    The SDKs' own retries are off: this is the only place that repeats a call.
    """

    def __init__(self, inner: Provider, attempts: int) -> None:
        super().__init__(inner)
        self._policy = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(attempts),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(ProviderBusy),
            reraise=True,
        )

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt, in several attempts if need be; see `Provider.complete`."""
        return await self._policy.copy()(self._inner.complete, prompt, config)


_grow = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ProviderBusy) else None
    return _grow(state) if asked is None else asked
