"""What a run may cost at most: the worst case is set aside before each call, and settled after it.

    paid + set aside for panels + set aside for calls <= limit          at every moment

A panel is begun only if the worst case of all its seats fits in, so that the budget ends between tools and not in the midst of one.
Calls draw on what was set aside for their panel. What a call brought no answer for, and may be billed all the same, counts as paid
in full.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

from panel.core.completion import Usage
from panel.core.money import dollars
from panel.errors import OverBudget, ProviderError
from panel.providers.middleware.base import Wrapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider
    from panel.providers.prices import Prices

    Worst = Callable[[Prompt, ModelConfig], float | None]


FRAME_TOKENS = 256
"""What a vendor may put around a prompt and its schema; both vendors' documented frames are shorter."""


class Budget:
    """A limit in US dollars, and what of it is taken.

    Args:
        limit: what may be paid in all; infinite to count only.
        paid: what was paid before.
    """

    def __init__(self, limit: float, paid: float = 0.0) -> None:
        self.limit = limit
        self.paid = paid
        self._panels: dict[str, float] = {}
        self._calls = 0.0

    @property
    def unlimited(self) -> bool:
        """Whether there is no limit, so that nothing needs to be weighed before it is begun."""
        return math.isinf(self.limit)

    @property
    def left(self) -> float:
        """What is neither paid nor set aside."""
        return self.limit - self.paid - self._calls - sum(self._panels.values())

    def admit(self, panel: str, worst: float) -> bool:
        """Set the worst case of a panel aside, if there is room for it."""
        if worst > self.left:
            return False
        self._panels[panel] = worst
        return True

    def leave(self, panel: str) -> None:
        """Give back what is left of what was set aside for a panel."""
        self._panels.pop(panel, None)

    def reserve(self, panel: str, worst: float) -> None:
        """Set the worst case of a call aside, from what its panel has and then from what is left.

        Raises:
            OverBudget: there is no room for it.
        """
        own = self._panels.get(panel, 0.0)
        if worst > own + self.left:
            raise OverBudget(f"not asked: the budget of {dollars(self.limit)} does not cover another call")
        self._panels[panel] = max(own - worst, 0.0)
        self._calls += worst

    def settle(self, panel: str, worst: float, paid: float) -> None:
        """Replace what was set aside for a call by what it cost; its panel has the rest."""
        self._calls -= worst
        self.paid += paid
        self._panels[panel] = self._panels.get(panel, 0.0) + max(worst - paid, 0.0)


class Budgeted(Wrapper):
    """Makes no call that the budget does not cover.

    Args:
        inner: the provider; its answers carry their price.
        budget: what may be paid.
        worst: tells what a call may cost at most; one of unknown price is made without counting.
        calls: calls that are made at once at most.
    """

    def __init__(self, inner: Provider, budget: Budget, worst: Worst, calls: int = 1) -> None:
        super().__init__(inner)
        self._budget = budget
        self._worst = worst
        self._calls = calls

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt within the budget; see `Provider.complete`."""
        one = self._worst(prompt, config)
        if one is None:
            return await self._inner.complete(prompt, config)
        panel, worst = panel_of(prompt), one * self._calls
        self._budget.reserve(panel, worst)
        paid = worst
        try:
            completion = await self._inner.complete(prompt, config)
            usage = completion.usage
            paid = (one if usage.cost_usd is None else usage.cost_usd) + one * usage.lost_calls
        except ProviderError as error:
            paid = one * error.lost_calls
            raise
        except asyncio.CancelledError:
            paid = worst
            raise
        finally:
            self._budget.settle(panel, worst, paid)
        return completion


def panel_of(prompt: Prompt) -> str:
    """Return the slug of the tool that a prompt is about, which tells the panels of a run apart."""
    return prompt.label.partition(".")[0]


def worst_case(prices: Prices) -> Worst:
    """Return what tells the most that one call of a model can cost, or None where its price is unknown.

    No token is shorter than a byte, so a prompt is never billed for more tokens than it has bytes, be they kept in a cache or not; what
    is written stays within the limit that is sent along.
    """

    def worst(prompt: Prompt, config: ModelConfig) -> float | None:
        parts = (prompt.system, prompt.shared, prompt.own, json.dumps(prompt.answer_schema))
        read = FRAME_TOKENS + sum(len(part.encode()) for part in parts)
        usage = Usage(input_tokens=read, output_tokens=config.max_output_tokens)
        kept = usage.model_copy(update={"cache_write_tokens": read})
        costs = [prices.cost(config.model, one) for one in (usage, kept)]
        return max((cost for cost in costs if cost is not None), default=None)

    return worst
