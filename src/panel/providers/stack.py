"""An adapter with everything that it needs around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.providers.breaker import Breaker
from panel.providers.gate import Gate, Pace, Throttled
from panel.providers.hedged import Hedged
from panel.providers.metered import Metered
from panel.providers.middleware import Timed
from panel.providers.retrying import Retrying

if TYPE_CHECKING:
    from panel.providers.base import Halt, Provider


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls are made.

    Attributes:
        timeout: seconds that one call may take in all.
        attempts: calls for one answer at most.
        pace: limits on calls at once and per minute.
        hedge: seconds after which a straggler's question is sent a second time, or None for never.
    """

    timeout: float
    attempts: int
    pace: Pace
    hedge: float | None = None


def dependable(adapter: Provider, policy: Policy, halt: Halt, base_url: str | None = None) -> Provider:
    """Return a hosted provider that waits its turn, tries again, notices when it is down, and says what it cost.

        Metered(Breaker(Retrying(Throttled(Hedged(Timed(adapter))))))

    Each attempt passes the gate anew, so that one which waits to be made holds up no other.
    """
    gate = Gate(policy.pace, halt)
    timed: Provider = Timed(adapter, policy.timeout)
    hedged = timed if policy.hedge is None else Hedged(timed, gate, policy.hedge)
    retrying = Retrying(Throttled(hedged, gate), policy.attempts, halt)
    return Metered(Breaker(retrying), base_url)


def metered(adapter: Provider, pace: Pace, halt: Halt) -> Provider:
    """Return a provider on this machine that waits its turn and says what it cost."""
    return Metered(Throttled(adapter, Gate(pace, halt)))
