"""Middleware around an adapter: their order, and the two simplest, the time limit and the cost of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from panel.core.prompt import estimate_tokens
from panel.errors import ProviderTimeout
from panel.providers.base import Middleware
from panel.providers.middleware.budget import BudgetLimit
from panel.providers.middleware.rate_limit import RateLimit
from panel.providers.middleware.retry import CircuitBreaker, Retry

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig, Usage
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, WorstCase
    from panel.providers.middleware.budget import Budget
    from panel.providers.middleware.rate_limit import RateLimiter
    from panel.providers.prices import Prices


def wrap_hosted(  # noqa: PLR0913 - each is a separate fact about the calls
    adapter: Provider,
    limiter: RateLimiter,
    *,
    timeout: float,
    attempts: int,
    base_url: str | None = None,
    budget: tuple[Budget, WorstCase] | None = None,
) -> Provider:
    """Return a hosted provider with all its middleware.

        CircuitBreaker(Retry(RateLimit(BudgetLimit(CostTracking(Timeout(adapter))))))

    A call waits for its next attempt outside the rate limiter, so that it blocks no other. Each attempt is counted against the budget,
    because it may be billed without an answer. All calls to the same model share a limiter; `timeout` is in
    seconds, and `attempts` counts the calls for one answer at most.
    """
    priced: Provider = CostTracking(Timeout(adapter, timeout), base_url)
    if budget is not None:
        priced = BudgetLimit(priced, *budget)
    return CircuitBreaker(Retry(RateLimit(priced, limiter), attempts, limiter.stop))


def wrap_local(adapter: Provider, limiter: RateLimiter) -> Provider:
    """Return a provider on this machine with a limit on calls at once and with its cost."""
    return CostTracking(RateLimit(adapter, limiter))


class Timeout(Middleware):
    """Limits each call by the wall clock; an SDK's own limit never ends a body that arrives byte by byte."""

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


class CostTracking(Middleware):
    """Adds the price to each answer, and estimates its tokens if the provider did not count them.

    The price list is read during the first call. Some prices depend on the base URL; None is the vendor's own address.
    """

    def __init__(self, inner: Provider, base_url: str | None = None) -> None:
        super().__init__(inner)
        self._base_url = base_url
        self._loading: asyncio.Task[Prices] | None = None

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt with its cost; see `Provider.complete`."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load_prices))
        completion = await self._inner.complete(prompt, config)
        prices = await self._loading
        usage = with_estimates(completion.usage, prompt, completion.text)
        cost = prices.cost(completion.model, usage)
        if cost is None:
            cost = prices.cost(config.model, usage)
        return completion.model_copy(update={"usage": usage.model_copy(update={"cost_usd": cost})})

    async def aclose(self) -> None:
        """Close the inner provider."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        await super().aclose()

    def _load_prices(self) -> Prices:
        from panel.providers.prices import Prices

        return Prices(self.name, self._base_url)


def with_estimates(usage: Usage, prompt: Prompt, text: str) -> Usage:
    """Return a usage whose missing totals are estimated from the text, and marked as such.

    Reasoning that was not sent cannot be seen, so the estimate may be too low.
    """
    estimates = {"input_tokens": prompt.estimated_tokens, "output_tokens": estimate_tokens(text)}
    missing = {name: tokens for name, tokens in estimates.items() if getattr(usage, name) is None}
    return usage.model_copy(update=missing | {"estimated": True}) if missing else usage
