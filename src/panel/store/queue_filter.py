"""Filters of the queue.

A selective filter is looked up in its own index, and its matches are the list. Any other filter is a condition with which the list is read in
its order until the page is full. Names are searched for part of a word, which full-text search would not find; reading all names takes a few
milliseconds for 100,000.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from operator import eq, ge, lt
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator
from sqlalchemy import and_, func, null, or_, select

from panel.core.draft_state import State
from panel.core.frozen import Frozen
from panel.core.take import Verdict
from panel.core.text import canonical, one_line
from panel.store.schema import drafts, open_kinds, takes, tool_names

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


def _clean(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _utc(value: datetime) -> datetime:
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):  # within a day of the first or the last moment there is
        return moment.replace(tzinfo=UTC)


_Line = Annotated[str, BeforeValidator(_clean)]


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


FEW = 250
"""Largest number of drafts that are looked up by id. A filter with more matches has a page of 50 within every N / 5 drafts on average."""

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


def narrow(connection: Connection, wanted: QueueFilter) -> tuple[set[int] | None, list[ColumnElement[bool]]]:
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
        yield _by_table(takes, and_(*_by_verdict(wanted)))


def _by_column(column: ColumnElement[Any], compare: Callable[[Any, Any], Any], value: object) -> _Filter:
    # If an index were entered with the column, all matches would be sorted.
    return _Filter(compare(not_indexed(column), value), select(drafts.c.id).where(compare(column, value)))


def not_indexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
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


def _by_verdict(wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    yield takes.c.verdict.is_not(None) if wanted.verdict is None else takes.c.verdict == wanted.verdict
    if wanted.persona is not None:
        yield takes.c.persona == wanted.persona
