"""Whether the store is sound, and a copy of it for when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Text, cast, func, select

from panel.core.completion import Completion
from panel.core.draft_edits import EditedReview
from panel.core.draft_state import DRAFTED, State
from panel.core.review import PanelReview
from panel.errors import StorageError
from panel.store.calls import ANSWERED
from panel.store.draft_records import load_draft
from panel.store.queue import columns_of
from panel.store.schema import calls, draft_counts, drafts, events, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Table

    from panel.store.database import Database

BATCH = 100
# What the queue is filtered by; sums of costs may differ in their last digit.
_LISTED = drafts.c.category, drafts.c.ships, drafts.c.skips, drafts.c.margin


def find_flaws(database: Database, connection: Connection) -> list[str]:
    """Return what is wrong, a line each: damage, rows without what they refer to, drafts that were altered."""
    return database.find_damage(connection) or [
        *_calls(connection),
        *_drafts(connection),
        *_counts(connection),
    ]


def _calls(connection: Connection) -> Iterator[str]:
    query = select(calls.c.id, cast(calls.c.completion, Text).label("completion")).where(
        calls.c.state == ANSWERED
    )
    for row in connection.execute(query.execution_options(yield_per=BATCH)):
        try:
            Completion.model_validate_json(row.completion or "")
        except ValidationError:
            yield f"call {row.id}: its answer cannot be read"


def _drafts(connection: Connection) -> Iterator[str]:
    query = select(
        drafts.c.id,
        drafts.c.review_id,
        drafts.c.shown,
        drafts.c.state,
        drafts.c.live,
        *_LISTED,
        cast(drafts.c.review, Text).label("review"),
        _of(takes, func.count()).label("takes"),
        _of(events, func.count(), DRAFTED).label("made"),
        _of(events, func.count()).label("events"),
        _of(events, func.min(events.c.hash_after)).label("first"),
    )
    for row in connection.execute(query.execution_options(yield_per=BATCH)):
        for flaw in _flaws(connection, row):
            yield f"draft {row.id}: {flaw}"


def _of(table: Table, what: ColumnElement[Any], kind: str | None = None) -> ScalarSelect[Any]:
    query = select(what).select_from(table).where(table.c.draft_id == drafts.c.id)
    return (query.where(table.c.kind == kind) if kind else query).scalar_subquery()


def _flaws(connection: Connection, row: Row[Any]) -> Iterator[str]:
    try:
        review = PanelReview.model_validate_json(row.review)
    except ValidationError:
        yield "its review cannot be read"
        return
    if review.id != row.review_id:
        yield "its review is not the one that its id says"
    elif (told := _told(connection, row, review)) is None:
        yield "its review was altered after it was kept, or its state is not what its events say"
    elif not _is_listed_as(row, told):
        yield "the queue lists it otherwise than its review says"
    if row.takes != len(review.seats):
        yield f"it has {row.takes} takes for {len(review.seats)} seats"
    if row.made != 1:
        yield f"it has {row.made} events of its making in place of 1"


def _told(connection: Connection, row: Row[Any], review: PanelReview) -> PanelReview | None:
    """Return what is shown by what the events say, or None if the row says otherwise."""
    if row.events <= 1:
        digest = EditedReview(original=review, review=review).hash
        untouched = {row.shown, row.first or row.shown} == {digest} and row.live is None
        return review if untouched and row.state == State.DRAFTED else None
    try:
        record = load_draft(connection, row.id)
    except (StorageError, ValueError):
        return None
    live = record.current.live
    sound = (record.current.state, live and live.hash) == (row.state, row.live)
    return record.shown.review if sound else None


def _is_listed_as(row: Row[Any], told: PanelReview) -> bool:
    columns = columns_of(told)
    return all(getattr(row, column.name) == columns[column.name] for column in _LISTED)


def _counts(connection: Connection) -> Iterator[str]:
    by = drafts.c.state, func.coalesce(drafts.c.category, "")
    kept = draft_counts.c.state, draft_counts.c.category
    counted = connection.execute(select(*by, func.count()).group_by(*by))
    total = func.sum(draft_counts.c.drafts)
    summed = connection.execute(select(*kept, total).group_by(*kept).having(total != 0))
    if {tuple(row) for row in counted} != {(state, category, int(n)) for state, category, n in summed}:
        yield "the queue's counts are not those of its drafts"
