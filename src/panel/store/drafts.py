"""Drafts: storing reviews, replacing failed seats, reading, changing and locking one draft."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import delete, insert, or_, select, update

from panel.core.actor import PANEL
from panel.core.draft_edits import EditedReview, apply_edits
from panel.core.draft_state import DRAFTED, REVISED, Action, DraftEvent, State
from panel.core.frozen import Frozen
from panel.core.review import PanelReview, fills_in, says_the_same
from panel.core.take import NoTakeReason
from panel.errors import GateError, NotFound, StorageError
from panel.store.columns import database_time, now
from panel.store.draft_records import (
    REPLACED,
    DraftLock,
    DraftTransaction,
    add_event,
    find_lock,
    finding_columns,
    load_draft,
    missing_draft,
    release_lock,
    review_columns,
    run_checks,
    save_event,
    write_open_kinds,
    write_takes,
)
from panel.store.runs import mark_done
from panel.store.schema import draft_locks, drafts, run_tools, takes, tool_versions, tools
from panel.store.transactions import Repository, load, load_one, reads, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import ColumnElement, Connection, Row

    from panel.core.actor import Actor
    from panel.core.tool import Tool
    from panel.store.draft_records import Checks, DraftRecord

    T = TypeVar("T")

LOCK_SECONDS = 600.0


class DraftSummary(Frozen):
    """A draft without its review.

    `version` is the id of the tool's version, `name` the tool's latest name, `shown` the digest of the version that is shown.
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
    """A draft with the panel's review."""

    review: PanelReview


class Drafts(Repository):
    """Drafts and their events. Methods raise StorageError if they cannot read or commit."""

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
        failed seats replaces it; the event holds the replaced review, and an approved draft returns to review. A further
        review from the same run that fills in no seat is ignored.

        `version` is the id of the tool's version; `anew` ignores the drafts of other runs; without `checks` the draft stays unchecked.

        Raises:
            StorageError: the run has a draft of another review of this tool, or the draft was not committed.
        """
        tool = connection.scalar(select(tool_versions.c.tool_id).where(tool_versions.c.id == version))
        if tool is None:
            raise StorageError(f"there is no version {version} of a tool; put the tool first")
        found = _find_same(connection, review, run, tool, anew=anew)
        if found is None:
            place = {"run_id": run, "tool_id": tool, "version_id": version}
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
        return {draft.review_id: draft for draft in load(connection, DraftSummary, query)}

    @reads
    def get(self, connection: Connection, draft: int) -> Draft:
        """Return a draft; raises NotFound if it does not exist."""
        found = _find(connection, drafts.c.id == draft)
        if found is None:
            raise NotFound(f"{self._db.where} holds no draft {draft}")
        return found

    @reads
    def of_tool(self, connection: Connection, run: int, tool: Tool) -> Draft | None:
        """Return a run's draft of a tool, or None."""
        return _find(connection, drafts_of(run) & (tools.c.canonical == tool.canonical))

    @reads
    def read(
        self, connection: Connection, draft: int, work: Callable[[DraftRecord, DraftLock | None], T]
    ) -> T:
        """Return the result of work on a draft and its lock, both of one moment.

        Raises:
            NotFound: there is no such draft.
            StorageError: it was altered outside of panel, or cannot be read.
        """
        return work(load_draft(connection, draft), find_lock(connection, draft))

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


class DraftLocks(Repository):
    """Locks of drafts: one reader at a time, for ten minutes by the database's clock.

    A lock is a courtesy and may lapse early or late when the clock jumps. It does not protect anybody's work; the hash of the version that
    each reader was shown does. Locking raises NotFound if there is no such draft.
    """

    @writes
    def lock(self, connection: Connection, draft: int, actor: Actor) -> DraftLock:
        """Lock a draft for ten minutes, or renew the lock; return the lock in force, which may be another reader's."""
        _shown_hash(connection, draft)
        found = find_lock(connection, draft)
        return found if found and not found.is_of(actor.name) else _lock(connection, draft, actor)

    @writes
    def take_over(self, connection: Connection, draft: int, actor: Actor) -> DraftLock:
        """Lock a draft, also if another reader holds it, which adds an event."""
        shown = _shown_hash(connection, draft)
        found = find_lock(connection, draft)
        if found and not found.is_of(actor.name):
            event = DraftEvent(
                draft=draft,
                actor=actor.name,
                kind=Action.TAKE_OVER,
                hash_before=shown,
                hash_after=shown,
                payload={"role": actor.role, "from": found.holder},
            )
            add_event(connection, event)
        return _lock(connection, draft, actor)

    @writes
    def release(self, connection: Connection, draft: int, actor: Actor) -> None:
        """Release the lock of a draft if it is the actor's."""
        release_lock(connection, draft, actor)


_SUMMARY = (
    drafts.c.run_id.label("run"),
    drafts.c.version_id.label("version"),
    tools.c.name,
    tools.c.slug,
    *(drafts.c[name] for name in ("id", "review_id", "shown", "state", "drafted_at")),
)


def _find(connection: Connection, where: ColumnElement[bool]) -> Draft | None:
    query = select(*_SUMMARY, drafts.c.review).join_from(drafts, tools).where(where)
    return load_one(connection, Draft, query)


def drafts_of(run: int) -> ColumnElement[bool]:
    """Return the condition that a run made a draft, or uses one that another run made of the same question to the same panel."""
    used = select(run_tools.c.draft_id).where(run_tools.c.run_id == run)
    return or_(drafts.c.run_id == run, drafts.c.id.in_(used))


def _find_same(
    connection: Connection, review: PanelReview, run: int, tool: int, *, anew: bool
) -> tuple[int, PanelReview] | None:
    """Return the draft that a review repeats or replaces, with its review, or None."""
    own = _latest(connection, drafts_of(run) & (drafts.c.tool_id == tool))
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
    query = select(drafts.c.id, drafts.c.review).where(where).order_by(drafts.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


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
        **review_columns(review),
        **finding_columns(result),
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


def _lock(connection: Connection, draft: int, actor: Actor) -> DraftLock:
    connection.execute(delete(draft_locks).where(draft_locks.c.draft_id == draft))
    until = database_time(connection) + LOCK_SECONDS
    connection.execute(insert(draft_locks).values(draft_id=draft, holder=actor.name, until=until))
    return DraftLock(draft=draft, holder=actor.name, seconds=LOCK_SECONDS)


def _shown_hash(connection: Connection, draft: int) -> str:
    """Return the hash of the shown version, with the draft's row locked until the transaction ends."""
    shown: str | None = connection.scalar(
        select(drafts.c.shown).where(drafts.c.id == draft).with_for_update()
    )
    if shown is None:
        raise missing_draft(draft)
    return shown
