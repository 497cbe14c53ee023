"""A draft with all that happened to it, and how what happens next is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import delete, insert, select, update

from panel.core.draft_state import DraftState, advanced, fold
from panel.core.edits import Shown, edited
from panel.core.review import PanelReview
from panel.core.take import NoTake, Seat
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import now
from panel.store.events import RecordedEvent, add_event, events_of
from panel.store.findings import put_kinds
from panel.store.queue import columns_of
from panel.store.schema import drafts, takes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store.events import Event
    from panel.store.findings import Checked

REPLACED = "review"
"""Where an event that replaced what the panel made keeps what was there before."""


@dataclass(frozen=True)
class DraftHistory:
    """A draft with all that happened to it.

    Attributes:
        draft: its number.
        made: what the panel made.
        past: what happened to it, in order.
    """

    draft: int
    made: PanelReview
    past: list[RecordedEvent]

    @cached_property
    def standing(self) -> DraftState:
        """Where it stands."""
        return fold(self.past)

    @cached_property
    def shown(self) -> Shown:
        """What is shown."""
        return edited(self.made, self.standing.edits)

    def made_at(self, place: int) -> PanelReview:
        """Return what the panel had made when an event happened."""
        later = (event.payload[REPLACED] for event in self.past[place + 1 :] if REPLACED in event.payload)
        first = next(later, None)
        return self.made if first is None else PanelReview.model_validate(first)

    def shown_at(self, place: int) -> Shown:
        """Return what was shown when an event happened, that event included."""
        return edited(self.made_at(place), fold(self.past[: place + 1]).edits)


def desk_of(connection: Connection, draft: int, *, change: bool = False) -> DraftHistory:
    """Return a draft with all that happened to it.

    Args:
        connection: in a transaction, which sees one consistent state unless it writes.
        draft: the draft.
        change: whether it will be changed, so that nobody else changes it until the transaction has ended.

    Raises:
        StorageError: there is no such draft, or it is not what its events say.
    """
    query = select(drafts.c.review, drafts.c.shown).where(drafts.c.id == draft)
    row = connection.execute(query.with_for_update() if change else query).one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {draft}; see the queue for those that there are")
    try:
        desk = DraftHistory(draft, PanelReview.model_validate(row.review), events_of(connection, draft))
        sound = desk.shown.hash == desk.standing.shown == row.shown
    except (ValidationError, ValueError, GateError):
        sound = False
    if not sound:
        raise StorageError(
            f"draft {draft} is not what its events say; run panel db check, or restore a backup"
        )
    return desk


def keep(
    connection: Connection, desk: DraftHistory, event: Event, after: Shown, found: Checked
) -> DraftState:
    """Add what happened to a draft, and bring its row up to date; return where it stands.

    Args:
        connection: in a transaction in which the desk was read for a change.
        desk: the draft.
        event: what happened.
        after: what is shown since.
        found: what checks found in that.
    """
    add_event(connection, event)
    standing = advanced(desk.standing, event, len(desk.past))
    row = {
        "state": standing.state,
        "shown": standing.shown,
        "live": standing.live and standing.live.hash,
        "updated_at": now(),
        **columns_of(after.review),
        **found.columns,
    }
    if after.original is not desk.made:
        row["review"] = after.original.model_dump(mode="json")
        connection.execute(delete(takes).where(takes.c.draft_id == desk.draft))
        put_takes(connection, desk.draft, after.original)
    connection.execute(update(drafts).where(drafts.c.id == desk.draft).values(**row))
    put_kinds(connection, desk.draft, found)
    return standing


def put_takes(connection: Connection, draft: int, review: PanelReview) -> None:
    """Add a row for each seat of what the panel made."""
    connection.execute(insert(takes), [_take(draft, n, seat) for n, seat in enumerate(review.seats)])


def _take(draft: int, position: int, seat: Seat) -> dict[str, Any]:
    outcome = seat.outcome
    return {
        "draft_id": draft,
        "persona": seat.persona,
        "position": position,
        "verdict": seat.take.verdict if seat.take else None,
        "reason": outcome.reason if isinstance(outcome, NoTake) else None,
        "model": seat.provenance and seat.provenance.config.model,
        "prompt_digest": seat.provenance and seat.provenance.prompt_digest,
    }
