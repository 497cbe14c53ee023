"""Drafts, their takes, and all that ever happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy import delete, insert, or_, select, update

from panel.domain.base import Frozen, digest_of
from panel.domain.review import PanelReview, fills_in, says_the_same
from panel.domain.take import NoTake, NoTakeReason, Seat
from panel.errors import GateError, StorageError
from panel.store.access import Access
from panel.store.columns import now
from panel.store.runs import mark_done
from panel.store.schema import drafts, events, run_tools, takes, tool_versions, tools

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from panel.domain.tool import Tool

DRAFTED = "drafted"
REVISED = "revised"
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

    async def put_draft(self, review: PanelReview, run: int, version: int, *, anew: bool = False) -> int:
        """Keep a review as a draft, with its takes and its first event, mark the tool done, and return the draft's number.

        A review that says the same as a draft of the same tool and panel is kept once: that draft's number is returned. One
        that keeps its takes and fills seats that had failed takes its place, by an event that holds what those seats were; one that
        the same run asked for again, and that is no better, is not kept.

        Args:
            review: what was reviewed.
            run: the run it is of.
            version: the number of the tool's version.
            anew: whether drafts of other runs are left alone.

        Raises:
            StorageError: the run has a draft of another review of this tool, or it was not committed.
        """
        return await self._write(lambda connection: _put(connection, review, run, version, anew=anew))

    async def drafted(self, review_ids: Collection[str]) -> dict[str, DraftLine]:
        """Return the latest draft without a failed seat of each of those reviews that have one, by `PanelReview.id`."""
        failed = takes.c.reason.is_not(None) & (takes.c.reason != NoTakeReason.RECUSED)
        incomplete = select(takes.c.draft_id).where(takes.c.draft_id == drafts.c.id, failed).exists()
        query = select(*_LINE).join_from(drafts, tools)
        query = query.where(drafts.c.review_id.in_(review_ids), ~incomplete)
        found = await self._read(lambda connection: _lines(connection, query.order_by(drafts.c.id)))
        return {line.review_id: line for line in found}

    async def draft(self, draft: int) -> Draft:
        """Return a draft.

        Raises:
            StorageError: there is none of this number, or it cannot be read.
        """
        found = await self._read(lambda connection: _draft(connection, draft))
        if found is None:
            raise StorageError(f"{self._database.where} holds no draft {draft}")
        return found

    async def draft_of(self, run: int, tool: Tool) -> Draft | None:
        """Return a run's draft of a tool, or None if it has none."""
        query = select(*_LINE, drafts.c.review).join_from(drafts, tools)
        query = query.where(drafts_of(run), tools.c.canonical == tool.canonical)
        return await self._read(lambda connection: _one(connection, query))

    async def drafts(self, run: int | None = None, *, after: int = 0, limit: int = 50) -> list[DraftLine]:
        """Return drafts, of one run or of all, the oldest first; `after` is the last number of the page before."""
        query = select(*_LINE).join_from(drafts, tools).where(drafts.c.id > after)
        if run is not None:
            query = query.where(drafts_of(run))
        query = query.order_by(drafts.c.id).limit(limit)
        return await self._read(lambda connection: _lines(connection, query))

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
_KEPT = select(drafts.c.id, drafts.c.review, drafts.c.shown)
_EVENT = (events.c.draft_id.label("draft"), *(column for column in events.c if column.name != "draft_id"))


def shown_hash(review: PanelReview) -> str:
    """Return the digest of all that a page may show of a review."""
    return digest_of(review.model_dump(mode="json"))


def _lines(connection: Connection, query: Select[Any]) -> list[DraftLine]:
    return [DraftLine.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def _put(connection: Connection, review: PanelReview, run: int, version: int, *, anew: bool) -> int:
    tool_id = connection.scalar(select(tool_versions.c.tool_id).where(tool_versions.c.id == version))
    if tool_id is None:
        raise StorageError(f"there is no version {version} of a tool, so that nothing can be a draft of it")
    draft = _in_place(connection, review, run, tool_id, anew=anew)
    if draft is None:
        draft = _add(connection, review, run, tool_id, version)
    mark_done(connection, run, version, draft)
    return draft


def _in_place(
    connection: Connection, review: PanelReview, run: int, tool_id: int, *, anew: bool
) -> int | None:
    """Return the draft that a review is or becomes; None if it needs one of its own."""
    own = _own(connection, run, tool_id)
    known = own if own is not None or anew else _same(connection, review)
    if known is None:
        return None
    earlier = PanelReview.model_validate(known.review)
    if earlier.id != review.id:
        raise StorageError(
            f"run {run} has a draft of {review.tool.name} already; begin a new run for another"
        )
    if fills_in(earlier, review):
        return _revise(connection, known, earlier, review)
    return int(known.id) if own is not None or says_the_same(earlier, review) else None


def _own(connection: Connection, run: int, tool_id: int) -> Row[Any, Any, Any] | None:
    """Return the run's draft of a tool, whichever run made it."""
    mine = drafts_of(run) & (drafts.c.tool_id == tool_id)
    return connection.execute(_KEPT.where(mine).order_by(drafts.c.id.desc()).limit(1)).one_or_none()


def _same(connection: Connection, review: PanelReview) -> Row[Any, Any, Any] | None:
    """Return the latest draft of the same question to the same panel."""
    same = _KEPT.where(drafts.c.review_id == review.id).order_by(drafts.c.id.desc()).limit(1)
    return connection.execute(same).one_or_none()


def drafts_of(run: int) -> ColumnElement[bool]:
    """Return the condition that a draft is a run's: made by it, or by another one of the same question to the same panel."""
    listed = select(run_tools.c.draft_id).where(run_tools.c.run_id == run)
    return or_(drafts.c.run_id == run, drafts.c.id.in_(listed))


def _add(connection: Connection, review: PanelReview, run: int, tool_id: int, version: int) -> int:
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
    draft = int(connection.execute(insert(drafts).values(**row).returning(drafts.c.id)).scalar_one())
    _put_takes(connection, draft, review)
    _add_event(connection, Event(draft=draft, actor=PANEL, kind=DRAFTED, hash_after=row["shown"]))
    return draft


def _revise(
    connection: Connection, known: Row[Any, Any, Any], earlier: PanelReview, review: PanelReview
) -> int:
    shown = shown_hash(review)
    row = {"review": review.model_dump(mode="json"), "shown": shown}
    connection.execute(update(drafts).where(drafts.c.id == known.id).values(**row))
    connection.execute(delete(takes).where(takes.c.draft_id == known.id))
    # The reports of every run that has this draft are out of date.
    connection.execute(update(run_tools).where(run_tools.c.draft_id == known.id).values(reported=False))
    _put_takes(connection, known.id, review)
    failed = [seat.model_dump(mode="json") for seat in earlier.seats if seat.failed]
    event = Event(
        draft=known.id,
        actor=PANEL,
        kind=REVISED,
        reason="seats that had failed were asked again",
        hash_before=known.shown,
        hash_after=shown,
        payload={"seats": failed},
    )
    _add_event(connection, event)
    return int(known.id)


def _put_takes(connection: Connection, draft: int, review: PanelReview) -> None:
    connection.execute(insert(takes), [_take(draft, n, seat) for n, seat in enumerate(review.seats)])


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
        "model": seat.provenance and seat.provenance.config.model,
        "prompt_digest": seat.provenance and seat.provenance.prompt_digest,
    }


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
    return _one(connection, query)


def _one(connection: Connection, query: Select[Any]) -> Draft | None:
    row = connection.execute(query).mappings().one_or_none()
    return Draft.model_validate(dict(row)) if row else None
