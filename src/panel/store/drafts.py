"""Drafts: reviews that were kept, and how one takes the place of another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import insert, or_, select, update

from panel.core.actor import PANEL
from panel.core.base import Frozen
from panel.core.draft_edits import EditedReview, apply_edits
from panel.core.draft_state import DRAFTED, REVISED, Action, State
from panel.core.review import PanelReview, fills_in, says_the_same
from panel.core.take import NoTakeReason
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import now
from panel.store.draft_locks import DraftLock, find_lock
from panel.store.draft_records import (
    REPLACED,
    DraftRecord,
    DraftTransaction,
    load_draft,
    put_takes,
    save_event,
)
from panel.store.events import Event, RecordedEvent, add_event, events_of
from panel.store.findings import checked, put_kinds
from panel.store.queue import columns_of
from panel.store.repository import Repository
from panel.store.runs import mark_done
from panel.store.schema import drafts, run_tools, takes, tool_versions, tools

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from panel.core.tool import Tool
    from panel.store.findings import Checked, Checks

    T = TypeVar("T")

_ACTIONS = frozenset(map(str, Action))


class DraftSummary(Frozen):
    """A draft as a list shows it.

    Attributes:
        id: its number.
        run: the run it is of.
        version: the number of the tool's version.
        name: the tool's name as it was listed last.
        slug: likewise.
        review_id: `PanelReview.id`.
        shown: digest of all that an editor is shown.
        state: where it is on its way to publication.
        drafted_at: when it was made.
    """

    id: int
    run: int
    version: int
    name: str
    slug: str
    review_id: str
    shown: str
    state: State
    drafted_at: datetime


class Draft(DraftSummary):
    """A draft with its review, as the panel made it."""

    review: PanelReview


class Drafts(Repository):
    """Drafts and events."""

    async def put(
        self,
        review: PanelReview,
        run: int,
        version: int,
        *,
        anew: bool = False,
        checks: Checks | None = None,
    ) -> int:
        """Keep a review as a draft, with its takes and its first event, mark the tool done, and return the draft's number.

        A review that says the same as a draft of the same tool and panel is kept once: that draft's number is returned. One
        that keeps its takes and fills seats that had failed takes its place, by an event that holds what was there before, and is
        reviewed again if it had been approved; one that the same run asked for again, and that is no better, is not kept.

        Args:
            review: what was reviewed.
            run: the run it is of.
            version: the number of the tool's version.
            anew: whether drafts of other runs are left alone.
            checks: what finds in it what an editor should look at; None to check nothing.

        Raises:
            StorageError: the run has a draft of another review of this tool, or it was not committed.
        """
        row = {
            "run_id": run,
            "version_id": version,
            "shown": EditedReview(original=review, review=review).hash,
            **columns_of(review),
        }
        return await self._db.write(lambda connection: _put(connection, review, row, checks, anew=anew))

    async def complete(self, review_ids: Collection[str]) -> dict[str, DraftSummary]:
        """Return the latest draft without a failed seat of each of those reviews that have one, by `PanelReview.id`."""
        failed = takes.c.reason.is_not(None) & (takes.c.reason != NoTakeReason.RECUSED)
        incomplete = select(takes.c.draft_id).where(takes.c.draft_id == drafts.c.id, failed).exists()
        query = select(*_LINE).join_from(drafts, tools)
        query = query.where(drafts.c.review_id.in_(review_ids), ~incomplete)
        found = await self._db.read(lambda connection: _lines(connection, query.order_by(drafts.c.id)))
        return {line.review_id: line for line in found}

    async def get(self, draft: int) -> Draft:
        """Return a draft.

        Raises:
            StorageError: there is none of this number, or it cannot be read.
        """
        found = await self._db.read(lambda connection: _draft(connection, draft))
        if found is None:
            raise NotFound(f"{self._db.where} holds no draft {draft}")
        return found

    async def of_tool(self, run: int, tool: Tool) -> Draft | None:
        """Return a run's draft of a tool, or None if it has none."""
        query = select(*_LINE, drafts.c.review).join_from(drafts, tools)
        query = query.where(drafts_of(run), tools.c.canonical == tool.canonical)
        return await self._db.read(lambda connection: _one(connection, query))

    async def page(self, run: int | None = None, *, after: int = 0, limit: int = 50) -> list[DraftSummary]:
        """Return drafts, of one run or of all, the oldest first; `after` is the last number of the page before."""
        query = select(*_LINE).join_from(drafts, tools).where(drafts.c.id > after)
        if run is not None:
            query = query.where(drafts_of(run))
        query = query.order_by(drafts.c.id).limit(limit)
        return await self._db.read(lambda connection: _lines(connection, query))

    async def add_note(self, event: Event) -> int:
        """Add a note of what happened to a draft, and return the event's number; an action is carried out by the approval service.

        Raises:
            GateError: the draft is not what the actor was shown.
            ValueError: it is an action.
            StorageError: there is no such draft, or it was not committed.
        """
        if event.kind in _ACTIONS or event.kind in {DRAFTED, REVISED}:
            raise ValueError(f"{event.kind} is no note")
        return await self._db.write(lambda connection: _append(connection, event))

    async def events(self, draft: int) -> list[RecordedEvent]:
        """Return all that happened to a draft, in order."""
        return await self._db.read(lambda connection: events_of(connection, draft))

    async def read(self, draft: int, work: Callable[[DraftRecord, DraftLock | None], T]) -> T:
        """Return the result of work on a draft and its lock, both of one moment.

        Raises:
            NotFound: there is no such draft.
            StorageError: it was altered outside of panel, or cannot be read.
        """
        return await self._db.read(
            lambda connection: work(load_draft(connection, draft), find_lock(connection, draft))
        )

    async def change(self, draft: int, work: Callable[[DraftTransaction], T]) -> T:
        """Return the result of work on a draft in a write transaction, once that is committed.

        The work must raise its refusals, as `GateError`, before it appends anything.

        Raises:
            GateError: the work refused.
            NotFound: there is no such draft.
            StorageError: it was altered outside of panel, or was not committed.
        """

        def result_or_refusal(connection: Connection) -> T | GateError:
            transaction = DraftTransaction(connection, draft)
            try:
                return work(transaction)
            except GateError as refusal:
                # Raised here, it would roll back other work that shares the transaction.
                return refusal

        outcome = await self._db.write(result_or_refusal)
        if isinstance(outcome, GateError):
            raise outcome
        return outcome


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
_KEPT = select(drafts.c.id, drafts.c.review)


def _lines(connection: Connection, query: Select[Any]) -> list[DraftSummary]:
    return [DraftSummary.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def _put(
    connection: Connection, review: PanelReview, row: dict[str, Any], checks: Checks | None, *, anew: bool
) -> int:
    run, version = row["run_id"], row["version_id"]
    tool_id = connection.scalar(select(tool_versions.c.tool_id).where(tool_versions.c.id == version))
    if tool_id is None:
        raise StorageError(f"there is no version {version} of a tool, so that nothing can be a draft of it")
    place = _in_place(connection, review, run, tool_id, anew=anew)
    if place is None:
        draft = _add(connection, review, {"tool_id": tool_id, **row}, checked(review, checks))
    else:
        draft, earlier = place
        if fills_in(earlier, review):
            _revise(connection, draft, review, checks)
    mark_done(connection, run, version, draft)
    return draft


def _in_place(
    connection: Connection, review: PanelReview, run: int, tool_id: int, *, anew: bool
) -> tuple[int, PanelReview] | None:
    """Return the draft that a review is or becomes, with what it holds; None if the review needs one of its own."""
    own = _own(connection, run, tool_id)
    known = own if own is not None or anew else _same(connection, review)
    if known is None:
        return None
    earlier = PanelReview.model_validate(known.review)
    if earlier.id != review.id:
        raise StorageError(
            f"run {run} has a draft of {review.tool.name} already; begin a new run for another"
        )
    is_it = own is not None or fills_in(earlier, review) or says_the_same(earlier, review)
    return (int(known.id), earlier) if is_it else None


def _own(connection: Connection, run: int, tool_id: int) -> Row[Any, Any] | None:
    """Return the run's draft of a tool, whichever run made it."""
    mine = drafts_of(run) & (drafts.c.tool_id == tool_id)
    return connection.execute(_KEPT.where(mine).order_by(drafts.c.id.desc()).limit(1)).one_or_none()


def _same(connection: Connection, review: PanelReview) -> Row[Any, Any] | None:
    """Return the latest draft of the same question to the same panel."""
    same = _KEPT.where(drafts.c.review_id == review.id).order_by(drafts.c.id.desc()).limit(1)
    return connection.execute(same).one_or_none()


def drafts_of(run: int) -> ColumnElement[bool]:
    """Return the condition that a draft is a run's: made by it, or by another one of the same question to the same panel."""
    listed = select(run_tools.c.draft_id).where(run_tools.c.run_id == run)
    return or_(drafts.c.run_id == run, drafts.c.id.in_(listed))


def _add(connection: Connection, review: PanelReview, place: dict[str, Any], found: Checked) -> int:
    moment = now()
    row = {
        "review_id": review.id,
        "review": review.model_dump(mode="json"),
        "state": State.DRAFTED,
        "drafted_at": moment,
        "updated_at": moment,
        **place,
        **found.columns,
    }
    draft = int(connection.execute(insert(drafts).values(**row).returning(drafts.c.id)).scalar_one())
    put_takes(connection, draft, review)
    put_kinds(connection, draft, found)
    add_event(connection, Event(draft=draft, actor=PANEL, kind=DRAFTED, hash_after=row["shown"]))
    return draft


def _revise(connection: Connection, draft: int, review: PanelReview, checks: Checks | None) -> None:
    record = load_draft(connection, draft, for_change=True)
    after = apply_edits(review, record.current.edits)
    # The reports of every run that has this draft are out of date.
    connection.execute(update(run_tools).where(run_tools.c.draft_id == draft).values(reported=False))
    event = Event(
        draft=draft,
        actor=PANEL,
        kind=REVISED,
        reason="seats that had failed were asked again",
        hash_before=record.current.shown,
        hash_after=after.hash,
        payload={REPLACED: record.made.model_dump(mode="json")},
    )
    save_event(connection, record, event, after, checked(after.review, checks, record.current.resolutions))


def _append(connection: Connection, event: Event) -> int:
    shown = connection.scalar(select(drafts.c.shown).where(drafts.c.id == event.draft).with_for_update())
    if shown is None:
        raise StorageError(f"there is no draft {event.draft}, so that nothing can have happened to it")
    if not event.hash_before == event.hash_after == shown:
        raise GateError(f"draft {event.draft} has changed since it was shown; look at it again")
    return add_event(connection, event).id


def _draft(connection: Connection, draft: int) -> Draft | None:
    query = select(*_LINE, drafts.c.review).join_from(drafts, tools).where(drafts.c.id == draft)
    return _one(connection, query)


def _one(connection: Connection, query: Select[Any]) -> Draft | None:
    row = connection.execute(query).mappings().one_or_none()
    return Draft.model_validate(dict(row)) if row else None
