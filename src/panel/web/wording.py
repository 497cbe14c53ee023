"""What pages say, where they say it in more than one place; templates use all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from panel.core.draft_rules import Action, State
from panel.core.money import dollars
from panel.core.tally import Tally
from panel.report.wording import counted
from panel.store import Order, RunState, Split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.store import QueueRow, RunSummary

__all__ = [
    "DONE",
    "EMPTY",
    "HAPPENED",
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
    State.DRAFTED: "No new drafts. Whatever panel review or panel batch run makes next will wait here.",
    State.IN_REVIEW: "Nobody is in the middle of a review. Drafts come here once somebody edits or ticks something in them.",
    State.CHANGES_REQUESTED: "No changes are asked for.",
    State.APPROVED: "Nothing is waiting to be published.",
    State.PUBLISHED: "Nothing is published yet. Approve a draft, then publish it.",
    State.REJECTED: "Nothing was rejected.",
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

DONE: Mapping[str, str] = {
    Action.OPEN: "Reopened",
    Action.EDIT: "Edited",
    Action.TICK: "Ticked a finding of",
    Action.RERUN_SEAT: "Asked a seat again for",
    Action.APPROVE: "Approved",
    Action.REQUEST_CHANGES: "Requested changes to",
    Action.REJECT: "Rejected",
    Action.PUBLISH: "Published",
    Action.RETRACT: "Retracted",
    Action.UNDO: "Undid a step of",
}
"""What was done, before the name of a tool."""

HAPPENED: Mapping[str, str] = {
    **DONE,
    "drafted": "Drafted",
    "revised": "Revised by the program",
    Action.EDIT: "Edited",
    Action.TICK: "Ticked a finding",
    Action.RERUN_SEAT: "Asked a seat again",
    Action.REQUEST_CHANGES: "Requested changes",
    Action.UNDO: "Undid a step",
    Action.TAKE_OVER: "Took the draft over",
}
"""What was done, by itself."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = ((_DAY, "day", "d"), (_HOUR, "hour", "h"), (_MINUTE, "minute", "min"))


def age(since: datetime, now: datetime | None = None) -> str:
    """Return how long something is ago, in its largest unit: `3 h`; `now` is the present unless given."""
    return _ago(since, now, short=True) or "< 1 min"


def ago(since: datetime, now: datetime | None = None) -> str:
    """Return how long something is ago, in a sentence: `3 hours ago`."""
    told = _ago(since, now, short=False)
    return f"{told} ago" if told else "just now"


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
    """Return the votes of a draft as the queue knows them, which is without the scores."""
    return Tally(ships=line.ships, skips=line.skips, scores=None)


def run_state(line: RunSummary) -> str:
    """Return where a run is."""
    match line.state:
        case RunState.MAKING:
            return "being made"
        case RunState.DONE:
            return "done"
        case RunState.STOPPED:
            return "stopping" if line.at_work else "stopped"
    return {True: "running", False: "waiting to be resumed", None: "held by another machine"}[line.at_work]
