"""What wraps a provider: the same protocol around it, one concern each. `stack.py` puts them together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from panel.errors import ProviderTimeout
from panel.providers.base import Provider

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt


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
