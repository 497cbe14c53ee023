"""Prices of models, from the list that genai-prices carries. It is a part of the installed package; nothing is fetched.

A price that cannot be told for certain is None, never 0: the list names some models without any price, and would let them pass
as free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.providers import HOSTED

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import PriceCalculation, TieredPrices

    from panel.core.completion import Usage

BATCH = {"processing": "batch"}
TOKENS_PER_PRICE = 1_000_000
"""The list's prices are those of a million tokens."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model in US dollars a token, for prompts below the length from which some models cost more.

    None stands for what the list does not price by itself: a provider charges nothing extra for it, or does not offer it.

    Attributes:
        input: of a token that is read.
        cache_read: of a token that is read from a cache.
        cache_write: of a token that is read and kept in a cache for the provider's shortest time.
        output: of a token that is written.
    """

    input: float | None
    cache_read: float | None
    cache_write: float | None
    output: float | None


FREE = Rates(0.0, 0.0, 0.0, 0.0)
FREE_PROVIDERS = frozenset({"local", "replay"})


class Prices:
    """The prices of one provider's models.

    To make one takes as long as to read the list: some tenths of a second the first time.

    Args:
        provider: one of `panel.providers.NAMES`.
        base_url: where it answers, if not at the vendor's own address. It tells who sets the prices of an OpenAI-compatible
            provider; a vendor's prices are the same through a gateway.
    """

    def __init__(self, provider: str, base_url: str | None = None) -> None:
        self._free = provider in FREE_PROVIDERS
        self._lister = _lister(provider, base_url)

    def cost(self, model: str, usage: Usage, *, batch: bool = False) -> float | None:
        """Return the price of a usage in US dollars, or None if it is unknown.

        What was not said to come from a cache, or to be kept in one, is priced as if it did not.

        Args:
            model: its name, with or without a date.
            usage: what was consumed.
            batch: whether that was in a batch; a model without a price of its own for batches has an unknown one.
        """
        if self._free:
            return 0.0
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        priced = self._priced(model, _counts(usage), batch=batch)
        dollars = math.nan if priced is None else float(priced.total_price)
        return dollars if math.isfinite(dollars) else None

    def rates(self, model: str) -> Rates | None:
        """Return the prices of a model as of now, or None if they are unknown."""
        if self._free:
            return FREE
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

    def _priced(self, model: str, counts: dict[str, int], *, batch: bool = False) -> PriceCalculation | None:
        if self._lister is None:
            return None
        from genai_prices import Usage, calc_price

        context = BATCH if batch else None
        try:
            priced = calc_price(Usage(**counts), model, provider_id=self._lister, price_context=context)
        except Exception:  # noqa: BLE001 - an answer that was paid for is not lost over its price, whatever is wrong with that
            return None
        return priced if _is_whole(priced) and not (batch and _is_standard(priced)) else None


def _lister(provider: str, base_url: str | None) -> str | None:
    """Return the list's name of who sets the prices, or None if nobody is known to."""
    if provider in HOSTED:
        return _known(provider, None)
    return _known(None, base_url) if provider == "openai-compatible" and _is_public(base_url) else None


def _known(name: str | None, url: str | None) -> str | None:
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider(None, name, url).id
    except LookupError:
        return None


def _is_public(base_url: str | None) -> bool:
    """Whether an address may be a vendor's: a number, or a name without a dot, is this machine or one near it."""
    try:
        _, dot, top = (urlsplit(base_url or "").hostname or "").rpartition(".")
    except ValueError:
        return False
    return bool(dot) and not top.isdigit()


def _counts(usage: Usage) -> dict[str, int]:
    """Return a usage under the list's names; there, too, what concerns the cache is a part of all that was read."""
    return {
        "input_tokens": usage.input_tokens or 0,
        "cache_read_tokens": usage.cached_tokens or 0,
        "cache_write_tokens": usage.cache_write_tokens or 0,
        "output_tokens": usage.output_tokens or 0,
    }


def _is_whole(priced: PriceCalculation) -> bool:
    """Whether both what is read and what is written has a price."""
    return priced.model_price.input_mtok is not None and priced.model_price.output_mtok is not None


def _is_standard(priced: PriceCalculation) -> bool:
    """Whether what was asked for a price of its own, and has none, was priced like all else."""
    from datetime import UTC, datetime

    return bool(priced.model_price == priced.model.get_prices(datetime.now(UTC)))


def _per_token(price: Decimal | TieredPrices | None) -> float | None:
    from genai_prices.types import TieredPrices

    base = price.base if isinstance(price, TieredPrices) else price
    return None if base is None else float(base / TOKENS_PER_PRICE)
