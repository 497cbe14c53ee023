"""An adapter with everything that it needs around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.providers.middleware.base import Timed
from panel.providers.middleware.budget import Budgeted
from panel.providers.middleware.circuit_breaker import Breaker
from panel.providers.middleware.cost_tracking import CostTracked
from panel.providers.middleware.hedged import Hedged
from panel.providers.middleware.rate_limit import RateLimited
from panel.providers.middleware.retry import Retrying

if TYPE_CHECKING:
    from panel.providers.base import Provider, StopSignal
    from panel.providers.middleware.budget import Budget, Worst
    from panel.providers.middleware.rate_limit import RateLimiter


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls are made.

    Attributes:
        timeout: seconds that one call may take in all.
        attempts: calls for one answer at most.
        gate: admits calls.
        hedge: seconds after which a straggler's question is sent a second time, or None for never.
        budget: what may be paid, and what tells the most that a call can cost; None for no limit.
    """

    timeout: float
    attempts: int
    gate: RateLimiter
    hedge: float | None = None
    budget: tuple[Budget, Worst] | None = None


def dependable(adapter: Provider, policy: Policy, halt: StopSignal, base_url: str | None = None) -> Provider:
    """Return a hosted provider that waits its turn, tries again, notices when it is down, and says what it cost.

        Breaker(Retrying(Throttled(Budgeted(Metered(Hedged(Timed(adapter)))))))

    Each attempt passes the gate anew, so that one which waits to be made holds up no other, and the budget, so that one which may be
    billed without an answer is paid for.
    """
    timed: Provider = Timed(adapter, policy.timeout)
    hedged = timed if policy.hedge is None else Hedged(timed, policy.gate, policy.hedge)
    priced: Provider = CostTracked(hedged, base_url)
    if policy.budget is not None:
        budget, worst = policy.budget
        priced = Budgeted(priced, budget, worst, calls=1 if policy.hedge is None else 2)
    return Breaker(Retrying(RateLimited(priced, policy.gate), policy.attempts, halt))


def metered(adapter: Provider, gate: RateLimiter) -> Provider:
    """Return a provider on this machine that waits its turn and says what it cost."""
    return CostTracked(RateLimited(adapter, gate))
