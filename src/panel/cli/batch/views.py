"""`panel batch list`, `status`, `failures` and `cancel`: they look at runs and ask no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.batch.arguments import Reasons, RunNumber, failure_reasons
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.take import NoTakeReason
    from panel.settings.resolve import Resolved
    from panel.store import RunSummary, Store

LIST_HELP = """List runs, the latest first.

Shows batches and retries; with --all, reviews and comparisons too. The state of a run is making (its tools are being added), open,
working (a process on this machine works on it), held (a process on another machine has it), stopping, stopped or done.

Examples:

  panel batch list

  panel batch list --all --limit 50 --before 120

  panel batch list --json
"""
STATUS_HELP = """Show the progress and the cost of a run, and the commands to run next.

Examples:

  panel batch status 7

  panel batch status 7 --json
"""
FAILURES_HELP = """Show the failed seats of a run with the model's replies.

A recused seat is no failure. Replies are cut to a few lines; --raw and --json give them whole.

Examples:

  panel batch failures 7

  panel batch failures 7 --reason invalid,truncated --raw

  panel batch failures 7 --json
"""
CANCEL_HELP = """Stop a run, which can be resumed later.

Answers are kept. A process that works on the run notices within five seconds: its calls in flight finish, and no others begin.

Examples:

  panel batch cancel 7
"""
MOST_LISTED = 1_000


def list_runs(
    everything: Annotated[bool, typer.Option("--all", help="List reviews and comparisons too.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MOST_LISTED, help="Runs to list at most.")
    ] = 20,
    before: Annotated[
        int | None,
        typer.Option("--before", metavar="RUN", min=1, help="List runs before this one only."),
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """List runs, the latest first.

    JSON: an array of `{run, kind, state, begun_at, ended_at, tools, done, failed_seats, cost_usd, unpriced_answers}`. Times are
    ISO 8601 in UTC; `cost_usd` is null where no answer has a known price, and lacks the prices of `unpriced_answers`.
    """
    from panel.cli.batch.render import listed_data, listed_lines
    from panel.cli.console import plain_result, result_json
    from panel.settings.resolve import resolve

    runs = _listed(resolve(options.given(), config), limit + 1, before, everything=everything)
    shown = runs[:limit]
    if as_json:
        result_json([listed_data(run) for run in shown])
        return
    if not shown:
        plain_result(_nothing(before, everything=everything))
        return
    printed = listed_lines(shown)
    if len(runs) > limit:
        flag = " --all" if everything else ""
        printed += ["", f"older ones: panel batch list{flag} --limit {limit} --before {shown[-1].id}"]
    plain_result("\n".join(printed))


def status(run: RunNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show how far a run is.

    JSON: `run`, `kind`, `state`, `settings` (model, roster and the like), `begun_at`, `ended_at`; `holder`: null or `{process, host, since,
    at_work}`, where `at_work` is null for another machine; `tools`: `{all, done, todo}`; `drafts`; `failed_seats`: number by reason;
    `calls`: `{answered, failed, open}`; `cost`: `{known_usd, unpriced_answers, unanswered_calls, unanswered_usd_at_most}`;
    `budget`: null or `{usd, left_usd}`; `next`: commands. Times are ISO 8601 in UTC; an unknown price is null.
    """
    from panel.cli.batch.render import run_status, status_data, status_lines
    from panel.cli.console import plain_result, result_json, width
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    found = use_store(resolve(options.given(), config), lambda store: run_status(store, run))
    if as_json:
        result_json(status_data(found))
    else:
        plain_result("\n".join(status_lines(found, width())))


def failures(
    run: RunNumber,
    reason: Reasons = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print each reply whole.")] = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the seats that failed.

    JSON: an array of `{draft, tool, slug, persona, reason, detail, model, reply}`; `reply` is null where no answer came.
    """
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    reasons = failure_reasons(reason)
    resolved = resolve(options.given(), config)
    if as_json:
        use_store(resolved, lambda store: _print_failures_json(store, run, reasons))
    else:
        use_store(resolved, lambda store: _print_failures(store, run, reasons, raw=raw))


def cancel(run: RunNumber, config: options.Config = None) -> None:
    """Stop a run."""
    from panel.cli.batch.render import cancelled_lines
    from panel.cli.console import plain_result
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    summary, changed = use_store(resolve(options.given(), config), lambda store: _cancel(store, run))
    plain_result(cancelled_lines(summary, changed=changed))


def _listed(resolved: Resolved, limit: int, before: int | None, *, everything: bool) -> list[RunSummary]:
    from panel.orchestrator.run_storage import RESUMABLE
    from panel.orchestrator.stores import inspect_store, use_store

    if not inspect_store(resolved).exists:
        return []
    kinds = None if everything else RESUMABLE
    return use_store(resolved, lambda store: store.run_stats.summaries(kinds, before=before, limit=limit))


def _nothing(before: int | None, *, everything: bool) -> str:
    if before is not None:
        return f"no runs before run {before}"
    return "no runs yet" if everything else "no runs yet; --all lists reviews and comparisons too"


async def _print_failures(store: Store, run: int, reasons: Sequence[NoTakeReason], *, raw: bool) -> None:
    """Print seats as they are read, because there may be many thousands."""
    from collections import Counter

    from panel.cli.batch.render import failed_seat_lines, failures_total, run_summary
    from panel.cli.console import plain_result, width

    summary = await run_summary(store, run)
    counts: Counter[NoTakeReason] = Counter()
    columns = width()
    async for seat in store.run_stats.failed_seats(run, reasons):
        counts[seat.reason] += 1
        plain_result("\n".join([*failed_seat_lines(seat, columns, raw=raw), "\n"]))
    plain_result("\n".join(failures_total(summary, counts, reasons)))


async def _print_failures_json(store: Store, run: int, reasons: Sequence[NoTakeReason]) -> None:
    from panel.cli.batch.render import failed_seat_json, run_summary
    from panel.cli.console import result

    await run_summary(store, run)
    opening = "["
    async for seat in store.run_stats.failed_seats(run, reasons):
        result(f"{opening}{failed_seat_json(seat)}")
        opening = ","
    result("]" if opening == "," else "[]")


async def _cancel(store: Store, run: int) -> tuple[RunSummary, bool]:
    """Return the run as it is now, and whether this stopped it."""
    from panel.cli.batch.render import run_summary
    from panel.orchestrator.run_storage import RESUMABLE
    from panel.store import RunState

    summary = await run_summary(store, run)
    if summary.kind not in RESUMABLE:
        raise SettingsError(f"run {run} is a {summary.kind}; stop it with Ctrl-C where it runs")
    if summary.state is RunState.MAKING:
        raise SettingsError(f"run {run} has asked nothing yet; stop it with Ctrl-C where its tools are added")
    changed = await store.runs.stop(run)
    summary = await run_summary(store, run)
    if summary.state is RunState.DONE:
        raise SettingsError(f"run {run} is done already; there is nothing to stop")
    return summary, changed
