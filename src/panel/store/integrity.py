"""Checks of the whole database: damage, unreadable rows, altered drafts, and copies that differ from their source."""

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
from panel.store.draft_records import load_draft, review_columns
from panel.store.schema import calls, draft_counts, drafts, events, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, Table

    from panel.store.database import Database

BATCH = 100
# `cost_usd` is left out: sums of costs may differ in their last digit.
_COPIES = drafts.c.category, drafts.c.ships, drafts.c.skips, drafts.c.margin


def find_flaws(database: Database, connection: Connection) -> list[str]:
    """Return every flaw, one line each; other checks need a database without damage."""
    return database.find_damage(connection) or [
        *_check_calls(connection),
        *_check_drafts(connection),
        *_check_counts(connection),
    ]


def _check_calls(connection: Connection) -> Iterator[str]:
    query = select(calls.c.id, cast(calls.c.completion, Text).label("completion"))
    query = query.where(calls.c.state == ANSWERED).execution_options(yield_per=BATCH)
    for row in connection.execute(query):
        try:
            Completion.model_validate_json(row.completion or "")
        except ValidationError:
            yield f"call {row.id}: its answer cannot be read"


def _check_drafts(connection: Connection) -> Iterator[str]:
    query: Select[Any] = select(
        *(drafts.c[name] for name in ("id", "review_id", "shown", "state", "live")),
        *_COPIES,
        cast(drafts.c.review, Text).label("review"),
        _of_draft(takes, func.count()).label("takes"),
        _of_draft(events, func.count().filter(events.c.kind == DRAFTED)).label("made"),
        _of_draft(events, func.count()).label("events"),
        _of_draft(events, func.min(events.c.hash_after)).label("first"),
    )
    for row in connection.execute(query.execution_options(yield_per=BATCH)):
        for flaw in _check_draft(connection, row):
            yield f"draft {row.id}: {flaw}"


def _of_draft(table: Table, value: ColumnElement[Any]) -> ScalarSelect[Any]:
    return select(value).select_from(table).where(table.c.draft_id == drafts.c.id).scalar_subquery()


def _check_draft(connection: Connection, row: Row[Any]) -> Iterator[str]:
    try:
        review = PanelReview.model_validate_json(row.review)
    except ValidationError:
        yield "its review cannot be read"
        return
    if review.id != row.review_id:
        yield "its review does not match its id"
    elif (shown := _shown_review(connection, row, review)) is None:
        yield "its review was altered, or its state does not follow from its events"
    else:
        columns = review_columns(shown)
        if any(getattr(row, copy.name) != columns[copy.name] for copy in _COPIES):
            yield "its columns in the queue differ from its review"
    if row.takes != len(review.seats):
        yield f"it has {row.takes} takes for {len(review.seats)} seats"
    if row.made != 1:
        yield f"it has {row.made} `drafted` events instead of 1"


def _shown_review(connection: Connection, row: Row[Any], review: PanelReview) -> PanelReview | None:
    """Return the review that is shown by the events, or None if the row disagrees with them."""
    if row.events <= 1:
        digest = EditedReview(original=review, review=review).hash
        is_untouched = {row.shown, row.first or row.shown} == {digest} and row.live is None
        return review if is_untouched and row.state == State.DRAFTED else None
    try:
        record = load_draft(connection, row.id)
    except (StorageError, ValueError):
        return None
    live = record.current.live
    is_sound = (record.current.state, live and live.hash) == (row.state, row.live)
    return record.shown.review if is_sound else None


def _check_counts(connection: Connection) -> Iterator[str]:
    by = drafts.c.state, func.coalesce(drafts.c.category, "")
    counted = connection.execute(select(*by, func.count()).group_by(*by))
    copied = draft_counts.c.state, draft_counts.c.category
    total = func.sum(draft_counts.c.drafts)
    summed = connection.execute(select(*copied, total).group_by(*copied).having(total != 0))
    if {tuple(row) for row in counted} != {(state, category, int(n)) for state, category, n in summed}:
        yield "the counts of the queue differ from its drafts"
