"""What a call cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from panel.providers.middleware.base import Wrapper
from panel.providers.tokens import completed

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider
    from panel.providers.prices import Prices


class CostTracked(Wrapper):
    """Puts a price on each answer, and estimates its tokens where the provider did not count them.

    The price list is read while the first call is under way.

    Args:
        inner: the provider.
        base_url: where it answers, if not at the vendor's own address; some prices depend on it.
    """

    def __init__(self, inner: Provider, base_url: str | None = None) -> None:
        super().__init__(inner)
        self._base_url = base_url
        self._loading: asyncio.Task[Prices] | None = None

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt and say what it cost; see `Provider.complete`."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(_load, self.name, self._base_url))
        completion = await self._inner.complete(prompt, config)
        prices = await self._loading
        usage = completed(completion.usage, prompt, completion.text)
        cost = prices.cost(completion.model, usage)
        if cost is None:
            cost = prices.cost(config.model, usage)
        return completion.model_copy(update={"usage": usage.model_copy(update={"cost_usd": cost})})

    async def aclose(self) -> None:
        """Close the inner provider."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        await super().aclose()


def _load(provider: str, base_url: str | None) -> Prices:
    from panel.providers.prices import Prices

    return Prices(provider, base_url)
