"""The queue of drafts: pages and counts, as quick with 100,000 drafts as with 100.

A page is read from an index, from where the previous one ended (keyset paging), and only its own rows are read. Ordered by age, no draft is
missed or repeated while others change; ordered by findings or votes, one that moves past the current page may be.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator
from sqlalchemy import and_, func, or_, select, union_all

from panel.core.draft_state import State
from panel.core.frozen import Frozen
from panel.core.text import canonical
from panel.errors import SettingsError
from panel.store.columns import database_time
from panel.store.draft_index import UNCHECKED
from panel.store.queue_filter import Order, QueueFilter, narrow, not_indexed
from panel.store.repository import Repository, reads
from panel.store.schema import draft_counts, draft_locks, drafts, tools

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select


class QueueRow(Frozen):
    """A draft in the queue; `ships` and `skips` count the takes with edits.

    Attributes:
        open_findings: number of unresolved findings; None if nothing was checked yet.
        cost_usd: cost of the panel; None if it is not known.
        holder: the reader who has locked it.
    """

    id: int
    run: int
    name: str
    slug: str
    category: str | None
    state: State
    open_findings: Annotated[int | None, BeforeValidator(lambda count: None if count == UNCHECKED else count)]
    ships: int
    skips: int
    cost_usd: float | None
    drafted_at: datetime
    updated_at: datetime
    holder: str | None


class QueuePage(Frozen):
    """A page of the queue; `after` is the cursor of the next page, or None on the last one."""

    rows: tuple[QueueRow, ...]
    after: str | None


# Numbers in the range of both databases.
_CURSOR = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")


class _Cursor(NamedTuple):
    key: int
    id: int


class Queue(Repository):
    """Lists and counts of drafts."""

    @reads
    def page(
        self,
        connection: Connection,
        wanted: QueueFilter | None = None,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> QueuePage:
        """Return a page of drafts; `after` is `QueuePage.after` of the previous page with the same filter and order.

        Raises:
            SettingsError: `after` is no cursor.
        """
        return _page(connection, wanted or QueueFilter(), _cursor(after), limit)

    @reads
    def counts(self, connection: Connection) -> dict[State, int]:
        """Return the number of drafts in each state."""
        found = _sums(connection, draft_counts.c.state)
        return {state: found.get(state, 0) for state in State}

    @reads
    def categories(self, connection: Connection, state: State | None = None) -> dict[str, int]:
        """Return the number of drafts of each category, in one state or in all, by name; drafts without a category are left out."""
        found = _sums(connection, draft_counts.c.category, state)
        return {name: found[name] for name in sorted(found, key=canonical) if name and found[name]}


_KEYS: dict[Order, ColumnElement[int]] = {
    Order.OLDEST: drafts.c.id,
    Order.NEWEST: drafts.c.id,
    Order.FINDINGS: drafts.c.open_findings,
    Order.SPLIT: drafts.c.margin,
}
_DESCENDING = {Order.NEWEST, Order.FINDINGS}
_BY_ID = {Order.OLDEST, Order.NEWEST}


def _cursor(after: str | None) -> _Cursor | None:
    if after is None:
        return None
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise SettingsError("this page of the queue cannot be found; begin with the first")
    return _Cursor(int(found[1]), int(found[2]))


def _page(connection: Connection, wanted: QueueFilter, cursor: _Cursor | None, limit: int) -> QueuePage:
    few, conditions = narrow(connection, wanted)
    beyond = [*conditions, *_beyond(wanted.order, cursor)]
    if few is not None:
        # They are looked up by id: no index is entered with a state.
        states = [not_indexed(drafts.c.state).in_(wanted.one_of)] if wanted.one_of else []
        query = _first(wanted.order, limit + 1, drafts.c.id.in_(few), *states, *beyond)
    elif not wanted.one_of and not conditions and wanted.order in _BY_ID:
        query = _first(wanted.order, limit + 1, *beyond)
    else:
        query = _of_states(wanted, limit + 1, beyond)
    found = connection.execute(query).all()
    page = found[:limit]
    lines = _lines(connection, [row.id for row in page])
    more = len(found) > limit
    return QueuePage(
        rows=tuple(lines[row.id] for row in page),
        after=f"{page[-1].key}.{page[-1].id}" if more else None,
    )


def _first(order: Order, limit: int, *where: ColumnElement[bool]) -> Select[Any]:
    query = select(drafts.c.id, _KEYS[order].label("key")).where(*where)
    return query.order_by(*_by(order, _KEYS[order], drafts.c.id)).limit(limit)


def _of_states(wanted: QueueFilter, limit: int, where: list[ColumnElement[bool]]) -> Select[Any]:
    """Return the first drafts in any of the states, each read from its own index, which begins with the state."""
    states = wanted.one_of or State
    firsts = (_first(wanted.order, limit, drafts.c.state == state, *where).subquery() for state in states)
    whole = union_all(*(select(each) for each in firsts)).subquery()
    query = select(whole.c.id, whole.c.key)
    return query.order_by(*_by(wanted.order, whole.c.key, whole.c.id)).limit(limit)


def _by(order: Order, key: ColumnElement[int], number: ColumnElement[int]) -> list[ColumnElement[Any]]:
    first = key.desc() if order in _DESCENDING else key.asc()
    return [first] if order in _BY_ID else [first, number]


def _beyond(order: Order, cursor: _Cursor | None) -> list[ColumnElement[bool]]:
    if cursor is None:
        return []
    key, after = _KEYS[order], drafts.c.id > cursor.id
    if order in _BY_ID:
        return [drafts.c.id < cursor.id if order in _DESCENDING else after]
    reached, passed = (
        (key <= cursor.key, key < cursor.key)
        if order in _DESCENDING
        else (key >= cursor.key, key > cursor.key)
    )
    # An index is entered with the first of the two conditions.
    return [and_(reached, or_(passed, after))]


def _lines(connection: Connection, ids: list[int]) -> dict[int, QueueRow]:
    columns = [drafts.c[name] for name in QueueRow.model_fields if name in drafts.c]
    held = (draft_locks.c.draft_id == drafts.c.id) & (draft_locks.c.until > database_time(connection))
    query = (
        select(*columns, drafts.c.run_id.label("run"), tools.c.name, tools.c.slug, draft_locks.c.holder)
        .join_from(drafts, tools)
        .outerjoin(draft_locks, held)
        .where(drafts.c.id.in_(ids))
    )
    rows = connection.execute(query).mappings()
    return {row["id"]: QueueRow.model_validate(dict(row)) for row in rows}


def _sums(connection: Connection, by: ColumnElement[str], state: State | None = None) -> dict[str, int]:
    query = select(by.label("name"), func.sum(draft_counts.c.drafts).label("drafts")).group_by(by)
    if state is not None:
        query = query.where(draft_counts.c.state == state)
    return {row.name: int(row.drafts) for row in connection.execute(query)}
