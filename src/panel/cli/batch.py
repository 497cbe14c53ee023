"""`panel batch`: many tools in one run, which can be stopped, resumed and retried; the list and the status of runs."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.console import plain_result, result, result_json, tell, width
from panel.cli.signals import SignalReceived
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from panel.core.take import NoTakeReason
    from panel.orchestrator.intake import Intake
    from panel.orchestrator.run import BatchOptions, ReviewRun, RunService
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.resolve import Resolved
    from panel.store import Store
    from panel.tool_files.records import Record

RUN_HELP = options.help_text(
    """Review many tools in one run, and keep a draft of each.

The run can be stopped or killed at any moment: `panel batch resume` continues it, and pays for no answer twice.""",
    "panel batch run launches.csv --map name=Title --budget 5",
    "panel batch run inbox/ 'more/*.yaml' --model anthropic:claude-haiku-5-5",
    "panel batch run launches.jsonl --dry-run",
    "panel batch run --url https://lantern.example/",
)
RESUME_HELP = options.help_text(
    """Resume a run that was stopped or killed.

Uses the settings the run was begun with. Answers that are in the store are not asked again. If a persona, a prompt or the model has
changed since, the run is refused: begin a new one.""",
    "panel batch resume 7",
    "panel batch resume 7 --budget 10",
)
RETRY_HELP = options.help_text(
    """Ask the failed seats of a run again.

Existing takes stay as they are. The retry is a run of its own, and can be stopped and resumed like any other.""",
    "panel batch retry 7",
    "panel batch retry 7 --reason invalid,timed_out --budget 1",
)

LIST_HELP = options.help_text(
    """List runs, the latest first.

Shows batches and retries; with --all, reviews and comparisons too. The state of a run is making (its tools are being added), open,
working (a process on this machine works on it), held (a process on another machine has it), stopping, stopped or done.""",
    "panel batch list",
    "panel batch list --all --limit 50 --before 120",
    "panel batch list --json",
)
STATUS_HELP = options.help_text(
    "Show the progress and the cost of a run, and the commands to run next.",
    "panel batch status 7",
    "panel batch status 7 --json",
)
FAILURES_HELP = options.help_text(
    """Show the failed seats of a run with the model's replies.

A recused seat is no failure. Replies are cut to a few lines; --raw and --json give them whole.""",
    "panel batch failures 7",
    "panel batch failures 7 --reason invalid,truncated --raw",
    "panel batch failures 7 --json",
)
CANCEL_HELP = options.help_text(
    """Stop a run, which can be resumed later.

Answers are kept. A process that works on the run notices within five seconds: its calls in flight finish, and no others begin.""",
    "panel batch cancel 7",
)
MOST_LISTED = 1_000

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("run", help=RUN_HELP)
def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Tool files, saved pages, folders or quoted patterns; or - for stdin."
        ),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="URL", help="Page of a tool to fetch. May be repeated."),
    ] = None,
    pages_unread: options.PagesUnread = False,
    mapped: options.Map = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Leave out unusable records, and review the others.")
    ] = False,
    similar: Annotated[
        bool,
        typer.Option(
            "--allow-similar", help="Let in tools that share only an address or a description with another."
        ),
    ] = False,
    budget: options.Budget = None,
    allow_unknown_price: options.AllowUnknownPrice = False,
    fresh: options.Fresh = False,
    dry_run: options.DryRun = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    roster: options.Roster = None,
    concurrency: options.Concurrency = None,
    out: options.AlsoOut = None,
    formats: options.Formats = None,
    personas: options.Personas = None,
    prompts: options.Prompts = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Review many tools in one run, and keep a draft of each."""
    from panel.cli.page import confirm_pages
    from panel.orchestrator.intake import Intake
    from panel.orchestrator.report_files import report_files
    from panel.orchestrator.run import BatchOptions, require_prices
    from panel.orchestrator.setup import build_setup

    resolved = options.resolved_settings(
        config, model=model, base_url=base_url, roster=roster, concurrency=concurrency, out=out, format=formats,
        personas=personas, prompts=prompts, budget=budget,
    )  # fmt: skip
    sources = [*(paths or []), *(url or [])]
    if not sources:
        raise SettingsError("name the tools to review: files, folders, patterns, - for stdin, or --url")
    batch = BatchOptions(
        sources=sources,
        fresh=fresh,
        similar=similar,
        reports=out is not None,
        allow_unknown_price=allow_unknown_price,
    )
    with Intake(tell, similar=similar) as tools:
        try:
            records = _records(resolved, paths or [], url or [], mapped or [])
            tools.add(confirm_pages(records, unread=pages_unread))
        except KeyboardInterrupt:
            message = "interrupted before anything was asked or kept; run the same command again"
            raise SignalReceived(signal.SIGINT, message) from None
        tools.require_valid(skip_invalid=skip_invalid)
        setup = build_setup(resolved, sample=next(iter(tools)), dry=dry_run, fresh=fresh)
        require_prices(setup, allow_unknown=allow_unknown_price)
        if dry_run:
            return _dry_run(setup, tools, batch, quiet=quiet, as_json=as_json)
        if batch.reports:
            report_files(setup.settings, setup.available).prepare()  # before there is a database
        return _follow(
            resolved,
            lambda service: service.batch(setup, tools, batch),
            nothing="all of these tools are there already; --fresh reviews them anew",
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )


@app.command("resume", help=RESUME_HELP)
def resume(
    run: options.RunNumber,
    budget: options.Budget = None,
    allow_unknown_price: options.MayAllowUnknownPrice = None,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Resume a run that was stopped or killed."""
    from panel.orchestrator.store_access import require_store

    resolved = options.resolved_settings(config)
    require_store(resolved)
    changes = options.given(budget=budget, concurrency=concurrency)
    return _follow(
        resolved,
        lambda service: service.resume(run, changes, config, allow_unknown_price=allow_unknown_price),
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )


@app.command("retry", help=RETRY_HELP)
def retry(
    run: options.RunNumber,
    reason: options.Reasons = None,
    budget: options.Budget = None,
    allow_unknown_price: options.AllowUnknownPrice = False,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Ask the failed seats of a run again."""
    from panel.orchestrator.store_access import require_store

    resolved = options.resolved_settings(config)
    require_store(resolved)
    changes = options.given(budget=budget, concurrency=concurrency)
    reasons = options.failure_reasons(reason)
    why = " or ".join(reason.replace("_", " ") for reason in reasons)
    return _follow(
        resolved,
        lambda service: service.retry(run, reasons, changes, config, allow_unknown_price=allow_unknown_price),
        nothing=f"no seat of run {run} failed{f' for this reason: {why}' if reason else ''}",
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )


@app.command("list", help=LIST_HELP)
def list_runs(
    everything: Annotated[bool, typer.Option("--all", help="List reviews and comparisons too.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MOST_LISTED, help="Runs to list at most.")
    ] = 20,
    before: Annotated[
        int | None, typer.Option("--before", metavar="RUN", min=1, help="List runs before this one only.")
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """List runs, the latest first.

    JSON: an array of `{run, kind, state, begun_at, ended_at, tools, done, failed_seats, cost_usd, unpriced_answers}`. Times are
    ISO 8601 in UTC; `cost_usd` is null where no answer has a known price, and lacks the prices of `unpriced_answers`.
    """
    from panel.cli.batch_rendering import listed_data, listed_lines
    from panel.orchestrator.run_storage import RESUMABLE
    from panel.orchestrator.store_access import use_existing_store

    kinds = None if everything else RESUMABLE
    runs = use_existing_store(
        options.resolved_settings(config),
        lambda store: store.run_stats.summaries(kinds, before=before, limit=limit + 1),
    )
    runs = runs or []
    shown = runs[:limit]
    if as_json:
        result_json([listed_data(run) for run in shown])
    elif shown:
        printed = listed_lines(shown)
        if len(runs) > limit:
            flag = " --all" if everything else ""
            printed += ["", f"older ones: panel batch list{flag} --limit {limit} --before {shown[-1].id}"]
        plain_result("\n".join(printed))
    elif before is not None:
        plain_result(f"no runs before run {before}")
    else:
        plain_result(f"no runs yet{'' if everything else '; --all lists reviews and comparisons too'}")


@app.command("status", help=STATUS_HELP)
def status(run: options.RunNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show how far a run is.

    JSON: `run`, `kind`, `state`, `settings` (model, roster and the like), `begun_at`, `ended_at`; `holder`: null or `{process, host, since,
    at_work}`, where `at_work` is null for another machine; `tools`: `{all, done, todo}`; `drafts`; `failed_seats`: number by reason;
    `calls`: `{answered, failed, open}`; `cost`: `{known_usd, unpriced_answers, unanswered_calls, unanswered_usd_at_most}`;
    `budget`: null or `{usd, left_usd}`; `next`: commands. Times are ISO 8601 in UTC; an unknown price is null.
    """
    from panel.cli.batch_rendering import status_data, status_lines
    from panel.orchestrator.run_status import run_status
    from panel.orchestrator.store_access import use_store

    found = use_store(options.resolved_settings(config), lambda store: run_status(store, run))
    if as_json:
        result_json(status_data(found))
    else:
        plain_result("\n".join(status_lines(found, width())))


@app.command("failures", help=FAILURES_HELP)
def failures(
    run: options.RunNumber,
    reason: options.Reasons = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print each reply whole.")] = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the seats that failed, as they are read, because there may be many thousands.

    JSON: an array of `{draft, tool, slug, persona, reason, detail, model, reply}`; `reply` is null where no answer came.
    """
    from collections import Counter

    from panel.cli.batch_rendering import failed_seat_json, failed_seat_lines, failures_total
    from panel.orchestrator.run_status import run_summary
    from panel.orchestrator.store_access import use_store

    reasons = options.failure_reasons(reason)

    async def show(store: Store) -> None:
        summary, columns = await run_summary(store, run), width()
        counts: Counter[NoTakeReason] = Counter()
        async for seat in store.run_stats.failed_seats(run, reasons):
            if as_json:
                result(f"{',' if counts else '['}{failed_seat_json(seat)}")
            else:
                plain_result("\n".join([*failed_seat_lines(seat, columns, raw=raw), "\n"]))
            counts[seat.reason] += 1
        if as_json:
            result("]" if counts else "[]")
        else:
            plain_result("\n".join(failures_total(summary, counts, reasons)))

    use_store(options.resolved_settings(config), show)


@app.command("cancel", help=CANCEL_HELP)
def cancel(run: options.RunNumber, config: options.Config = None) -> None:
    """Stop a run."""
    from panel.cli.batch_rendering import cancelled_lines
    from panel.orchestrator.run_status import stop_run
    from panel.orchestrator.store_access import use_store

    summary, changed = use_store(options.resolved_settings(config), lambda store: stop_run(store, run))
    plain_result(cancelled_lines(summary, changed=changed))


def _follow(
    resolved: Resolved,
    begin: Callable[[RunService], Awaitable[ReviewRun | None]],
    *,
    nothing: str = "",
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Begin or resume a run, show it to its end, and return the exit code; `nothing` is the reason if there is nothing to do."""
    from panel.cli.batch_rendering import status_lines
    from panel.cli.progress import BatchProgress
    from panel.cli.running import INCOMPLETE, Runner
    from panel.orchestrator.run import RunService
    from panel.orchestrator.run_status import run_status
    from panel.orchestrator.store_access import configured_store

    progress = BatchProgress(quiet=quiet, verbose=verbose, events=as_json)
    runner = Runner(quiet=quiet, verbose=verbose, resumable=True)

    async def work() -> int:
        async with configured_store(resolved) as store:
            review_run = await begin(RunService(store, progress, runner.stop))
            progress.note_more_skips()
            if review_run is None:
                runner.note(f"Nothing to do: {nothing}.")
                progress.nothing_to_do()
                return 0
            ended = await runner.follow(review_run, progress, progress.reviewed)
            if ended.run is not None and not as_json:
                plain_result("\n".join(status_lines(await run_status(store, ended.run), width())))
            return INCOMPLETE if ended.failed else 0

    return runner.run(work())


def _dry_run(setup: PanelSetup, tools: Intake, batch: BatchOptions, *, quiet: bool, as_json: bool) -> int:
    from panel.cli.estimate import show_estimates
    from panel.cli.progress import BatchProgress
    from panel.orchestrator.run import new_tools

    progress = BatchProgress(quiet=quiet, verbose=False, events=False)

    async def skips(store: Store) -> set[str]:
        skipped: set[str] = set()
        async for _, reasons in new_tools(store, setup, tools, batch):
            for tool, reason in reasons.items():
                skipped.add(tool)
                progress.skipped(reason)
        progress.note_more_skips()
        return skipped

    show_estimates([setup], tools, stored=not batch.fresh, as_json=as_json, skips=skips)
    return 0


def _records(resolved: Resolved, paths: list[str], urls: list[str], mapped: list[str]) -> Iterator[Record]:
    """Yield the records of files, and then of pages, which are fetched once all files are read."""
    from panel.tool_files.tables import parse_column_map
    from panel.web_pages.sources import read_records

    yield from read_records(paths, parse_column_map(mapped), sys.stdin.buffer)
    if urls:
        import asyncio

        from panel.web_pages.drafting import fetch_records

        yield from asyncio.run(fetch_records(urls, resolved.data_dir / "snapshots"))
