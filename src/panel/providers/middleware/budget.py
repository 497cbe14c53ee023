"""The budget of a run: the worst case of a call is reserved before it, and settled after it.

    paid + reserved for panels + reserved for calls <= limit          at every moment

A panel is begun only if the worst case of all its seats fits in, so that the budget ends between tools and not within one. Calls
draw on their panel's reserve. A call without an answer that may be billed all the same counts as paid in full.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from panel.core.text import dollars
from panel.errors import OverBudget, ProviderError
from panel.providers.base import Middleware

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, WorstCase


class Budget:
    """A limit in US dollars. An infinite one only counts what is paid."""

    def __init__(self, limit: float, paid: float = 0.0) -> None:
        self.limit = limit
        self.paid = paid
        self._panels: dict[str, float] = {}
        self._calls = 0.0

    @property
    def unlimited(self) -> bool:
        """Whether there is no limit, so that no worst case has to be computed."""
        return math.isinf(self.limit)

    @property
    def remaining(self) -> float:
        """The part that is neither paid nor reserved."""
        return self.limit - self.paid - self._calls - sum(self._panels.values())

    def reserve_panel(self, panel: str, worst: float) -> bool:
        """Reserve the worst case of a panel, and return whether there was room for it."""
        if worst > self.remaining:
            return False
        self._panels[panel] = worst
        return True

    def release_panel(self, panel: str) -> None:
        """Release the rest of a panel's reserve."""
        self._panels.pop(panel, None)

    def reserve_call(self, panel: str, worst: float) -> None:
        """Reserve the worst case of a call, from its panel's reserve first; raise OverBudget if there is no room for it."""
        own = self._panels.get(panel, 0.0)
        if worst > own + self.remaining:
            raise OverBudget(f"not asked: the budget of {dollars(self.limit)} does not cover another call")
        self._panels[panel] = max(own - worst, 0.0)
        self._calls += worst

    def settle_call(self, panel: str, worst: float, paid: float) -> None:
        """Replace a call's reserve by its cost; the rest goes back to its panel."""
        self._calls -= worst
        self.paid += paid
        self._panels[panel] = self._panels.get(panel, 0.0) + max(worst - paid, 0.0)


class BudgetLimit(Middleware):
    """Makes no call that the budget does not cover. A call of unknown price is made without counting.

    The answers of the inner provider carry their price.
    """

    def __init__(self, inner: Provider, budget: Budget, worst_case: WorstCase) -> None:
        super().__init__(inner)
        self._budget = budget
        self._worst_case = worst_case

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt within the budget; see `Provider.complete`."""
        worst = self._worst_case(prompt, config)
        if worst is None:
            return await self._inner.complete(prompt, config)
        slug = prompt.label.partition(".")[0]
        self._budget.reserve_call(slug, worst)
        paid = worst
        try:
            completion = await self._inner.complete(prompt, config)
            usage = completion.usage
            paid = (worst if usage.cost_usd is None else usage.cost_usd) + worst * usage.lost_calls
        except ProviderError as error:
            paid = worst * error.lost_calls
            raise
        finally:
            self._budget.settle_call(slug, worst, paid)
        return completion
