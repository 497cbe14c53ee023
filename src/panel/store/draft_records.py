"""One draft inside a transaction: its row, its events, its lock, and the rows that are derived from its review."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads the type of a field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError
from sqlalchemy import delete, insert, select, update

from panel.checks import Finding, unresolved
from panel.core.draft_edits import EditedReview, apply_edits
from panel.core.draft_state import DraftEvent, DraftState, derive_state
from panel.core.frozen import Frozen
from panel.core.review import PanelReview
from panel.core.take import NoTake, Seat
from panel.core.text import canonical
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import database_time, now
from panel.store.schema import draft_locks, drafts, events, open_kinds, takes
from panel.store.transactions import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from panel.core.actor import Actor
    from panel.core.finding import Resolution

REPLACED = "review"
"""Payload key under which an event keeps the panel's review that it replaced."""

UNCHECKED = -1
"""`open_findings` of a draft that was not checked; the two databases order NULL differently in an index."""

Checks: TypeAlias = Callable[[PanelReview], tuple[Finding, ...]]
"""Finds in a review, as it is shown, what an editor should look at; must be pure and quick, because other writes wait for it."""


class RecordedEvent(DraftEvent):
    """A stored event; events are ordered by id."""

    id: int
    at: datetime


class DraftLock(Frozen):
    """A draft that is reserved for one reader, by name, for a number of seconds unless they renew it."""

    draft: int
    holder: str
    seconds: float

    @property
    def minutes(self) -> int:
        """Minutes left, rounded up."""
        return math.ceil(self.seconds / 60)

    def is_of(self, name: str) -> bool:
        """Return whether the lock is a person's."""
        return canonical(self.holder) == canonical(name)


@dataclass(frozen=True)
class CheckResult:
    """Findings in a review, None if it was not checked, and those of them that are unresolved."""

    findings: tuple[Finding, ...] | None
    unresolved: tuple[Finding, ...]


@dataclass(frozen=True)
class DraftRecord:
    """A draft with all its events in order; `made` is the panel's review, with the answers of seats that were asked again."""

    id: int
    made: PanelReview
    history: tuple[RecordedEvent, ...]

    @cached_property
    def current(self) -> DraftState:
        """The state after all events."""
        return derive_state(self.history)

    @cached_property
    def shown(self) -> EditedReview:
        """The review with the edits in force."""
        return apply_edits(self.made, self.current.edits)

    def made_at(self, place: int) -> PanelReview:
        """Return the panel's review as it was after the event at an index."""
        later = (event.payload[REPLACED] for event in self.history[place + 1 :] if REPLACED in event.payload)
        replaced = next(later, None)
        return self.made if replaced is None else PanelReview.model_validate(replaced)

    def shown_at(self, place: int) -> EditedReview:
        """Return the review as it was shown after the event at an index."""
        return apply_edits(self.made_at(place), derive_state(self.history[: place + 1]).edits)


class DraftTransaction:
    """A draft inside a write transaction: nobody else changes it until the transaction ends.

    `record` has the events that were appended; `lock` is the draft's lock, if it has one.
    """

    def __init__(self, connection: Connection, draft: int) -> None:
        self._connection = connection
        self.record = load_draft(connection, draft, for_change=True)
        self.lock = find_lock(connection, draft)

    def append(self, event: DraftEvent, after: EditedReview, result: CheckResult) -> None:
        """Add an event and update the draft's row; `after` is the review as shown since, `result` its findings."""
        self.record = save_event(self._connection, self.record, event, after, result)

    def release(self, actor: Actor) -> None:
        """Release the draft's lock if it is the actor's."""
        release_lock(self._connection, self.record.id, actor)
        self.lock = find_lock(self._connection, self.record.id)


def run_checks(
    review: PanelReview, checks: Checks | None, resolutions: Iterable[Resolution] = ()
) -> CheckResult:
    """Return the findings in a review, and those that the resolutions leave unresolved."""
    if checks is None:
        return CheckResult(None, ())
    findings = checks(review)
    return CheckResult(findings, unresolved(findings, resolutions))


def load_draft(connection: Connection, draft: int, *, for_change: bool = False) -> DraftRecord:
    """Return a draft with its events; `for_change` locks its row until the transaction ends.

    Raises:
        NotFound: there is no such draft.
        StorageError: its row does not agree with its events.
    """
    query = select(drafts.c.review, drafts.c.shown).where(drafts.c.id == draft)
    row = connection.execute(query.with_for_update() if for_change else query).one_or_none()
    if row is None:
        raise missing_draft(draft)
    columns = (each for each in events.c if each is not events.c.draft_id)
    log = select(events.c.draft_id.label("draft"), *columns).where(events.c.draft_id == draft)
    try:
        made = PanelReview.model_validate(row.review)
        record = DraftRecord(draft, made, tuple(load(connection, RecordedEvent, log.order_by(events.c.id))))
        is_sound = record.shown.hash == record.current.shown == row.shown
    except (ValidationError, ValueError, GateError):
        is_sound = False
    if not is_sound:
        raise StorageError(
            f"draft {draft} does not agree with its events; run panel db check, or restore a backup"
        )
    return record


def missing_draft(draft: int) -> NotFound:
    """Return the error for a draft that does not exist."""
    return NotFound(f"there is no draft {draft}; see the queue for those that there are")


def add_event(connection: Connection, event: DraftEvent) -> RecordedEvent:
    """Store an event and return it with its id and time."""
    row, at = event.model_dump(mode="json", exclude={"draft"}), now()
    query = insert(events).values(draft_id=event.draft, at=at, **row).returning(events.c.id)
    number = int(connection.execute(query).scalar_one())
    return RecordedEvent(draft=event.draft, id=number, at=at, **row)


def save_event(
    connection: Connection, record: DraftRecord, event: DraftEvent, after: EditedReview, result: CheckResult
) -> DraftRecord:
    """Add an event to a draft that was loaded for change, update its row, and return the new record.

    `after` is the review as it is shown after the event, `result` its findings.
    """
    saved = DraftRecord(record.id, after.original, (*record.history, add_event(connection, event)))
    state = saved.current
    row = {
        "state": state.state,
        "shown": state.shown,
        "live": state.live and state.live.hash,
        "updated_at": now(),
        **review_columns(after.review),
        **finding_columns(result),
    }
    if after.original is not record.made:
        row["review"] = after.original.model_dump(mode="json")
        write_takes(connection, record.id, after.original)
    connection.execute(update(drafts).where(drafts.c.id == record.id).values(**row))
    write_open_kinds(connection, record.id, result)
    return saved


def review_columns(review: PanelReview) -> dict[str, Any]:
    """Return the columns of a draft that are derived from the review that is shown."""
    tally = review.tally
    return {
        "category": review.tool.category,
        "ships": tally.ships,
        "skips": tally.skips,
        "margin": abs(tally.ships - tally.skips),
        "cost_usd": review.usage.cost_usd,
    }


def finding_columns(result: CheckResult) -> dict[str, int]:
    """Return the columns of a draft that are derived from its findings."""
    return {"open_findings": UNCHECKED if result.findings is None else len(result.unresolved)}


def write_open_kinds(connection: Connection, draft: int, result: CheckResult) -> None:
    """Write the kinds of a draft's unresolved findings."""
    connection.execute(delete(open_kinds).where(open_kinds.c.draft_id == draft))
    if kinds := {finding.kind for finding in result.unresolved}:
        connection.execute(insert(open_kinds), [{"draft_id": draft, "kind": kind} for kind in sorted(kinds)])


def write_takes(connection: Connection, draft: int, review: PanelReview) -> None:
    """Write a row for each seat of the panel's own review."""
    connection.execute(delete(takes).where(takes.c.draft_id == draft))
    connection.execute(insert(takes), [_take_row(draft, n, seat) for n, seat in enumerate(review.seats)])


def _take_row(draft: int, position: int, seat: Seat) -> dict[str, Any]:
    return {
        "draft_id": draft,
        "persona": seat.persona,
        "position": position,
        "verdict": seat.take.verdict if seat.take else None,
        "reason": seat.outcome.reason if isinstance(seat.outcome, NoTake) else None,
        "model": seat.provenance and seat.provenance.config.model,
        "prompt_digest": seat.provenance and seat.provenance.prompt_digest,
    }


def find_lock(connection: Connection, draft: int) -> DraftLock | None:
    """Return the lock of a draft, or None if it has none."""
    row = connection.execute(select(draft_locks).where(draft_locks.c.draft_id == draft)).one_or_none()
    left = row.until - database_time(connection) if row else 0.0
    return DraftLock(draft=draft, holder=row.holder, seconds=left) if row and left > 0 else None


def release_lock(connection: Connection, draft: int, actor: Actor) -> None:
    """Release the lock of a draft if it is the actor's."""
    found = find_lock(connection, draft)
    if found and found.is_of(actor.name):
        connection.execute(delete(draft_locks).where(draft_locks.c.draft_id == draft))
