"""The store: tools, runs, calls, drafts and their events in one database; no answer that was paid for is lost or bought twice.

`open_store` opens it. SQLAlchemy is imported by this package alone.
"""

from __future__ import annotations

from panel.store.calls import OpenCall
from panel.store.draft_index import Checks, run_checks
from panel.store.draft_locks import LOCK_SECONDS, DraftLock
from panel.store.draft_records import REPLACED, DraftRecord, DraftTransaction
from panel.store.drafts import Draft, DraftSummary
from panel.store.events import RecordedEvent
from panel.store.inspect import StoreInfo, read_store_info
from panel.store.leases import RENEW_SECONDS, Lease
from panel.store.process_id import ProcessId
from panel.store.publications import ListedDraft, Publication, PublicationHistory, Retraction
from panel.store.queue import QueuePage, QueueRow
from panel.store.queue_filter import Order, QueueFilter, Split
from panel.store.readers import Subscriber, SubscriptionState
from panel.store.run_stats import FAILURES, FailedSeat, RunProgress, RunSummary, Spending
from panel.store.runs import PendingTool, Run, RunState
from panel.store.store import Store, open_store
from panel.store.tools import KnownTool
from panel.store.users import User

__all__ = [
    "FAILURES",
    "LOCK_SECONDS",
    "RENEW_SECONDS",
    "REPLACED",
    "Checks",
    "Draft",
    "DraftLock",
    "DraftRecord",
    "DraftSummary",
    "DraftTransaction",
    "FailedSeat",
    "KnownTool",
    "Lease",
    "ListedDraft",
    "OpenCall",
    "Order",
    "PendingTool",
    "ProcessId",
    "Publication",
    "PublicationHistory",
    "QueueFilter",
    "QueuePage",
    "QueueRow",
    "RecordedEvent",
    "Retraction",
    "Run",
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
