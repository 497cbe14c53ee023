"""The queue of drafts: pages and counts, as quick with 100,000 drafts as with 100.

A page is found in an index from where the last one ended (keyset paging), and only its own rows are read. By age, no draft is missed or
comes twice, whatever happens to others meanwhile; by findings or votes, one that moves past the page that is read may.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator
from sqlalchemy import and_, func, or_, select, union_all

from panel.core.base import Frozen
from panel.core.draft_rules import State
from panel.core.take import Verdict
from panel.core.text import canonical, one_line
from panel.errors import SettingsError
from panel.store.columns import database_time
from panel.store.filters import hidden, narrowed
from panel.store.findings import UNCOUNTED
from panel.store.repository import Repository
from panel.store.schema import claims, draft_counts, drafts, tools

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

    from panel.core.review import PanelReview


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


class QueueRow(Frozen):
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

    rows: tuple[QueueRow, ...]
    after: str | None


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
    """Which drafts a list is of, and in what order.

    Attributes:
        state: only those in it; all unless given.
        states: only those in one of them, unless `state` says in which.
        category: only those of it, as it was listed.
        search: only those whose tool has it in its name or in an alias, without case.
        flag: only those with a finding of this kind that is neither ticked nor cut.
        split: only those whose panel, as shown, was divided like this.
        persona: only those in which the panel's own take of this persona, before any edit, has the `verdict`, or any if none is given.
        verdict: of `persona`; without one, of any take.
        cost: only those whose panel has cost at least so much, in USD.
        before: only those made before; in UTC unless it names its zone.
        order: what comes first.
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
        """The states that they may be in; none if that may be any."""
        return self.states if self.state is None else (self.state,)


# Numbers that both databases take.
_CURSOR = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")


class _Cursor(NamedTuple):
    key: int
    id: int


class Queue(Repository):
    """Lists and counts of drafts."""

    async def page(
        self, wanted: QueueFilter | None = None, *, after: str | None = None, limit: int = 50
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
        return await self._db.read(
            lambda connection: _page(connection, wanted or QueueFilter(), cursor, limit)
        )

    async def counts(self) -> dict[State, int]:
        """Return how many drafts there are in each state."""
        found = await self._db.read(lambda connection: _sums(connection, draft_counts.c.state))
        return {state: found.get(state, 0) for state in State}

    async def categories(self, state: State | None = None) -> dict[str, int]:
        """Return how many drafts there are of each category, in one state or in all, by name; those without one are left out."""
        found = await self._db.read(lambda connection: _sums(connection, draft_counts.c.category, state))
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
    few, conditions = narrowed(connection, wanted)
    beyond = [*conditions, *_beyond(wanted.order, cursor)]
    if few is not None:
        # Looked up by their numbers: a state is then no way into an index.
        states = [hidden(drafts.c.state).in_(wanted.one_of)] if wanted.one_of else []
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
    """Return what comes first in any of the states: every index begins with one, and has the order in it."""
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
    # The first of them is what an index can be entered with.
    return [and_(reached, or_(passed, after))]


def _lines(connection: Connection, ids: list[int]) -> dict[int, QueueRow]:
    columns = [drafts.c[name] for name in QueueRow.model_fields if name in drafts.c]
    held = (claims.c.draft_id == drafts.c.id) & (claims.c.until > database_time(connection))
    query = (
        select(*columns, drafts.c.run_id.label("run"), tools.c.name, tools.c.slug, claims.c.holder)
        .join_from(drafts, tools)
        .outerjoin(claims, held)
        .where(drafts.c.id.in_(ids))
    )
    rows = connection.execute(query).mappings()
    return {row["id"]: QueueRow.model_validate(dict(row)) for row in rows}


def _sums(connection: Connection, by: ColumnElement[str], state: State | None = None) -> dict[str, int]:
    query = select(by.label("name"), func.sum(draft_counts.c.drafts).label("drafts")).group_by(by)
    if state is not None:
        query = query.where(draft_counts.c.state == state)
    return {row.name: int(row.drafts) for row in connection.execute(query)}
