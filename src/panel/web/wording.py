"""Labels and sentences of the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from panel.core.draft_state import State
from panel.core.tally import Tally
from panel.core.text import dollars
from panel.report.wording import counted
from panel.store import Order, RunState, Split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.store import QueueRow, RunSummary

__all__ = [
    "EMPTY",
    "ORDERS",
    "SPLITS",
    "TABS",
    "age",
    "ago",
    "dollars",
    "moment",
    "run_state",
    "votes",
]

TABS: Mapping[State, str] = {state: state.label.capitalize() for state in State}

EMPTY: Mapping[State | None, str] = {
    None: "There are no drafts yet. Review a tool with panel review, or many with panel batch run.",
    State.DRAFTED: "No new drafts. The next ones that panel review or panel batch run makes will appear here.",
    State.IN_REVIEW: "No drafts are in review. A draft appears here when its first finding is resolved or its first edit saved.",
    State.CHANGES_REQUESTED: "No drafts wait for changes.",
    State.APPROVED: "No drafts wait to be published.",
    State.PUBLISHED: "Nothing is published yet. Approve a draft, then publish it.",
    State.REJECTED: "No drafts were rejected.",
    State.RETRACTED: "Nothing was retracted.",
}

ORDERS: Mapping[Order, str] = {
    Order.OLDEST: "Oldest first",
    Order.NEWEST: "Newest first",
    Order.FINDINGS: "Most open findings first",
    Order.SPLIT: "Closest votes first",
}

SPLITS: Mapping[Split, str] = {
    Split.UNANIMOUS: "Unanimous",
    Split.DIVIDED: "Divided",
    Split.CLOSE: "One vote decides",
}

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = ((_DAY, "day", "d"), (_HOUR, "hour", "h"), (_MINUTE, "minute", "min"))


def age(since: datetime, now: datetime | None = None) -> str:
    """Return the time since a moment in its largest unit: `3 h`."""
    return _ago(since, now, short=True) or "< 1 min"


def ago(since: datetime, now: datetime | None = None) -> str:
    """Return the time since a moment in words: `3 hours ago`."""
    words = _ago(since, now, short=False)
    return f"{words} ago" if words else "just now"


def _ago(since: datetime, now: datetime | None, *, short: bool) -> str:
    seconds = ((now or datetime.now(UTC)) - since).total_seconds()
    for size, word, unit in _UNITS:
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}" if short else counted(number, word)
    return ""


def moment(at: datetime) -> str:
    """Return a time in full: `2026-11-22 09:30 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def votes(line: QueueRow) -> Tally:
    """Return the votes of a draft; the queue does not know the scores."""
    return Tally(ships=line.ships, skips=line.skips, scores=None)


def run_state(line: RunSummary) -> str:
    """Return the state of a run in words."""
    match line.state:
        case RunState.MAKING:
            return "being made"
        case RunState.DONE:
            return "done"
        case RunState.STOPPED:
            return "stopping" if line.at_work else "stopped"
    return {True: "running", False: "waiting to be resumed", None: "held by another machine"}[line.at_work]
