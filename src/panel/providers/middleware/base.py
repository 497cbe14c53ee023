"""The base of all middleware: a provider around a provider, with one concern each. `stack.py` puts them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.providers.base import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

    WorstCase = Callable[[Prompt, ModelConfig], float | None]
    """The highest cost of one call in US dollars; None if the price is unknown."""


class Middleware(Provider):
    """A provider around a provider."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.name = inner.name
        self.scaffolded = inner.scaffolded

    async def aclose(self) -> None:
        """Close the inner provider."""
        await self._inner.aclose()
