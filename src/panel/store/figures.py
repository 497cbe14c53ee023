"""How far a run is, and what it has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from panel.core.base import Frozen
from panel.store.base import Access
from panel.store.calls import ANSWERED, FAILED, OPEN
from panel.store.drafts import drafts_of
from panel.store.runs import DONE, TODO
from panel.store.schema import calls, drafts, run_tools

if TYPE_CHECKING:
    from sqlalchemy import Case, ColumnElement, Connection, Table


class Progress(Frozen):
    """Counts of a run's tools, drafts and calls, by state."""

    todo: int
    done: int
    drafts: int
    open_calls: int
    answered_calls: int
    failed_calls: int


class Spent(Frozen):
    """What calls have cost.

    Attributes:
        cost_usd: the sum of the prices that are known; None if there are answers and no price of them is.
        unpriced: answers whose price is not known.
        input_tokens: the sum of those that are known.
        output_tokens: likewise.
        lost_calls: calls whose answer never came although they may have been billed, open ones included.
        at_risk_usd: what those calls, and answers without a price, may have cost at most, as far as that is known; not in `cost_usd`.
    """

    cost_usd: float | None
    unpriced: int
    input_tokens: int
    output_tokens: int
    lost_calls: int
    at_risk_usd: float

    @property
    def most_usd(self) -> float:
        """What was paid at most, as far as prices are known."""
        return (self.cost_usd or 0.0) + self.at_risk_usd


class Figures(Access):
    """Counts and sums."""

    async def progress(self, run: int) -> Progress:
        """Return how far a run is."""
        return await self._read(lambda connection: _progress(connection, run))

    async def spent(self, run: int | None = None) -> Spent:
        """Return what a run has cost, or all calls together."""
        return await self._read(lambda connection: _spent(connection, run))


def _progress(connection: Connection, run: int) -> Progress:
    listed = _by_state(connection, run_tools, run)
    asked = _by_state(connection, calls, run)
    drafted = connection.scalar(select(func.count()).select_from(drafts).where(drafts_of(run)))
    return Progress(
        todo=listed.get(TODO, 0),
        done=listed.get(DONE, 0),
        drafts=drafted or 0,
        open_calls=asked.get(OPEN, 0),
        answered_calls=asked.get(ANSWERED, 0),
        failed_calls=asked.get(FAILED, 0),
    )


def _by_state(connection: Connection, table: Table, run: int) -> dict[str, int]:
    query = (
        select(table.c.state, func.count().label("rows")).where(table.c.run_id == run).group_by(table.c.state)
    )
    return {row.state: row.rows for row in connection.execute(query)}


def _spent(connection: Connection, run: int | None) -> Spent:
    answered = calls.c.state == ANSWERED
    query = select(
        func.count().filter(answered).label("answers"),
        func.count().filter(answered, calls.c.cost_usd.is_(None)).label("unpriced"),
        func.count().filter(calls.c.state == OPEN).label("open"),
        _sum(calls.c.cost_usd).label("cost_usd"),
        _sum(calls.c.input_tokens).label("input_tokens"),
        _sum(calls.c.output_tokens).label("output_tokens"),
        _sum(calls.c.lost_calls).label("lost"),
        _sum(calls.c.worst_usd * _unanswered()).label("at_risk_usd"),
    )
    if run is not None:
        query = query.where(calls.c.run_id == run)
    row = connection.execute(query).one()
    unknown = 0 < row.answers == row.unpriced
    return Spent(
        cost_usd=None if unknown else row.cost_usd,
        unpriced=row.unpriced,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        lost_calls=row.lost + row.open,
        at_risk_usd=row.at_risk_usd,
    )


def _unanswered() -> Case[int]:
    """Return how many calls of a step may have been billed at a price that is not known; of an open one, all that may be made."""
    lost = func.coalesce(calls.c.lost_calls, 0)
    unpriced = (calls.c.state == ANSWERED) & calls.c.cost_usd.is_(None)
    return case((calls.c.state == OPEN, calls.c.most_calls), (unpriced, lost + 1), else_=lost)


def _sum(column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions are untyped here
    return func.coalesce(func.sum(column), 0)
