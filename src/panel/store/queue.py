"""The queue of drafts: filters, pages and counts, as quick with 100,000 drafts as with 100.

A page is read from an index, from where the previous one ended (keyset paging), and only its own rows are read. Ordered by age, no draft is
missed or repeated while others change; ordered by findings or votes, one that moves past the current page may be.

A selective filter is looked up in its own index, and its matches are the list. Any other filter is a condition with which the list is read in
its order until the page is full. Names are searched for part of a word, which full-text search would not find; reading all names takes a few
milliseconds for 100,000.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from operator import eq, ge, lt
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator
from sqlalchemy import and_, func, null, or_, select, true, union_all

from panel.core.draft_state import State
from panel.core.frozen import Frozen
from panel.core.take import Verdict
from panel.core.text import canonical, one_line
from panel.errors import SettingsError
from panel.store.columns import database_time
from panel.store.draft_records import UNCHECKED
from panel.store.schema import draft_counts, draft_locks, drafts, open_kinds, takes, tool_names, tools
from panel.store.transactions import Repository, load, reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Connection, Select, Table


class Split(StrEnum):
    """Division of a panel: none, any, or so close that one flipped vote would change the verdict."""

    UNANIMOUS = "unanimous"
    DIVIDED = "divided"
    CLOSE = "close"


class Order(StrEnum):
    """Order of a list: by age, most open findings first, or closest vote first; ties by age."""

    OLDEST = "oldest"
    NEWEST = "newest"
    FINDINGS = "findings"
    SPLIT = "split"


def _utc(value: datetime) -> datetime:
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):  # within a day of the first or the last moment there is
        return moment.replace(tzinfo=UTC)


_Line = Annotated[str, BeforeValidator(lambda value: one_line(value) if isinstance(value, str) else value)]


class QueueFilter(Frozen):
    """Filters of a list of drafts, all of which must hold, and its order.

    Attributes:
        states: possible states, unless `state` names one; all if empty.
        search: part of the tool's name or of an alias, without case.
        flag: kind of an unresolved finding.
        split: division of the panel, with edits.
        persona: a persona whose take, before edits, has the `verdict`, or any verdict.
        verdict: verdict of the `persona`'s take, or of any take.
        cost: least cost of the panel in US dollars.
        before: latest time of drafting; UTC unless it has a zone.
    """

    state: State | None = None
    states: tuple[State, ...] = ()
    category: _Line | None = None
    search: str | None = None
    flag: str | None = None
    split: Split | None = None
    persona: _Line | None = None
    verdict: Verdict | None = None
    cost: float | None = None
    before: Annotated[datetime, AfterValidator(_utc)] | None = None
    order: Order = Order.OLDEST

    @property
    def one_of(self) -> tuple[State, ...]:
        """The possible states; all if empty."""
        return self.states if self.state is None else (self.state,)


class QueueRow(Frozen):
    """A draft in the queue; `ships` and `skips` count the takes with edits, and `holder` is the reader who has locked it.

    `open_findings` is the number of unresolved findings, None if nothing was checked yet; `cost_usd` is None if it is not known.
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
    few, conditions = _narrow(connection, wanted)
    beyond = [*conditions, *_beyond(wanted.order, cursor)]
    if few is not None:
        # They are looked up by id: no index is entered with a state.
        states = [_not_indexed(drafts.c.state).in_(wanted.one_of)] if wanted.one_of else []
        query = _first(wanted.order, limit + 1, drafts.c.id.in_(few), *states, *beyond)
    elif not wanted.one_of and not conditions and wanted.order in _BY_ID:
        query = _first(wanted.order, limit + 1, *beyond)
    else:
        query = _of_states(wanted, limit + 1, beyond)
    found = connection.execute(query).all()
    page = found[:limit]
    rows = _rows(connection, [row.id for row in page])
    more = len(found) > limit
    return QueuePage(
        rows=tuple(rows[row.id] for row in page),
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
    reached, passed = key >= cursor.key, key > cursor.key
    if order in _DESCENDING:
        reached, passed = key <= cursor.key, key < cursor.key
    # An index is entered with the first of the two conditions.
    return [and_(reached, or_(passed, after))]


def _rows(connection: Connection, ids: list[int]) -> dict[int, QueueRow]:
    columns = [drafts.c[name] for name in QueueRow.model_fields if name in drafts.c]
    is_held = (draft_locks.c.draft_id == drafts.c.id) & (draft_locks.c.until > database_time(connection))
    query = (
        select(*columns, drafts.c.run_id.label("run"), tools.c.name, tools.c.slug, draft_locks.c.holder)
        .join_from(drafts, tools)
        .outerjoin(draft_locks, is_held)
        .where(drafts.c.id.in_(ids))
    )
    return {row.id: row for row in load(connection, QueueRow, query)}


def _sums(connection: Connection, by: ColumnElement[str], state: State | None = None) -> dict[str, int]:
    query = select(by.label("name"), func.sum(draft_counts.c.drafts).label("drafts")).group_by(by)
    if state is not None:
        query = query.where(draft_counts.c.state == state)
    return {row.name: int(row.drafts) for row in connection.execute(query)}


FEW = 250
"""Largest number of drafts that are looked up by id. With more matches, a page of 50 is found sooner by reading the drafts in order."""

# No canonical name is longer.
MAX_SEARCH_CHARS = 500


class _Filter(NamedTuple):
    """One filter: as a condition on a draft, and as a query of the matching ids in an index."""

    condition: ColumnElement[bool]
    ids: Select[Any]


_SPLITS: dict[str, ColumnElement[bool]] = {
    "unanimous": or_(drafts.c.ships == 0, drafts.c.skips == 0),
    "divided": (drafts.c.ships > 0) & (drafts.c.skips > 0),
    # No index is entered with a sum; entering one here would cost a sort.
    "close": drafts.c.margin + 0 <= 1,
}


def _narrow(connection: Connection, wanted: QueueFilter) -> tuple[set[int] | None, list[ColumnElement[bool]]]:
    """Return the ids that selective filters leave, or None without a selective filter, and the conditions of the other filters."""
    few: set[int] | None = None
    conditions = [_SPLITS[wanted.split]] if wanted.split else []
    for each in _filters(connection, wanted):
        found = connection.scalars(each.ids.limit(FEW + 1)).all()
        if len(found) > FEW:
            conditions.append(each.condition)
        else:
            few = {*found} if few is None else few.intersection(found)
    return few, conditions


def _filters(connection: Connection, wanted: QueueFilter) -> Iterator[_Filter]:
    if wanted.category is not None:
        yield _by_column(drafts.c.category, eq, wanted.category)
    if wanted.cost is not None:
        yield _by_column(drafts.c.cost_usd, ge, wanted.cost)
    if wanted.before is not None:
        yield _by_column(drafts.c.drafted_at, lt, wanted.before)
    if wanted.search is not None:
        yield _by_name(connection, wanted.search)
    if wanted.flag is not None:
        # The count is in the index: approved drafts are skipped without reading their kinds.
        flagged = _by_table(open_kinds, open_kinds.c.kind == wanted.flag)
        yield flagged._replace(condition=(drafts.c.open_findings > 0) & flagged.condition)
    if wanted.persona is not None or wanted.verdict is not None:
        has_verdict = (
            takes.c.verdict.is_not(None) if wanted.verdict is None else takes.c.verdict == wanted.verdict
        )
        is_persona = true() if wanted.persona is None else takes.c.persona == wanted.persona
        yield _by_table(takes, has_verdict & is_persona)


def _by_column(column: ColumnElement[Any], compare: Callable[[Any, Any], Any], value: object) -> _Filter:
    # If an index were entered with the column, all matches would be sorted.
    return _Filter(compare(_not_indexed(column), value), select(drafts.c.id).where(compare(column, value)))


def _not_indexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as an expression, with which no index is entered."""
    return func.coalesce(column, null(), type_=column.type)


def _by_table(table: Table, where: ColumnElement[bool]) -> _Filter:
    exists = select(table.c.draft_id).where(table.c.draft_id == drafts.c.id, where).exists()
    return _Filter(exists, select(table.c.draft_id).where(where))


def _by_name(connection: Connection, search: str) -> _Filter:
    part = canonical(search)[:MAX_SEARCH_CHARS]
    # LIKE is slow on SQLite, which folds case; PostgreSQL estimates the number of matches for LIKE only.
    is_sqlite = connection.dialect.name == "sqlite"
    name = tool_names.c.name
    named = func.instr(name, part) > 0 if is_sqlite else name.contains(part, autoescape=True)
    same_tool = tool_names.c.tool_id == drafts.c.tool_id
    exists = select(tool_names.c.tool_id).where(same_tool, named).exists()
    return _Filter(exists, select(drafts.c.id).join_from(tool_names, drafts, same_tool).where(named))
