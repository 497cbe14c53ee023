"""What happens to drafts: a log that is only ever added to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy import insert, select

from panel.core.base import Frozen
from panel.store.columns import now
from panel.store.schema import events

if TYPE_CHECKING:
    from sqlalchemy import Connection

_EVENT = (events.c.draft_id.label("draft"), *(column for column in events.c if column.name != "draft_id"))


class Event(Frozen):
    """Something that happened to a draft.

    Attributes:
        draft: the draft.
        actor: who did it; `panel` for the program itself.
        kind: what was done: an `Action`, `drafted`, `revised`, or a note of another name.
        reason: why, in the actor's words.
        hash_before: digest of what was shown before; None for the first event.
        hash_after: digest of what is shown since.
        payload: what else belongs to it, as JSON.
    """

    draft: int
    actor: str
    kind: str
    reason: str | None = None
    hash_before: str | None = None
    hash_after: str
    payload: dict[str, Any] = Field(default_factory=dict)


class RecordedEvent(Event):
    """An event that is kept: its number, by which events are ordered, and when it was kept."""

    id: int
    at: datetime


def add_event(connection: Connection, event: Event) -> RecordedEvent:
    """Add an event, and return it with its number and time."""
    row, at = event.model_dump(mode="json", exclude={"draft"}), now()
    query = insert(events).values(draft_id=event.draft, at=at, **row).returning(events.c.id)
    number = int(connection.execute(query).scalar_one())
    return RecordedEvent(draft=event.draft, id=number, at=at, **row)


def events_of(connection: Connection, draft: int) -> list[RecordedEvent]:
    """Return all that happened to a draft, in order."""
    query = select(*_EVENT).where(events.c.draft_id == draft).order_by(events.c.id)
    return [RecordedEvent.model_validate(dict(row)) for row in connection.execute(query).mappings()]
