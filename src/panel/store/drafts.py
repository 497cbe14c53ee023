"""Drafts, their takes, and all that ever happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy import insert, select

from panel.domain.base import Frozen, digest_of
from panel.domain.review import PanelReview
from panel.domain.take import NoTake, Seat
from panel.errors import GateError, StorageError
from panel.store.access import Access
from panel.store.columns import insert_new, now
from panel.store.runs import mark_done
from panel.store.schema import drafts, events, takes, tool_versions, tools

if TYPE_CHECKING:
    from sqlalchemy import Connection

DRAFTED = "drafted"
PANEL = "panel"


class DraftLine(Frozen):
    """A draft as a list shows it.

    Attributes:
        id: its number.
        run: the run it is of.
        version: the number of the tool's version.
        name: the tool's name as it was listed last.
        slug: likewise.
        review_id: `PanelReview.id`.
        shown: digest of all that an editor is shown.
        state: what state it is in.
        drafted_at: when it was made.
    """

    id: int
    run: int
    version: int
    name: str
    slug: str
    review_id: str
    shown: str
    state: str
    drafted_at: datetime


class Draft(DraftLine):
    """A draft with its review."""

    review: PanelReview


class Event(Frozen):
    """Something that happened to a draft.

    Attributes:
        draft: the draft.
        actor: who did it; `panel` for the program itself.
        kind: what was done, such as `drafted`.
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


class PastEvent(Event):
    """An event that is kept: its number, by which events are ordered, and when it was kept."""

    id: int
    at: datetime


class Drafts(Access):
    """Drafts and events."""

    async def put_draft(self, review: PanelReview, run: int, version: int) -> int:
        """Keep a review as the run's draft of a tool, with its takes and its first event, and mark the tool done.

        The same review is kept once: its number is returned again.

        Raises:
            StorageError: the run has a draft of another review of this tool, or it was not committed.
        """
        return await self._write(lambda connection: _put(connection, review, run, version))

    async def draft(self, draft: int) -> Draft:
        """Return a draft.

        Raises:
            StorageError: there is none of this number, or it cannot be read.
        """
        found = await self._read(lambda connection: _draft(connection, draft))
        if found is None:
            raise StorageError(f"{self._database.where} holds no draft {draft}")
        return found

    async def drafts(self, run: int | None = None, *, after: int = 0, limit: int = 50) -> list[DraftLine]:
        """Return drafts, of one run or of all, the oldest first; `after` is the last number of the page before."""
        query = select(*_LINE).join_from(drafts, tools).where(drafts.c.id > after)
        if run is not None:
            query = query.where(drafts.c.run_id == run)
        query = query.order_by(drafts.c.id).limit(limit)
        return await self._read(
            lambda connection: [
                DraftLine.model_validate(dict(row)) for row in connection.execute(query).mappings()
            ]
        )

    async def append_event(self, event: Event) -> int:
        """Add what happened to a draft, and return the event's number.

        Raises:
            GateError: the draft is not what the actor was shown.
            StorageError: there is no such draft, or it was not committed.
        """
        return await self._write(lambda connection: _append(connection, event))

    async def events(self, draft: int) -> list[PastEvent]:
        """Return all that happened to a draft, in order."""
        query = select(*_EVENT).where(events.c.draft_id == draft).order_by(events.c.id)
        return await self._read(
            lambda connection: [
                PastEvent.model_validate(dict(row)) for row in connection.execute(query).mappings()
            ]
        )


_LINE = (
    drafts.c.id,
    drafts.c.run_id.label("run"),
    drafts.c.version_id.label("version"),
    tools.c.name,
    tools.c.slug,
    drafts.c.review_id,
    drafts.c.shown,
    drafts.c.state,
    drafts.c.drafted_at,
)
_EVENT = (events.c.draft_id.label("draft"), *(column for column in events.c if column.name != "draft_id"))


def shown_hash(review: PanelReview) -> str:
    """Return the digest of all that a page may show of a review."""
    return digest_of(review.model_dump(mode="json"))


def _put(connection: Connection, review: PanelReview, run: int, version: int) -> int:
    tool_id = connection.scalar(select(tool_versions.c.tool_id).where(tool_versions.c.id == version))
    if tool_id is None:
        raise StorageError(f"there is no version {version} of a tool, so that nothing can be a draft of it")
    row = {
        "run_id": run,
        "tool_id": tool_id,
        "version_id": version,
        "review_id": review.id,
        "review": review.model_dump(mode="json"),
        "shown": shown_hash(review),
        "state": DRAFTED,
        "drafted_at": now(),
    }
    query = insert_new(connection, drafts).values(**row).returning(drafts.c.id)
    draft = connection.execute(query).scalar_one_or_none()
    if draft is None:
        return _same(connection, review, run, tool_id)
    connection.execute(insert(takes), [_take(draft, n, seat) for n, seat in enumerate(review.seats)])
    _add_event(connection, Event(draft=draft, actor=PANEL, kind=DRAFTED, hash_after=row["shown"]))
    mark_done(connection, run, version)
    return int(draft)


def _same(connection: Connection, review: PanelReview, run: int, tool_id: int) -> int:
    mine = (drafts.c.run_id == run) & (drafts.c.tool_id == tool_id)
    known = connection.execute(select(drafts.c.id, drafts.c.review_id).where(mine)).one()
    if known.review_id != review.id:
        raise StorageError(
            f"run {run} has a draft of {review.tool.name} already; begin a new run for another"
        )
    return int(known.id)


def _take(draft: int, position: int, seat: Seat) -> dict[str, Any]:
    outcome = seat.outcome
    return {
        "draft_id": draft,
        "persona": seat.persona,
        "position": position,
        "kind": outcome.kind,
        "verdict": seat.take.verdict if seat.take else None,
        "score": seat.take.score if seat.take else None,
        "reason": outcome.reason if isinstance(outcome, NoTake) else None,
        "call_key": _call_key(seat),
    }


def _call_key(seat: Seat) -> str | None:
    """Return the key of the step that was asked last, as `panel.domain.journal.key_of` makes it."""
    if seat.provenance is None:
        return None
    return digest_of([seat.provenance.prompt_digest, seat.provenance.config.model_dump(mode="json")])


def _append(connection: Connection, event: Event) -> int:
    shown = connection.scalar(select(drafts.c.shown).where(drafts.c.id == event.draft).with_for_update())
    if shown is None:
        raise StorageError(f"there is no draft {event.draft}, so that nothing can have happened to it")
    if event.hash_before != shown:
        raise GateError(f"draft {event.draft} has changed since it was shown; look at it again")
    return _add_event(connection, event)


def _add_event(connection: Connection, event: Event) -> int:
    row = event.model_dump(mode="json", exclude={"draft"})
    query = insert(events).values(draft_id=event.draft, at=now(), **row).returning(events.c.id)
    return int(connection.execute(query).scalar_one())


def _draft(connection: Connection, draft: int) -> Draft | None:
    query = select(*_LINE, drafts.c.review).join_from(drafts, tools).where(drafts.c.id == draft)
    row = connection.execute(query).mappings().one_or_none()
    return Draft.model_validate(dict(row)) if row else None
