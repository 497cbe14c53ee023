"""One draft with its events: loaded, checked and changed in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import select, update

from panel.core.draft_edits import EditedReview, apply_edits
from panel.core.draft_state import DraftState, derive_state
from panel.core.review import PanelReview
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import now
from panel.store.draft_index import index_columns, write_open_kinds, write_takes
from panel.store.draft_locks import find_lock, release_lock
from panel.store.events import RecordedEvent, add_event, events_of
from panel.store.schema import drafts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.actor import Actor
    from panel.core.draft_state import DraftEvent
    from panel.store.draft_index import CheckResult

REPLACED = "review"
"""Payload key under which an event keeps the panel's review that it replaced."""


@dataclass(frozen=True)
class DraftRecord:
    """A draft as the panel made it, with its events.

    Attributes:
        made: the panel's review, with the answers of seats that were asked again.
        history: all events, in order.
    """

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
        first = next(later, None)
        return self.made if first is None else PanelReview.model_validate(first)

    def shown_at(self, place: int) -> EditedReview:
        """Return the review as it was shown after the event at an index."""
        return apply_edits(self.made_at(place), derive_state(self.history[: place + 1]).edits)


class DraftTransaction:
    """A draft inside a write transaction: nobody else changes it until the transaction ends.

    Attributes:
        record: the draft, with the events that were appended.
        lock: its lock, if it has one.
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


def load_draft(connection: Connection, draft: int, *, for_change: bool = False) -> DraftRecord:
    """Return a draft with its events.

    Args:
        connection: in a transaction.
        draft: its number.
        for_change: whether to lock its row until the transaction ends.

    Raises:
        NotFound: there is no such draft.
        StorageError: its row does not agree with its events.
    """
    query = select(drafts.c.review, drafts.c.shown).where(drafts.c.id == draft)
    row = connection.execute(query.with_for_update() if for_change else query).one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {draft}; see the queue for those that there are")
    try:
        made = PanelReview.model_validate(row.review)
        record = DraftRecord(draft, made, tuple(events_of(connection, draft)))
        is_sound = record.shown.hash == record.current.shown == row.shown
    except (ValidationError, ValueError, GateError):
        is_sound = False
    if not is_sound:
        raise StorageError(
            f"draft {draft} does not agree with its events; run panel db check, or restore a backup"
        )
    return record


def save_event(
    connection: Connection, record: DraftRecord, event: DraftEvent, after: EditedReview, result: CheckResult
) -> DraftRecord:
    """Add an event to a draft that was loaded for change, update its row, and return the draft since.

    Args:
        connection: in the same transaction.
        record: the draft before the event.
        event: the event.
        after: the review as it is shown since.
        result: the findings in that.
    """
    saved = DraftRecord(record.id, after.original, (*record.history, add_event(connection, event)))
    state = saved.current
    row = {
        "state": state.state,
        "shown": state.shown,
        "live": state.live and state.live.hash,
        "updated_at": now(),
        **index_columns(after.review, result),
    }
    if after.original is not record.made:
        row["review"] = after.original.model_dump(mode="json")
        write_takes(connection, record.id, after.original)
    connection.execute(update(drafts).where(drafts.c.id == record.id).values(**row))
    write_open_kinds(connection, record.id, result)
    return saved
