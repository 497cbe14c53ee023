"""Statistics of runs: progress, cost, who works on them, and failed seats with the model's replies."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - the fields of a RunSummary are read when it is made
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from panel.core.completion import Completion
from panel.core.frozen import Frozen
from panel.core.take import NoTake, NoTakeReason, Seat
from panel.store.calls import ANSWERED, FAILED, OPEN
from panel.store.columns import MAX_ID
from panel.store.drafts import drafts_of
from panel.store.process_id import ProcessId  # noqa: TC001 - likewise
from panel.store.repository import Repository, reads
from panel.store.runs import DONE, TODO, Run
from panel.store.schema import calls, drafts, run_tools, runs, takes, tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable

    from sqlalchemy import CTE, Case, ColumnElement, Connection, Row, Select, Subquery, Table

PAGE = 200
FAILURES = frozenset(NoTakeReason) - {NoTakeReason.RECUSED}
# Seats that failed for another reason got no answer to their last question.
REPLIED = frozenset({NoTakeReason.REFUSED, NoTakeReason.INVALID, NoTakeReason.TRUNCATED})


class RunProgress(Frozen):
    """Counts of a run's tools, drafts and calls, by state."""

    todo: int
    done: int
    drafts: int
    open_calls: int
    answered_calls: int
    failed_calls: int


class Spending(Frozen):
    """Cost of calls in US dollars.

    Attributes:
        cost_usd: sum of the known prices; None if there are answers and no price is known.
        unpriced: answers whose price is not known.
        lost_calls: calls without an answer that may have been billed, open ones included.
        at_risk_usd: the most that those calls and the unpriced answers may have cost, as far as known; not part of `cost_usd`.
    """

    cost_usd: float | None
    unpriced: int
    input_tokens: int
    output_tokens: int
    lost_calls: int
    at_risk_usd: float

    @property
    def most_usd(self) -> float:
        """The most that may have been paid, as far as prices are known."""
        return (self.cost_usd or 0.0) + self.at_risk_usd


class RunSummary(Run):
    """A run with its statistics.

    Attributes:
        holder: the process that holds its lease, at work or not.
        tools: number of tools to review; `done` of them are done.
        failed_seats: seats of its drafts without a take, other than recused ones.
        cost_usd: sum of the known prices.
        answers: answered calls; the price of `unpriced` of them is not known.
    """

    holder: ProcessId | None = None
    held_since: datetime | None = None
    tools: int
    done: int
    failed_seats: int
    cost_usd: float
    answers: int
    unpriced: int

    @property
    def at_work(self) -> bool | None:
        """Whether a process works on it; None if a process of another machine holds it, which cannot be seen from here."""
        if self.holder is None or self.holder.has_ended:
            return False
        return True if self.holder.is_local else None


class FailedSeat(Frozen):
    """A seat that failed to give a take.

    Attributes:
        tool: the tool's latest name.
        detail: one line about the reason.
        model: the provider's name of the model; None if no call was made.
        reply: the model's last reply, unchanged; None if no answer came.
    """

    draft: int
    tool: str
    slug: str
    persona: str
    reason: NoTakeReason
    detail: str
    model: str | None = None
    reply: str | None = None


class RunStats(Repository):
    """Statistics of runs; nothing is written."""

    @reads
    def summaries(
        self,
        connection: Connection,
        kinds: Collection[str] | None = None,
        *,
        before: int | None = None,
        limit: int = 20,
    ) -> list[RunSummary]:
        """Return runs of some kinds, or of all, the latest first; `before` is the last id of the previous page."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if kinds is not None:
            query = query.where(runs.c.kind.in_(kinds))
        if before is not None:
            query = query.where(runs.c.id < min(before, MAX_ID))
        return _summaries(connection, query)

    @reads
    def summary(self, connection: Connection, run: int) -> RunSummary | None:
        """Return a run with its statistics, or None if there is none of this id."""
        return next(iter(_summaries(connection, select(runs).where(runs.c.id == min(run, MAX_ID)))), None)

    @reads
    def progress(self, connection: Connection, run: int) -> RunProgress:
        """Return the progress of a run."""
        of_tools = _by_state(connection, run_tools, run)
        of_calls = _by_state(connection, calls, run)
        count = select(func.count()).select_from(drafts).where(drafts_of(run))
        return RunProgress(
            todo=of_tools.get(TODO, 0),
            done=of_tools.get(DONE, 0),
            drafts=connection.execute(count).scalar_one(),
            open_calls=of_calls.get(OPEN, 0),
            answered_calls=of_calls.get(ANSWERED, 0),
            failed_calls=of_calls.get(FAILED, 0),
        )

    @reads
    def spent(self, connection: Connection, run: int | None = None) -> Spending:
        """Return the cost of a run, or of all calls."""
        answered = calls.c.state == ANSWERED
        query = select(
            func.count().filter(answered).label("answers"),
            func.count().filter(answered, calls.c.cost_usd.is_(None)).label("unpriced"),
            func.count().filter(calls.c.state == OPEN).label("open"),
            _sum(calls.c.cost_usd).label("cost_usd"),
            _sum(calls.c.input_tokens).label("input_tokens"),
            _sum(calls.c.output_tokens).label("output_tokens"),
            _sum(calls.c.lost_calls).label("lost"),
            _sum(calls.c.worst_usd * _calls_of_unknown_price()).label("at_risk_usd"),
        )
        row = connection.execute(query if run is None else query.where(calls.c.run_id == run)).one()
        return Spending(
            cost_usd=None if 0 < row.answers == row.unpriced else row.cost_usd,
            unpriced=row.unpriced,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            lost_calls=row.lost + row.open,
            at_risk_usd=row.at_risk_usd,
        )

    @reads
    def failure_counts(self, connection: Connection, run: int) -> dict[NoTakeReason, int]:
        """Return the number of failed seats of a run's drafts by reason, the most frequent first."""
        query = (
            select(takes.c.reason, func.count().label("seats"))
            .join_from(takes, drafts)
            .where(drafts_of(run), takes.c.reason.in_(FAILURES))
            .group_by(takes.c.reason)
            .order_by(func.count().desc(), takes.c.reason)
        )
        return {NoTakeReason(row.reason): row.seats for row in connection.execute(query)}

    async def failed_seats(
        self, run: int, reasons: Iterable[NoTakeReason] | None = None
    ) -> AsyncIterator[FailedSeat]:
        """Yield the failed seats of a run's drafts, for some reasons or for all, in the order of drafts and seats."""
        wanted = FAILURES if reasons is None else FAILURES.intersection(reasons)
        after = 0
        while found := await self._failed_seats(run, after, takes.c.reason.in_(wanted)):
            for seat in found:
                yield seat
            after = found[-1].draft

    @reads
    def _failed_seats(
        self, connection: Connection, run: int, after: int, where: ColumnElement[bool]
    ) -> list[FailedSeat]:
        failed = select(takes.c.draft_id).where(takes.c.draft_id == drafts.c.id, where).exists()
        page = select(drafts.c.id).where(drafts_of(run), drafts.c.id > after, failed)
        # Reviews are large; they are read for this page only, and not sorted with the rest.
        page = page.order_by(drafts.c.id).limit(PAGE)
        query = select(drafts.c.id, drafts.c.review, tools.c.name, tools.c.slug).join_from(drafts, tools)
        found = {row.id: row for row in connection.execute(query.where(drafts.c.id.in_(page)))}
        seats = select(takes).where(takes.c.draft_id.in_(found), where)
        rows = connection.execute(seats.order_by(takes.c.draft_id, takes.c.position)).all()
        replies = _replies(connection, rows)
        return [
            _failed_seat(row, found[row.draft_id], replies.get((row.prompt_digest, row.model)))
            for row in rows
        ]


def _summaries(connection: Connection, chosen: Select[Any]) -> list[RunSummary]:
    page = chosen.cte("page")
    parts = (_tool_counts(page), _failed_counts(page), _call_sums(page))
    query = select(
        *(page.c[name] for name in Run.model_fields),
        page.c.lease_holder.label("holder"),
        page.c.lease_since.label("held_since"),
        *(
            func.coalesce(part.c[name], 0).label(name)
            for part in parts
            for name in part.c.keys()  # noqa: SIM118 - no dictionary
            if name != "run_id"
        ),
    )
    for part in parts:
        query = query.outerjoin(part, part.c.run_id == page.c.id)
    rows = connection.execute(query.order_by(page.c.id.desc())).mappings()
    return [RunSummary.model_validate(dict(row)) for row in rows]


def _tool_counts(page: CTE) -> Subquery:
    done = func.count().filter(run_tools.c.state == DONE)
    query = select(run_tools.c.run_id, func.count().label("tools"), done.label("done"))
    return query.where(_in(run_tools.c.run_id, page)).group_by(run_tools.c.run_id).subquery()


def _failed_counts(page: CTE) -> Subquery:
    query = select(run_tools.c.run_id, func.count().label("failed_seats"))
    query = query.join_from(run_tools, takes, run_tools.c.draft_id == takes.c.draft_id)
    query = query.where(_in(run_tools.c.run_id, page), takes.c.reason.in_(FAILURES))
    return query.group_by(run_tools.c.run_id).subquery()


def _call_sums(page: CTE) -> Subquery:
    query = select(
        calls.c.run_id,
        func.sum(calls.c.cost_usd).label("cost_usd"),
        func.count().label("answers"),
        func.count().filter(calls.c.cost_usd.is_(None)).label("unpriced"),
    )
    query = query.where(_in(calls.c.run_id, page), calls.c.state == ANSWERED)
    return query.group_by(calls.c.run_id).subquery()


def _in(column: ColumnElement[int], page: CTE) -> ColumnElement[bool]:
    return column.in_(select(page.c.id))


def _by_state(connection: Connection, table: Table, run: int) -> dict[str, int]:
    query = select(table.c.state, func.count().label("rows")).where(table.c.run_id == run)
    return {row.state: row.rows for row in connection.execute(query.group_by(table.c.state))}


def _calls_of_unknown_price() -> Case[int]:
    """Return the number of requests of a call that may have been billed at an unknown price; all possible ones if it is open."""
    lost = func.coalesce(calls.c.lost_calls, 0)
    unpriced = (calls.c.state == ANSWERED) & calls.c.cost_usd.is_(None)
    return case((calls.c.state == OPEN, calls.c.most_calls), (unpriced, lost + 1), else_=lost)


def _sum(column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions are untyped here
    return func.coalesce(func.sum(column), 0)


def _failed_seat(row: Row[Any], draft: Row[Any, Any, Any, Any], reply: str | None) -> FailedSeat:
    outcome = Seat.model_validate(draft.review["seats"][row.position]).outcome
    return FailedSeat(
        draft=row.draft_id,
        tool=draft.name,
        slug=draft.slug,
        persona=row.persona,
        reason=row.reason,
        detail=outcome.detail if isinstance(outcome, NoTake) else "",
        model=row.model,
        reply=reply if row.reason in REPLIED else None,
    )


def _replies(connection: Connection, rows: Iterable[Row[Any]]) -> dict[tuple[str, str], str]:
    """Return the latest answer to the last question of each seat, by prompt digest and model."""
    digests = {row.prompt_digest for row in rows if row.reason in REPLIED and row.prompt_digest}
    latest = (
        select(func.max(calls.c.id))
        .where(calls.c.prompt_digest.in_(digests), calls.c.state == ANSWERED)
        .group_by(calls.c.prompt_digest, calls.c.model)
    )
    query = select(calls.c.prompt_digest, calls.c.model, calls.c.completion).where(calls.c.id.in_(latest))
    return {
        (row.prompt_digest, row.model): Completion.model_validate(row.completion).text
        for row in connection.execute(query)
    }
