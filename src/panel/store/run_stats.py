"""Statistics of runs: progress, cost, who works on them, and failed seats with the model's replies."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the type of a field
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from panel.core.completion import Completion
from panel.core.frozen import Frozen
from panel.core.take import NoTake, NoTakeReason, Seat
from panel.store.calls import ANSWERED, FAILED, OPEN
from panel.store.columns import MAX_ID, columns_of
from panel.store.drafts import drafts_of
from panel.store.leases import ProcessId  # noqa: TC001 - likewise
from panel.store.runs import DONE, TODO, Run
from panel.store.schema import calls, drafts, run_tools, runs, takes, tools
from panel.store.transactions import Repository, load, load_one, reads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable

    from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table

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

    `tool` is the tool's latest name. `model` is the provider's name of the model, None if no call was made; `reply` is its last reply,
    unchanged, None if no answer came.
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
        return load(connection, RunSummary, _summaries(query))

    @reads
    def summary(self, connection: Connection, run: int) -> RunSummary | None:
        """Return a run with its statistics, or None if there is none of this id."""
        query = _summaries(select(runs).where(runs.c.id == min(run, MAX_ID)))
        return load_one(connection, RunSummary, query)

    @reads
    def progress(self, connection: Connection, run: int) -> RunProgress:
        """Return the progress of a run."""
        of_tools = _count_by_state(connection, run_tools, run)
        of_calls = _count_by_state(connection, calls, run)
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
        is_open, is_answered = calls.c.state == OPEN, calls.c.state == ANSWERED
        is_unpriced = is_answered & calls.c.cost_usd.is_(None)
        lost = func.coalesce(calls.c.lost_calls, 0)
        # Requests that may have been billed at an unknown price: all possible ones of an open call.
        at_risk = case((is_open, calls.c.most_calls), (is_unpriced, lost + 1), else_=lost)
        query = select(
            func.count().filter(is_answered).label("answers"),
            func.count().filter(is_unpriced).label("unpriced"),
            func.count().filter(is_open).label("open"),
            _sum(calls.c.cost_usd).label("cost_usd"),
            _sum(calls.c.input_tokens).label("input_tokens"),
            _sum(calls.c.output_tokens).label("output_tokens"),
            _sum(calls.c.lost_calls).label("lost"),
            _sum(calls.c.worst_usd * at_risk).label("at_risk_usd"),
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
        rows = connection.execute(query).all()
        return {NoTakeReason(row.reason): row.seats for row in rows}

    async def failed_seats(
        self, run: int, reasons: Iterable[NoTakeReason] | None = None
    ) -> AsyncIterator[FailedSeat]:
        """Yield the failed seats of a run's drafts, for some reasons or for all, in the order of drafts and seats."""
        has_failed = takes.c.reason.in_(FAILURES if reasons is None else FAILURES.intersection(reasons))
        failed = select(takes.c.draft_id).where(takes.c.draft_id == drafts.c.id, has_failed).exists()
        page = select(drafts.c.id).where(drafts_of(run), failed).order_by(drafts.c.id).limit(PAGE)
        last = 0
        while found := await self._failed_seats(page.where(drafts.c.id > last), has_failed):
            for seat in found:
                yield seat
            last = found[-1].draft

    @reads
    def _failed_seats(
        self, connection: Connection, page: Select[tuple[int]], has_failed: ColumnElement[bool]
    ) -> list[FailedSeat]:
        # Reviews are large; they are read for this page only, and not sorted with the rest.
        query = select(drafts.c.id, drafts.c.review, tools.c.name, tools.c.slug).join_from(drafts, tools)
        found = {row.id: row for row in connection.execute(query.where(drafts.c.id.in_(page)))}
        seats = select(takes).where(takes.c.draft_id.in_(found), has_failed)
        rows = connection.execute(seats.order_by(takes.c.draft_id, takes.c.position)).all()
        replies = _replies(connection, rows)
        failed = []
        for row in rows:
            draft = found[row.draft_id]
            outcome = Seat.model_validate(draft.review["seats"][row.position]).outcome
            seat = FailedSeat(
                draft=row.draft_id,
                tool=draft.name,
                slug=draft.slug,
                persona=row.persona,
                reason=row.reason,
                detail=outcome.detail if isinstance(outcome, NoTake) else "",
                model=row.model,
                reply=replies.get((row.prompt_digest, row.model)) if row.reason in REPLIED else None,
            )
            failed.append(seat)
        return failed


def _summaries(chosen: Select[Any]) -> Select[Any]:
    """Return the query of the statistics of chosen runs; each part is summed up by itself, for these runs only."""
    page = chosen.cte("page")
    done = func.count().filter(run_tools.c.state == DONE)
    of_tools = select(run_tools.c.run_id, func.count().label("tools"), done.label("done"))
    of_seats = select(run_tools.c.run_id, func.count().label("failed_seats"))
    of_seats = of_seats.join_from(run_tools, takes, run_tools.c.draft_id == takes.c.draft_id)
    of_calls = select(
        calls.c.run_id,
        func.sum(calls.c.cost_usd).label("cost_usd"),
        func.count().label("answers"),
        func.count().filter(calls.c.cost_usd.is_(None)).label("unpriced"),
    )
    columns: list[ColumnElement[Any]] = [
        *columns_of(page, Run),
        page.c.lease_holder.label("holder"),
        page.c.lease_since.label("held_since"),
    ]
    joined: FromClause = page
    for part, run in (
        (of_tools, run_tools.c.run_id),
        (of_seats.where(takes.c.reason.in_(FAILURES)), run_tools.c.run_id),
        (of_calls.where(calls.c.state == ANSWERED), calls.c.run_id),
    ):
        sums = part.where(run.in_(select(page.c.id))).group_by(run).subquery()
        joined = joined.outerjoin(sums, sums.c.run_id == page.c.id)
        columns += [func.coalesce(each, 0).label(each.name) for each in sums.c if each is not sums.c.run_id]
    return select(*columns).select_from(joined).order_by(page.c.id.desc())


def _count_by_state(connection: Connection, table: Table, run: int) -> dict[str, int]:
    query = select(table.c.state, func.count().label("rows")).where(table.c.run_id == run)
    return {row.state: row.rows for row in connection.execute(query.group_by(table.c.state))}


def _sum(column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions are untyped here
    return func.coalesce(func.sum(column), 0)


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
