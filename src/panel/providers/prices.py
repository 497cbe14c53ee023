"""Prices of models, from the list that genai-prices carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel.domain.completion import Usage


class Prices:
    """The prices of one provider's models.

    Args:
        provider: one of `panel.providers.NAMES`.
        base_url: where it answers, if not at the vendor's own address.
    """

    def __init__(self, provider: str, base_url: str | None = None) -> None:
        self._provider = provider
        self._base_url = base_url

    def cost(self, model: str, usage: Usage, *, batch: bool = False) -> float | None:
        """Return the price of a usage in US dollars, or None if it is unknown."""
        del model, usage, batch
        return None
