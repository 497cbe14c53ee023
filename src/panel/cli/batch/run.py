"""`panel batch run`: many tools in, drafts kept."""

from __future__ import annotations

import signal
import sys
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from panel.cli.batch.intake import Intake
    from panel.cli.batch.shift import Assignment, Shift
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.resolve import Resolved
    from panel.store import Store
    from panel.tool_files.records import Record

HELP = """Review many tools in one run, and keep a draft of each.

The run can be stopped or killed at any moment: `panel batch resume` goes on where it was, and pays for no answer twice.

Examples:

  panel batch run launches.csv --map name=Title --budget 5

  panel batch run inbox/ 'more/*.yaml' --model anthropic:claude-haiku-5-5

  panel batch run launches.jsonl --dry-run

  panel batch run --url https://lantern.example/
"""
PAGE = 200
TOLD = 20


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
        bool, typer.Option("--skip-invalid", help="Go on without the records that cannot be used.")
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
    from panel.cli.batch.shift import Shift
    from panel.cli.page import confirm_pages
    from panel.cli.signals import SignalReceived
    from panel.cli.sitting import Keeping, Voice
    from panel.errors import SettingsError
    from panel.settings.resolve import resolve

    given = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, out=out, format=formats,
        personas=personas, prompts=prompts, budget=budget,
    )  # fmt: skip
    resolved = resolve(given, config)
    if not paths and not url:
        raise SettingsError("name the tools to review: files, folders, patterns, - for stdin, or --url")
    voice = Voice(quiet=quiet, verbose=verbose)
    shift = Shift(
        resolved,
        voice,
        events=as_json,
        reports=out is not None,
        keeping=Keeping(None, fresh=fresh, dry=dry_run),
    )
    with Intake(similar=similar) as intake:
        try:
            intake.take(
                confirm_pages(_records(resolved, paths or [], url or [], mapped or []), unread=pages_unread)
            )
        except KeyboardInterrupt:
            said = "interrupted before anything was asked or kept; run the same command again"
            raise SignalReceived(signal.SIGINT, said) from None
        intake.settle(skip_invalid=skip_invalid)
        first = next(iter(intake))
        cast = shift.prepare(first, allow_unknown_price=allow_unknown_price)
        if dry_run:
            return _forecast(shift, intake, cast, fresh=fresh, similar=similar, as_json=as_json)
        sources = [*(paths or []), *(url or [])]
        extra = {"sources": sources, "fresh": fresh, "similar": similar, "reports": out is not None,
                 "allow_unknown_price": allow_unknown_price}  # fmt: skip
        return shift.work(first, len(intake), partial(_begun, intake=intake, cast=cast, extra=extra))


def _records(resolved: Resolved, paths: list[str], urls: list[str], mapped: list[str]) -> Iterator[Record]:
    """Yield the records of files first, and then of pages, which are fetched only once the files were read."""
    from panel.tool_files.tables import parse_column_map
    from panel.web_pages.sources import read_records

    yield from read_records(paths, parse_column_map(mapped), sys.stdin.buffer)
    if urls:
        import asyncio

        from panel.web_pages.drafting import fetch_records

        yield from asyncio.run(fetch_records(urls, resolved.data_dir / "snapshots"))


def _forecast(
    shift: Shift, intake: Intake, cast: PanelSetup, *, fresh: bool, similar: bool, as_json: bool
) -> int:
    from panel.cli.forecast import show_forecast

    async def left_out(store: Store) -> set[str]:
        return {
            name
            async for _, known in _judged(shift, store, intake, cast, fresh=fresh, similar=similar)
            for name in known
        }

    show_forecast([shift.sitting], intake, kept=not fresh, as_json=as_json, left_out=left_out)
    return 0


async def _begun(
    shift: Shift, store: Store, intake: Intake, cast: PanelSetup, extra: dict[str, Any]
) -> Assignment | None:
    """Make a run of the tools that are not drafted yet; None if all are."""
    from panel.cli.batch.shift import Assignment
    from panel.cli.ledger import StoredRun
    from panel.orchestrator.run_settings import settings_of
    from panel.store import RunState

    number: int | None = None
    judged = _judged(shift, store, intake, cast, fresh=extra["fresh"], similar=extra["similar"])
    async for page, known in judged:
        wanted = [tool for tool in page if tool.canonical not in known]
        if not wanted:
            continue
        if number is None:
            settings = settings_of(shift.resolved, cast, **extra)
            number = await store.runs.create("batch", settings, RunState.MAKING)
        await store.runs.add_tools(number, wanted)
    if number is None:
        shift.voice.note("Nothing to do: all of these tools are there already; --fresh reviews them anew.")
        return None
    run_, fresh, note = number, extra["fresh"], shift.voice.note
    return Assignment(run_, lambda budget: StoredRun(store, run_, fresh=fresh, budget=budget, note=note))


async def _judged(
    shift: Shift, store: Store, intake: Intake, cast: PanelSetup, *, fresh: bool, similar: bool
) -> AsyncIterator[tuple[list[Tool], dict[str, str]]]:
    """Yield the tools a page at a time, with why some of them are left out by their canonical names; and say so."""
    left_out = 0
    for page in _pages(intake):
        known = {} if fresh else await _known(store, cast, page, similar=similar)
        for why in islice(known.values(), max(TOLD - left_out, 0)):
            shift.voice.note(why)
        left_out += len(known)
        yield page, known
    if left_out > TOLD:
        shift.voice.note(
            f"… and {left_out - TOLD:,} more tools are left out, because they are there already."
        )


def _pages(tools: Intake) -> Iterator[list[Tool]]:
    rest = iter(tools)
    while page := list(islice(rest, PAGE)):
        yield page


async def _known(store: Store, cast: PanelSetup, page: list[Tool], *, similar: bool) -> dict[str, str]:
    """Return why tools are left out that are drafted already, or known under another name, by their canonical names."""
    from panel.core.review import review_id

    ids = {review_id(tool, cast.setup): tool for tool in page}
    drafted = await store.drafts.complete(ids)
    known = {}
    for key, tool in ids.items():
        if line := drafted.get(key):
            known[tool.canonical] = (
                f"{tool.name}: drafted already, in run {line.run} (draft {line.id}); left out"
            )
        elif not similar and (others := await store.tools.duplicates_of(tool)):
            same = f"known already as {others[0].name}; left out (--allow-similar lets it in)"
            known[tool.canonical] = f"{tool.name}: {same}"
    return known
