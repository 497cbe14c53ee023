"""Whether the store is sound, and a copy of it for when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Text, cast, func, select

from panel.domain.approval import State
from panel.domain.completion import Completion
from panel.domain.edit import Shown
from panel.domain.review import PanelReview
from panel.domain.standing import DRAFTED
from panel.errors import StorageError
from panel.store.access import Access
from panel.store.desk import desk_of
from panel.store.schema import calls, drafts, events, takes
from panel.store.steps import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Row, ScalarSelect, Table

BATCH = 100


class Health(Access):
    """Checks and backups."""

    async def check(self) -> list[str]:
        """Return what is wrong, a line each: damage, rows without what they refer to, drafts that were altered.

        Raises:
            StorageError: it is damaged so badly that it cannot be read.
        """
        return await self._read(
            lambda connection: self._database.flaws(connection) or [*_calls(connection), *_drafts(connection)]
        )

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a path where there is nothing yet, while the store is in use.

        Raises:
            StorageError: it cannot be written, or the store is not a file.
        """
        await self._in_thread(lambda: self._database.backup(path))


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
        cast(drafts.c.review, Text).label("review"),
        _count(takes).label("takes"),
        _count(events, DRAFTED).label("made"),
        _count(events).label("events"),
    )
    for row in connection.execute(query.execution_options(yield_per=BATCH)):
        for flaw in _flaws(connection, row):
            yield f"draft {row.id}: {flaw}"


def _count(table: Table, kind: str | None = None) -> ScalarSelect[int]:
    query = select(func.count()).select_from(table).where(table.c.draft_id == drafts.c.id)
    return (query.where(table.c.kind == kind) if kind else query).scalar_subquery()


def _flaws(connection: Connection, row: Row[Any]) -> Iterator[str]:
    try:
        review = PanelReview.model_validate_json(row.review)
    except ValidationError:
        yield "its review cannot be read"
        return
    if review.id != row.review_id:
        yield "its review is not the one that its id says"
    elif not _is_what_events_say(connection, row, review):
        yield "its review was altered after it was kept, or its state is not what its events say"
    if row.takes != len(review.seats):
        yield f"it has {row.takes} takes for {len(review.seats)} seats"
    if row.made != 1:
        yield f"it has {row.made} events of its making in place of 1"


def _is_what_events_say(connection: Connection, row: Row[Any], review: PanelReview) -> bool:
    if row.events <= 1:
        return [Shown(original=review, review=review).hash, State.DRAFTED] == [row.shown, row.state]
    try:
        return desk_of(connection, row.id).standing.state is State(row.state)
    except (StorageError, ValueError):
        return False
