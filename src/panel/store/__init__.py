"""The store: tools, runs, calls, drafts and their events in one database; no answer that was paid for is lost or bought twice.

`open_store` opens it. SQLAlchemy is imported by this package alone.
"""

from __future__ import annotations

from panel.store.draft_records import (
    REPLACED,
    Checks,
    DraftLock,
    DraftRecord,
    DraftTransaction,
    RecordedEvent,
    run_checks,
)
from panel.store.drafts import LOCK_SECONDS
from panel.store.leases import RENEW_SECONDS, Lease, ProcessId
from panel.store.publications import Publication, PublicationHistory
from panel.store.queue import Order, QueueFilter, QueueRow, Split
from panel.store.readers import Subscriber, SubscriptionState
from panel.store.run_stats import FAILURES, FailedSeat, RunProgress, RunSummary, Spending
from panel.store.runs import RunState
from panel.store.store import Store, StoreInfo, open_store, read_store_info
from panel.store.users import User

__all__ = [
    "FAILURES",
    "LOCK_SECONDS",
    "RENEW_SECONDS",
    "REPLACED",
    "Checks",
    "DraftLock",
    "DraftRecord",
    "DraftTransaction",
    "FailedSeat",
    "Lease",
    "Order",
    "ProcessId",
    "Publication",
    "PublicationHistory",
    "QueueFilter",
    "QueueRow",
    "RecordedEvent",
    "RunProgress",
    "RunState",
    "RunSummary",
    "Spending",
    "Split",
    "Store",
    "StoreInfo",
    "Subscriber",
    "SubscriptionState",
    "User",
    "open_store",
    "read_store_info",
    "run_checks",
]
