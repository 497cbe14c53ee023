"""The queue of drafts: pages, counts and search, as quick with 100,000 drafts as with 100.

A page is found in an index from where the last one ended (keyset paging), and only its own rows are read. Names are searched with LIKE,
which both kinds of database have, over the names and aliases without case: a part of a word is found as well, which SQLite's
FTS5 and PostgreSQL's text search do not do, and nothing has to be kept up to date. It reads every name, a few milliseconds for 100,000.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator
from sqlalchemy import and_, func, or_, select

from panel.domain.approval import State
from panel.domain.base import Frozen
from panel.domain.checks import CheckKind
from panel.domain.take import Verdict
from panel.domain.text import canonical
from panel.errors import SettingsError
from panel.store.access import Access
from panel.store.clock import database_time
from panel.store.findings import UNCOUNTED
from panel.store.schema import claims, draft_counts, drafts, open_kinds, takes, tool_names, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Select

    from panel.domain.review import PanelReview


class Split(StrEnum):
    """How a panel was divided: not at all, in any way, or so that one flipped vote would change the verdict."""

    UNANIMOUS = "unanimous"
    DIVIDED = "divided"
    CLOSE = "close"


class Order(StrEnum):
    """What comes first: the oldest or the latest draft, most open findings, or the closest vote; then the oldest."""

    OLDEST = "oldest"
    NEWEST = "newest"
    FINDINGS = "findings"
    SPLIT = "split"


class QueueLine(Frozen):
    """A draft as the queue shows it.

    Attributes:
        id: its number.
        run: the run it is of.
        name: the tool's name as it was listed last.
        slug: likewise.
        category: the tool's, if it has one.
        state: where it is.
        open_findings: findings that are neither ticked nor cut; None if nothing was checked yet.
        ships: takes that say ship, as shown.
        skips: likewise.
        cost_usd: what the panel has cost; None if that is not known.
        drafted_at: when it was made.
        updated_at: when something last happened to it.
        holder: who has it before them.
    """

    id: int
    run: int
    name: str
    slug: str
    category: str | None
    state: State
    open_findings: Annotated[int | None, BeforeValidator(lambda count: None if count == UNCOUNTED else count)]
    ships: int
    skips: int
    cost_usd: float | None
    drafted_at: datetime
    updated_at: datetime
    holder: str | None


class QueuePage(Frozen):
    """A page of the queue.

    Attributes:
        lines: its drafts.
        after: what the next page is asked for with; None if this is the last one.
    """

    lines: tuple[QueueLine, ...]
    after: str | None


class Wanted(Frozen):
    """Which drafts a list is of, and in what order.

    Attributes:
        state: only those in it; all unless given.
        category: only those of it, as it was listed.
        search: only those whose tool has it in its name or in an alias, without case.
        flag: only those with a finding of this kind that is neither ticked nor cut.
        split: only those whose panel, as shown, was divided like this.
        persona: only those in which the panel's own take of this persona, before any edit, has the `verdict`.
        verdict: of `persona`.
        cost: only those whose panel has cost at least so much, in USD.
        before: only those made before.
        order: what comes first.
    """

    state: State | None = None
    category: str | None = None
    search: str | None = None
    flag: CheckKind | None = None
    split: Split | None = None
    persona: str | None = None
    verdict: Verdict | None = None
    cost: float | None = None
    before: datetime | None = None
    order: Order = Order.OLDEST


class _Cursor(NamedTuple):
    key: int
    id: int


class Queue(Access):
    """Lists and counts of drafts."""

    async def queue(
        self, wanted: Wanted | None = None, *, after: str | None = None, limit: int = 50
    ) -> QueuePage:
        """Return a page of drafts.

        Args:
            wanted: which; all of them, the oldest first, unless given.
            after: `QueuePage.after` of the page before, of the same drafts in the same order.
            limit: drafts of a page.

        Raises:
            SettingsError: `after` is of no page.
        """
        cursor = _cursor(after)
        return await self._read(lambda connection: _page(connection, wanted or Wanted(), cursor, limit))

    async def counts(self) -> dict[State, int]:
        """Return how many drafts there are in each state."""
        found = await self._read(lambda connection: _sums(connection, draft_counts.c.state))
        return {state: found.get(state, 0) for state in State}

    async def categories(self, state: State | None = None) -> dict[str, int]:
        """Return how many drafts there are of each category, in one state or in all, by name; those without one are left out."""
        found = await self._read(lambda connection: _sums(connection, draft_counts.c.category, state))
        return {name: found[name] for name in sorted(found, key=canonical) if name and found[name]}


def columns_of(review: PanelReview) -> dict[str, Any]:
    """Return what the queue keeps of a draft's review, as it is shown."""
    tally = review.tally
    return {
        "category": review.tool.category,
        "ships": tally.ships,
        "skips": tally.skips,
        "margin": abs(tally.ships - tally.skips),
        "cost_usd": review.usage.cost_usd,
    }


_KEYS: dict[Order, ColumnElement[int]] = {
    Order.OLDEST: drafts.c.id,
    Order.NEWEST: drafts.c.id,
    Order.FINDINGS: drafts.c.open_findings,
    Order.SPLIT: drafts.c.margin,
}
_SPLITS: dict[Split, ColumnElement[bool]] = {
    Split.UNANIMOUS: or_(drafts.c.ships == 0, drafts.c.skips == 0),
    Split.DIVIDED: (drafts.c.ships > 0) & (drafts.c.skips > 0),
    Split.CLOSE: drafts.c.margin <= 1,
}
_DESCENDING = {Order.NEWEST, Order.FINDINGS}
_BY_ID = {Order.OLDEST, Order.NEWEST}


def _cursor(after: str | None) -> _Cursor | None:
    if after is None:
        return None
    try:
        key, number = after.split(".")
        return _Cursor(int(key), int(number))
    except ValueError:
        raise SettingsError("this page of the queue cannot be found; begin with the first") from None


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(drafts.c.state == wanted.state)
    elif wanted.category is not None or wanted.order not in _BY_ID:
        # Every index begins with the state.
        conditions.append(drafts.c.state.in_(State))
    if wanted.category is not None:
        conditions.append(drafts.c.category == wanted.category)
    if wanted.search is not None:
        named = tool_names.c.name.contains(canonical(wanted.search), autoescape=True)
        conditions.append(drafts.c.tool_id.in_(select(tool_names.c.tool_id).where(named)))
    return [*conditions, *_of_panel(wanted)]


def _of_panel(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.flag is not None:
        yield drafts.c.id.in_(select(open_kinds.c.draft_id).where(open_kinds.c.kind == wanted.flag))
    if wanted.split is not None:
        yield _SPLITS[wanted.split]
    if wanted.persona is not None:
        said = (takes.c.persona == wanted.persona) & (takes.c.verdict == wanted.verdict)
        yield drafts.c.id.in_(select(takes.c.draft_id).where(said))
    if wanted.cost is not None:
        yield drafts.c.cost_usd >= wanted.cost
    if wanted.before is not None:
        yield drafts.c.drafted_at < wanted.before


def _page(connection: Connection, wanted: Wanted, cursor: _Cursor | None, limit: int) -> QueuePage:
    order = wanted.order
    ids = select(drafts.c.id, _KEYS[order].label("key")).where(*_conditions(wanted), *_beyond(order, cursor))
    found = connection.execute(_ordered(ids, order).limit(limit + 1)).all()
    page = found[:limit]
    lines = _lines(connection, [row.id for row in page])
    more = len(found) > limit
    return QueuePage(
        lines=tuple(lines[row.id] for row in page),
        after=f"{page[-1].key}.{page[-1].id}" if more else None,
    )


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
    # The first of them is what an index can be entered with.
    return [and_(reached, or_(passed, after))]


def _ordered(query: Select[Any], order: Order) -> Select[Any]:
    key = _KEYS[order]
    first = key.desc() if order in _DESCENDING else key
    return query.order_by(first) if order in _BY_ID else query.order_by(first, drafts.c.id)


def _lines(connection: Connection, ids: list[int]) -> dict[int, QueueLine]:
    columns = [drafts.c[name] for name in QueueLine.model_fields if name in drafts.c]
    held = (claims.c.draft_id == drafts.c.id) & (claims.c.until > database_time(connection))
    query = (
        select(*columns, drafts.c.run_id.label("run"), tools.c.name, tools.c.slug, claims.c.holder)
        .join_from(drafts, tools)
        .outerjoin(claims, held)
        .where(drafts.c.id.in_(ids))
    )
    rows = connection.execute(query).mappings()
    return {row["id"]: QueueLine.model_validate(dict(row)) for row in rows}


def _sums(connection: Connection, by: ColumnElement[str], state: State | None = None) -> dict[str, int]:
    query = select(by.label("name"), func.sum(draft_counts.c.drafts).label("drafts")).group_by(by)
    if state is not None:
        query = query.where(draft_counts.c.state == state)
    return {row.name: int(row.drafts) for row in connection.execute(query)}
