"""Prices of models, from the list in the installed package genai-prices. Nothing is fetched.

A price that is not certain is None, never 0: the list names some models without any price.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.core.completion import Usage
from panel.providers import providers
from panel.providers.base import PriceSource

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import PriceCalculation, TieredPrices

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

TOKENS_PER_PRICE = 1_000_000
"""The list states prices per million tokens."""
FRAME_TOKENS = 256
"""Tokens that a vendor may add around a prompt and its schema; both vendors' documented frames are shorter."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model in US dollars a token, for prompts below the length from which some models cost more.

    None means that the list has no separate price: the provider charges nothing extra, or does not offer it. A cache write
    stores an input token for the provider's shortest time.
    """

    input: float | None
    cache_read: float | None
    cache_write: float | None
    output: float | None


class Prices:
    """The prices of one provider's models. The first one takes some tenths of a second, to read the list.

    The base URL of an OpenAI-compatible provider decides whose prices apply.
    """

    def __init__(self, provider: str, base_url: str | None = None) -> None:
        spec = providers().get(provider)
        source = spec.prices if spec else None
        self._free = source is PriceSource.FREE
        self._list_id = None
        if source is PriceSource.VENDOR:
            self._list_id = _list_id(provider, None)
        elif source is PriceSource.BY_ADDRESS and _is_public(base_url):
            self._list_id = _list_id(None, base_url)

    def cost(self, model: str, usage: Usage) -> float | None:
        """Return the price of a usage in US dollars, or None if it is unknown. Unknown cache figures count as 0."""
        if self._free:
            return 0.0
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        # In the list, too, cached tokens are a part of the input tokens.
        counts = {
            "input_tokens": usage.input_tokens,
            "cache_read_tokens": usage.cached_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
            "output_tokens": usage.output_tokens,
        }
        priced = self._priced(model, counts)
        dollars = math.nan if priced is None else float(priced.total_price)
        return dollars if math.isfinite(dollars) else None

    def worst_case(self, prompt: Prompt, config: ModelConfig) -> float | None:
        """Return the highest cost of one call in US dollars, or None if the price is unknown.

        No token is shorter than a byte, so a prompt is never billed for more tokens than it has bytes, cached or not; the output
        stays within the limit that is sent along.
        """
        parts = (prompt.system, prompt.shared, prompt.own, json.dumps(prompt.answer_schema))
        read = FRAME_TOKENS + sum(len(part.encode()) for part in parts)
        usage = Usage(input_tokens=read, output_tokens=config.max_output_tokens)
        cached = usage.model_copy(update={"cache_write_tokens": read})
        costs = [self.cost(config.model, one) for one in (usage, cached)]
        return max((cost for cost in costs if cost is not None), default=None)

    def rates(self, model: str) -> Rates | None:
        """Return the prices of a model as of now, or None if they are unknown."""
        if self._free:
            return Rates(0.0, 0.0, 0.0, 0.0)
        priced = self._priced(model, {})
        if priced is None:
            return None
        price = priced.model_price
        return Rates(
            input=_per_token(price.input_mtok),
            cache_read=_per_token(price.cache_read_mtok),
            cache_write=_per_token(price.cache_write_mtok),
            output=_per_token(price.output_mtok),
        )

    def _priced(self, model: str, counts: dict[str, int]) -> PriceCalculation | None:
        """Return the list's calculation, or None unless both input and output have a price."""
        if self._list_id is None:
            return None
        from genai_prices import Usage as TokenCounts
        from genai_prices import calc_price

        try:
            priced = calc_price(TokenCounts(**counts), model, provider_id=self._list_id)
        except Exception:  # noqa: BLE001 - a paid answer must not be lost over its price
            return None
        price = priced.model_price
        return None if price.input_mtok is None or price.output_mtok is None else priced


def _list_id(name: str | None, url: str | None) -> str | None:
    """Return the list's identifier of the vendor that sets the prices, or None if it has none."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider(None, name, url).id
    except LookupError:
        return None


def _is_public(base_url: str | None) -> bool:
    """Whether an address may be a vendor's. An IP address, or a name without a dot, is on this machine or network."""
    try:
        _, dot, top = (urlsplit(base_url or "").hostname or "").rpartition(".")
    except ValueError:
        return False
    return bool(dot) and not top.isdigit()


def _per_token(price: Decimal | TieredPrices | None) -> float | None:
    from genai_prices.types import TieredPrices

    base = price.base if isinstance(price, TieredPrices) else price
    return None if base is None else float(base / TOKENS_PER_PRICE)
