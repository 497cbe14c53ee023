"""The append-only log of events of drafts."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the type of a field
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from panel.core.draft_state import DraftEvent
from panel.store.columns import now
from panel.store.schema import events

if TYPE_CHECKING:
    from sqlalchemy import Connection


class RecordedEvent(DraftEvent):
    """A stored event; events are ordered by id."""

    id: int
    at: datetime


def add_event(connection: Connection, event: DraftEvent) -> RecordedEvent:
    """Store an event and return it with its id and time."""
    row, at = event.model_dump(mode="json", exclude={"draft"}), now()
    query = insert(events).values(draft_id=event.draft, at=at, **row).returning(events.c.id)
    number = int(connection.execute(query).scalar_one())
    return RecordedEvent(draft=event.draft, id=number, at=at, **row)


def events_of(connection: Connection, draft: int) -> list[RecordedEvent]:
    """Return all events of a draft, in order."""
    query = select(events.c.draft_id.label("draft"), *(each for each in events.c if each.name != "draft_id"))
    rows = connection.execute(query.where(events.c.draft_id == draft).order_by(events.c.id)).mappings()
    return [RecordedEvent.model_validate(dict(row)) for row in rows]
