"""The store: no answer that was paid for is lost or bought twice; drafts, runs and an append-only log of events.

Everything is reached through `open_store`. SQLAlchemy is imported with this package and nowhere else.
"""

from __future__ import annotations

from panel.store.drafts import Draft, DraftLine, Event, PastEvent
from panel.store.figures import Progress, Spent
from panel.store.glance import Glance, glance
from panel.store.holder import Holder
from panel.store.leases import RENEW_SECONDS, Lease
from panel.store.outcomes import FAILURES, FailedSeat, RunLine
from panel.store.runs import Run, RunState, Todo
from panel.store.steps import Call
from panel.store.store import Store, open_store
from panel.store.tools import KnownTool

__all__ = [
    "FAILURES",
    "RENEW_SECONDS",
    "Call",
    "Draft",
    "DraftLine",
    "Event",
    "FailedSeat",
    "Glance",
    "Holder",
    "KnownTool",
    "Lease",
    "PastEvent",
    "Progress",
    "Run",
    "RunLine",
    "RunState",
    "Spent",
    "Store",
    "Todo",
    "glance",
    "open_store",
]
