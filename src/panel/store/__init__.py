"""The store: no answer that was paid for is lost or bought twice; drafts, runs and an append-only log of events.

Everything is reached through `open_store`. SQLAlchemy is imported with this package and nowhere else.
"""

from __future__ import annotations

from panel.store.approval import DraftView, StaleDraft
from panel.store.calls import Call
from panel.store.draft_locks import CLAIM_SECONDS, Claim
from panel.store.drafts import Draft, DraftLine
from panel.store.events import Event, PastEvent
from panel.store.findings import Checks
from panel.store.inspect import Glance, glance
from panel.store.leases import RENEW_SECONDS, Lease
from panel.store.process_id import Holder
from panel.store.publications import Listed, Publication, Publishing, Retraction
from panel.store.queue import Order, QueueFilter, QueueLine, QueuePage, Split
from panel.store.run_stats import FAILURES, FailedSeat, Progress, RunLine, Spent
from panel.store.runs import Run, RunState, Todo
from panel.store.store import Store, open_store
from panel.store.subscribers import Subscriber, Subscription
from panel.store.tools import KnownTool
from panel.store.users import User

__all__ = [
    "CLAIM_SECONDS",
    "FAILURES",
    "RENEW_SECONDS",
    "Call",
    "Checks",
    "Claim",
    "Draft",
    "DraftLine",
    "DraftView",
    "Event",
    "FailedSeat",
    "Glance",
    "Holder",
    "KnownTool",
    "Lease",
    "Listed",
    "Order",
    "PastEvent",
    "Progress",
    "Publication",
    "Publishing",
    "QueueFilter",
    "QueueLine",
    "QueuePage",
    "Retraction",
    "Run",
    "RunLine",
    "RunState",
    "Spent",
    "Split",
    "StaleDraft",
    "Store",
    "Subscriber",
    "Subscription",
    "Todo",
    "User",
    "glance",
    "open_store",
]
