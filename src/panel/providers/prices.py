"""Prices of models, from the list that genai-prices carries: offline, with the rates of caches, batches and long prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import genai_prices

from panel.domain.completion import Usage

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

FREE = frozenset({"local", "replay"})
VENDORS = frozenset({"openai", "anthropic"})

_PROBE = 1_000
"""Tokens that a rate is read from; every list has its long-prompt prices far above it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a model takes for one token, in US dollars; None where it is unknown."""

    input: float | None
    cache_read: float | None
    cache_write: float | None
    output: float | None


class Prices:
    """The prices of one provider's models.

    Args:
        provider: one of `panel.providers.NAMES`.
        base_url: where it answers. By it the list knows who stands behind a compatible server, and so what it takes.
    """

    def __init__(self, provider: str, base_url: str | None = None) -> None:
        self._provider = provider
        self._base_url = base_url

    def cost(self, model: str, usage: Usage, *, batch: bool = False) -> float | None:
        """Return the price of a usage in US dollars, or None if it is unknown.

        Args:
            model: the model's name; a dated one counts as the model it is a version of.
            usage: what was consumed. Cached tokens that are not told count as none.
            batch: whether it was consumed in the provider's batch processing.
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        if self._provider in FREE:
            return 0.0
        found = self._calculation(model, usage, batch=batch)
        return None if found is None else float(found.total_price)

    def rates(self, model: str) -> Rates | None:
        """Return what a model takes for each kind of token in a prompt of ordinary length, or None if it is unknown."""
        if self._provider in FREE:
            return Rates(0.0, 0.0, 0.0, 0.0)
        found = self._calculation(model, Usage(input_tokens=_PROBE, output_tokens=_PROBE), batch=False)
        if found is None:
            return None
        kept = {"input_tokens": _PROBE, "output_tokens": 0}
        return Rates(
            input=float(found.input_price) / _PROBE,
            cache_read=self._rate(model, Usage(**kept, cached_tokens=_PROBE)),
            cache_write=self._rate(model, Usage(**kept, cache_write_tokens=_PROBE)),
            output=float(found.output_price) / _PROBE,
        )

    def _rate(self, model: str, usage: Usage) -> float | None:
        found = self._calculation(model, usage, batch=False)
        return None if found is None else float(found.input_price) / _PROBE

    def _calculation(self, model: str, usage: Usage, *, batch: bool) -> PriceCalculation | None:
        """Look a price up; whatever keeps the list from telling it means that it is unknown, never that it is nothing."""
        consumed = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
        )
        context = {"processing": "batch"} if batch else None
        try:
            if self._provider in VENDORS:
                return genai_prices.calc_price(
                    consumed, model, provider_id=self._provider, price_context=context
                )
            if self._base_url is not None:
                return genai_prices.calc_price(
                    consumed, model, provider_api_url=self._base_url, price_context=context
                )
        except (LookupError, ValueError):
            return None
        return None
