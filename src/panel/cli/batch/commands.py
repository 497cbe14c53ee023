"""`panel batch run`, `resume` and `retry`: they review, and leave drafts."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.batch.arguments import Reasons, RunNumber, failure_reasons

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from panel.cli.batch.intake import Intake
    from panel.orchestrator.run import BatchOptions, ReviewRun, RunService
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.resolve import Resolved
    from panel.store import Store
    from panel.tool_files.records import Record

RUN_HELP = """Review many tools in one run, and keep a draft of each.

The run can be stopped or killed at any moment: `panel batch resume` continues it, and pays for no answer twice.

Examples:

  panel batch run launches.csv --map name=Title --budget 5

  panel batch run inbox/ 'more/*.yaml' --model anthropic:claude-haiku-5-5

  panel batch run launches.jsonl --dry-run

  panel batch run --url https://lantern.example/
"""
RESUME_HELP = """Resume a run that was stopped or killed.

Uses the settings the run was begun with. Answers that are in the store are not asked again. If a persona, a prompt or the model has
changed since, the run is refused: begin a new one.

Examples:

  panel batch resume 7

  panel batch resume 7 --budget 10
"""
RETRY_HELP = """Ask the failed seats of a run again.

Existing takes stay as they are. The retry is a run of its own, and can be stopped and resumed like any other.

Examples:

  panel batch retry 7

  panel batch retry 7 --reason invalid,timed_out --budget 1
"""


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
    from panel.cli.batch.intake import Intake
    from panel.cli.page import confirm_pages
    from panel.cli.signals import SignalReceived
    from panel.errors import SettingsError
    from panel.orchestrator.run import BatchOptions, report_files, require_prices
    from panel.orchestrator.setup import build_setup
    from panel.settings.resolve import resolve

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, out=out, format=formats,
        personas=personas, prompts=prompts, budget=budget,
    )  # fmt: skip
    resolved = resolve(flags, config)
    if not paths and not url:
        raise SettingsError("name the tools to review: files, folders, patterns, - for stdin, or --url")
    batch = BatchOptions(
        sources=[*(paths or []), *(url or [])],
        fresh=fresh,
        similar=similar,
        reports=out is not None,
        allow_unknown_price=allow_unknown_price,
    )
    with Intake(similar=similar) as tools:
        try:
            tools.add(
                confirm_pages(_records(resolved, paths or [], url or [], mapped or []), unread=pages_unread)
            )
        except KeyboardInterrupt:
            message = "interrupted before anything was asked or kept; run the same command again"
            raise SignalReceived(signal.SIGINT, message) from None
        tools.require_valid(skip_invalid=skip_invalid)
        setup = build_setup(resolved, sample=next(iter(tools)), dry=dry_run, fresh=fresh)
        require_prices(setup, allow_unknown=allow_unknown_price)
        if batch.reports and not dry_run:
            report_files(setup).prepare()  # before there is a database
        if dry_run:
            return _dry_run(setup, tools, batch, quiet=quiet, as_json=as_json)
        return _follow(
            resolved,
            lambda service: service.batch(setup, tools, batch),
            nothing="all of these tools are there already; --fresh reviews them anew",
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )


def resume(
    run: RunNumber,
    budget: options.Budget = None,
    allow_unknown_price: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-price", help="Keep a budget although the price of a model is not known."
        ),
    ] = None,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Resume a run that was stopped or killed."""
    from panel.orchestrator.stores import require_store
    from panel.settings.resolve import resolve

    resolved = resolve({}, config)
    require_store(resolved)
    changes = options.given(budget=budget, concurrency=concurrency)
    return _follow(
        resolved,
        lambda service: service.resume(run, changes, config, allow_unknown_price=allow_unknown_price),
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )


def retry(
    run: RunNumber,
    reason: Reasons = None,
    budget: options.Budget = None,
    allow_unknown_price: options.AllowUnknownPrice = False,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Ask the failed seats of a run again."""
    from panel.orchestrator.stores import require_store
    from panel.settings.resolve import resolve

    resolved = resolve({}, config)
    require_store(resolved)
    changes = options.given(budget=budget, concurrency=concurrency)
    reasons = failure_reasons(reason)
    why = " or ".join(reason.replace("_", " ") for reason in reasons)
    return _follow(
        resolved,
        lambda service: service.retry(run, reasons, changes, config, allow_unknown_price=allow_unknown_price),
        nothing=f"no seat of run {run} failed{f' for this reason: {why}' if reason else ''}",
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )


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
    from panel.cli.batch.progress import BatchProgress, BatchRunner
    from panel.cli.batch.render import run_status, status_lines
    from panel.cli.console import plain_result, width
    from panel.cli.running import INCOMPLETE
    from panel.orchestrator.run import RunService
    from panel.orchestrator.stores import configured_store

    progress = BatchProgress(quiet=quiet, verbose=verbose, events=as_json)
    runner = BatchRunner(progress, quiet=quiet, verbose=verbose)

    async def work() -> int:
        async with configured_store(resolved) as store:
            review_run = await begin(RunService(store, progress, runner.stop))
            progress.note_more_skips()
            if review_run is None:
                runner.note(f"Nothing to do: {nothing}.")
                progress.ended("nothing to do")
                return 0
            ended = await runner.follow(review_run, progress, progress.reviewed)
            if ended.run is not None and not as_json:
                plain_result("\n".join(status_lines(await run_status(store, ended.run), width())))
            return INCOMPLETE if ended.failed else 0

    return runner.run(work())


def _dry_run(setup: PanelSetup, tools: Intake, batch: BatchOptions, *, quiet: bool, as_json: bool) -> int:
    import asyncio

    from panel.cli.batch.progress import BatchProgress
    from panel.cli.estimate import show_estimates
    from panel.orchestrator.run import new_tools

    progress = BatchProgress(quiet=quiet, verbose=False, events=False)

    async def skips(store: Store) -> set[str]:
        skipped = {}
        async for _, page in new_tools(store, setup, tools, batch):
            for reason in page.values():
                progress.skipped(reason)
            skipped.update(dict.fromkeys(page))
        progress.note_more_skips()
        return set(skipped)

    asyncio.run(show_estimates([setup], tools, stored=not batch.fresh, as_json=as_json, skips=skips))
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
