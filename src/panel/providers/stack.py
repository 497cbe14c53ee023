"""An adapter with everything that it needs around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.providers.breaker import Breaker
from panel.providers.budget import Budgeted
from panel.providers.gate import Throttled
from panel.providers.hedged import Hedged
from panel.providers.metered import Metered
from panel.providers.middleware import Timed
from panel.providers.retrying import Retrying

if TYPE_CHECKING:
    from panel.providers.base import Halt, Provider
    from panel.providers.budget import Budget, Worst
    from panel.providers.gate import Gate


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
    gate: Gate
    hedge: float | None = None
    budget: tuple[Budget, Worst] | None = None


def dependable(adapter: Provider, policy: Policy, halt: Halt, base_url: str | None = None) -> Provider:
    """Return a hosted provider that waits its turn, tries again, notices when it is down, and says what it cost.

        Breaker(Retrying(Throttled(Budgeted(Metered(Hedged(Timed(adapter)))))))

    Each attempt passes the gate anew, so that one which waits to be made holds up no other, and the budget, so that one which may be
    billed without an answer is paid for.
    """
    timed: Provider = Timed(adapter, policy.timeout)
    hedged = timed if policy.hedge is None else Hedged(timed, policy.gate, policy.hedge)
    priced: Provider = Metered(hedged, base_url)
    if policy.budget is not None:
        budget, worst = policy.budget
        priced = Budgeted(priced, budget, worst, calls=1 if policy.hedge is None else 2)
    return Breaker(Retrying(Throttled(priced, policy.gate), policy.attempts, halt))


def metered(adapter: Provider, gate: Gate) -> Provider:
    """Return a provider on this machine that waits its turn and says what it cost."""
    return Metered(Throttled(adapter, gate))
