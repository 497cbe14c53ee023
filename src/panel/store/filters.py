"""The filters of the queue.

A filter of few drafts is looked up in its own index, and they are the list. One of many is a condition that a list is read with, in its order,
until the page is full. Names and aliases are searched without case for a part of a word, which SQLite's FTS5 and PostgreSQL's text
search do not find; that reads every name, a few milliseconds for 100,000, and nothing has to be kept up to date for it.
"""

from __future__ import annotations

from operator import eq, ge, lt
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, null, or_, select

from panel.core.text import canonical
from panel.store.schema import drafts, open_kinds, takes, tool_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Connection, Select, Table

    from panel.store.queue import QueueFilter

FEW = 250
"""Drafts that are looked up one by one: of N, a page of 50 is found among more of them after at most N / 5 others on average."""

# No name is longer without case.
MAX_SEARCH_CHARS = 500


class _Filter(NamedTuple):
    """Some of the drafts: the condition that one is of them, and their numbers, found in an index."""

    condition: ColumnElement[bool]
    found: Select[Any]


_SPLITS: dict[str, ColumnElement[bool]] = {
    "unanimous": or_(drafts.c.ships == 0, drafts.c.skips == 0),
    "divided": (drafts.c.ships > 0) & (drafts.c.skips > 0),
    "close": drafts.c.margin + 0 <= 1,  # a sum, so that lists are read in their order, and not sorted
}


def narrowed(
    connection: Connection, wanted: QueueFilter
) -> tuple[set[int] | None, list[ColumnElement[bool]]]:
    """Return what a list is narrowed to.

    Returns:
        The numbers of the drafts that filters of few leave, or None if there is no such filter; and the conditions of the other filters.
    """
    few: set[int] | None = None
    conditions = [_SPLITS[wanted.split]] if wanted.split else []
    for kept in _filters(connection, wanted):
        found = connection.scalars(kept.found.limit(FEW + 1)).all()
        if len(found) > FEW:
            conditions.append(kept.condition)
        else:
            few = {*found} if few is None else few.intersection(found)
    return few, conditions


def _filters(connection: Connection, wanted: QueueFilter) -> Iterator[_Filter]:
    if wanted.category is not None:
        yield _of_column(drafts.c.category, eq, wanted.category)
    if wanted.cost is not None:
        yield _of_column(drafts.c.cost_usd, ge, wanted.cost)
    if wanted.before is not None:
        yield _of_column(drafts.c.drafted_at, lt, wanted.before)
    if wanted.search is not None:
        yield _named(connection, wanted.search)
    if wanted.flag is not None:
        # What was approved has none, which an index says without a look at its kinds.
        flagged = _listed(open_kinds, open_kinds.c.kind == wanted.flag)
        yield flagged._replace(condition=(drafts.c.open_findings > 0) & flagged.condition)
    if wanted.persona is not None or wanted.verdict is not None:
        yield _listed(takes, and_(*_said(wanted)))


def _of_column(column: ColumnElement[Any], compare: Callable[[Any, Any], Any], value: object) -> _Filter:
    # Entered with it, an index would give all drafts of the filter, to be sorted.
    return _Filter(compare(hidden(column), value), select(drafts.c.id).where(compare(column, value)))


def hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column that no index is entered with."""
    return func.coalesce(column, null(), type_=column.type)


def _listed(table: Table, where: ColumnElement[bool]) -> _Filter:
    is_it = select(table.c.draft_id).where(table.c.draft_id == drafts.c.id, where).exists()
    return _Filter(is_it, select(table.c.draft_id).where(where))


def _named(connection: Connection, search: str) -> _Filter:
    part = canonical(search)[:MAX_SEARCH_CHARS]
    # SQLite looks at the case of each letter for LIKE; PostgreSQL foresees of LIKE alone how few are found.
    quick = connection.dialect.name == "sqlite"
    name = tool_names.c.name
    named = func.instr(name, part) > 0 if quick else name.contains(part, autoescape=True)
    mine = tool_names.c.tool_id == drafts.c.tool_id
    is_it = select(tool_names.c.tool_id).where(mine, named).exists()
    return _Filter(is_it, select(drafts.c.id).join_from(tool_names, drafts, mine).where(named))


def _said(wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    yield takes.c.verdict.is_not(None) if wanted.verdict is None else takes.c.verdict == wanted.verdict
    if wanted.persona is not None:
        yield takes.c.persona == wanted.persona
