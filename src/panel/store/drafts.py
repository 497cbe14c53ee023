"""Drafts: storing reviews, replacing failed seats, and reading or changing one draft in a transaction."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import insert, or_, select, update

from panel.core.actor import PANEL
from panel.core.draft_edits import EditedReview, apply_edits
from panel.core.draft_state import DRAFTED, REVISED, DraftEvent, State
from panel.core.frozen import Frozen
from panel.core.review import PanelReview, fills_in, says_the_same
from panel.core.take import NoTakeReason
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import now
from panel.store.draft_index import index_columns, run_checks, write_open_kinds, write_takes
from panel.store.draft_locks import DraftLock, find_lock
from panel.store.draft_records import REPLACED, DraftRecord, DraftTransaction, load_draft, save_event
from panel.store.events import RecordedEvent, add_event, events_of
from panel.store.repository import Repository, reads, writes
from panel.store.runs import mark_done
from panel.store.schema import drafts, run_tools, takes, tool_versions, tools

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from panel.core.tool import Tool
    from panel.store.draft_index import Checks

    T = TypeVar("T")


class DraftSummary(Frozen):
    """A draft without its review, under the tool's latest name; `version` is the id of the tool's version, `shown` the digest of what is shown."""

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
    """A draft with the panel's review."""

    review: PanelReview


class Drafts(Repository):
    """Drafts and their events."""

    @writes
    def put(  # noqa: PLR0913 - a place in a run, and two options
        self,
        connection: Connection,
        review: PanelReview,
        run: int,
        version: int,
        *,
        anew: bool = False,
        checks: Checks | None = None,
    ) -> int:
        """Store a review as a draft, mark its tool as done in the run, and return the draft's id.

        If there is a draft of the same tool and panel, a review that says the same is not stored again. A review that keeps its takes and fills in
        failed seats replaces it; the event holds the replaced review, and an approved draft returns to review. A review by
        which the same run fills in no seat is dropped.

        `version` is the id of the tool's version; `anew` ignores drafts of other runs; without `checks` the draft stays unchecked.
        """
        tool_id = connection.scalar(select(tool_versions.c.tool_id).where(tool_versions.c.id == version))
        if tool_id is None:
            raise StorageError(f"there is no version {version} of a tool; put the tool first")
        found = _find_same(connection, review, run, tool_id, anew=anew)
        if found is None:
            place = {"run_id": run, "tool_id": tool_id, "version_id": version}
            draft = _add(connection, review, place, checks)
        else:
            draft, earlier = found
            if fills_in(earlier, review):
                _revise(connection, draft, review, checks)
        mark_done(connection, run, version, draft)
        return draft

    @reads
    def complete(self, connection: Connection, review_ids: Collection[str]) -> dict[str, DraftSummary]:
        """Return, by `PanelReview.id`, the latest draft without a failed seat."""
        failed = takes.c.reason.is_not(None) & (takes.c.reason != NoTakeReason.RECUSED)
        incomplete = select(takes.c.draft_id).where(takes.c.draft_id == drafts.c.id, failed).exists()
        query = select(*_SUMMARY).join_from(drafts, tools)
        query = query.where(drafts.c.review_id.in_(review_ids), ~incomplete).order_by(drafts.c.id)
        rows = connection.execute(query).mappings()
        return {row["review_id"]: DraftSummary.model_validate(dict(row)) for row in rows}

    @reads
    def get(self, connection: Connection, draft: int) -> Draft:
        """Return a draft; raises NotFound if there is none of this id."""
        found = _find(connection, drafts.c.id == draft)
        if found is None:
            raise NotFound(f"{self._db.where} holds no draft {draft}")
        return found

    @reads
    def of_tool(self, connection: Connection, run: int, tool: Tool) -> Draft | None:
        """Return a run's draft of a tool, or None."""
        return _find(connection, drafts_of(run) & (tools.c.canonical == tool.canonical))

    @reads
    def events(self, connection: Connection, draft: int) -> list[RecordedEvent]:
        """Return all events of a draft, in order."""
        return events_of(connection, draft)

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


_SUMMARY = (
    drafts.c.run_id.label("run"),
    drafts.c.version_id.label("version"),
    tools.c.name,
    tools.c.slug,
    *(drafts.c[name] for name in ("id", "review_id", "shown", "state", "drafted_at")),
)


def _find(connection: Connection, where: ColumnElement[bool]) -> Draft | None:
    query = select(*_SUMMARY, drafts.c.review).join_from(drafts, tools).where(where)
    row = connection.execute(query).mappings().one_or_none()
    return Draft.model_validate(dict(row)) if row else None


def drafts_of(run: int) -> ColumnElement[bool]:
    """Return the condition that a run made a draft, or uses one that another run made of the same question to the same panel."""
    used = select(run_tools.c.draft_id).where(run_tools.c.run_id == run)
    return or_(drafts.c.run_id == run, drafts.c.id.in_(used))


def _find_same(
    connection: Connection, review: PanelReview, run: int, tool_id: int, *, anew: bool
) -> tuple[int, PanelReview] | None:
    """Return the draft that a review repeats or replaces, with its review, or None."""
    own = _latest(connection, drafts_of(run) & (drafts.c.tool_id == tool_id))
    known = own if own is not None or anew else _latest(connection, drafts.c.review_id == review.id)
    if known is None:
        return None
    earlier = PanelReview.model_validate(known.review)
    if earlier.id != review.id:
        raise StorageError(
            f"run {run} has a draft of {review.tool.name} already; begin a new run for another"
        )
    is_same = own is not None or fills_in(earlier, review) or says_the_same(earlier, review)
    return (int(known.id), earlier) if is_same else None


def _latest(connection: Connection, where: ColumnElement[bool]) -> Row[Any, Any] | None:
    query: Select[Any, Any] = select(drafts.c.id, drafts.c.review).where(where)
    return connection.execute(query.order_by(drafts.c.id.desc()).limit(1)).one_or_none()


def _add(connection: Connection, review: PanelReview, place: dict[str, int], checks: Checks | None) -> int:
    result = run_checks(review, checks)
    shown = EditedReview(original=review, review=review).hash
    time = now()
    row = {
        **place,
        "review_id": review.id,
        "review": review.model_dump(mode="json"),
        "shown": shown,
        "state": State.DRAFTED,
        "drafted_at": time,
        "updated_at": time,
        **index_columns(review, result),
    }
    draft = int(connection.execute(insert(drafts).values(**row).returning(drafts.c.id)).scalar_one())
    write_takes(connection, draft, review)
    write_open_kinds(connection, draft, result)
    add_event(connection, DraftEvent(draft=draft, actor=PANEL, kind=DRAFTED, hash_after=shown))
    return draft


def _revise(connection: Connection, draft: int, review: PanelReview, checks: Checks | None) -> None:
    record = load_draft(connection, draft, for_change=True)
    after = apply_edits(review, record.current.edits)
    # The reports of every run that uses this draft are out of date.
    connection.execute(update(run_tools).where(run_tools.c.draft_id == draft).values(reported=False))
    event = DraftEvent(
        draft=draft,
        actor=PANEL,
        kind=REVISED,
        reason="seats that had failed were asked again",
        hash_before=record.current.shown,
        hash_after=after.hash,
        payload={REPLACED: record.made.model_dump(mode="json")},
    )
    result = run_checks(after.review, checks, record.current.resolutions)
    save_event(connection, record, event, after, result)
