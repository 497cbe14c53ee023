"""`panel compare`: two or more tools, or stored reviews, side by side."""

from __future__ import annotations

import json
import os
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.errors import Problem
    from panel.orchestrator.run import Reviewed
    from panel.orchestrator.setup import Checks, PanelSetup
    from panel.report import Editorial, StoredReview
    from panel.tool_files.files import Source
    from panel.tool_files.records import Record

HELP = """Compare two or more tools side by side.

Tool files are reviewed first; stored reviews are taken as they are.

Examples:

  panel compare a.yaml b.yaml

  panel compare outputs/reviews/a.json outputs/reviews/b.json

  panel compare outputs/reviews/a.json new.yaml --model anthropic
"""
FEWEST, MOST = 2, 6


def compare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C...]",
            help="Tool files, review files (.json), folders of review files, or - for a tool on stdin.",
        ),
    ],
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    roster: options.Roster = None,
    pages_unread: options.PagesUnread = False,
    concurrency: options.Concurrency = None,
    record: options.Record = None,
    fresh: options.Fresh = False,
    no_store: options.NoStore = False,
    dry_run: options.DryRun = False,
    out: options.Out = None,
    formats: options.Formats = None,
    personas: options.Personas = None,
    prompts: options.Prompts = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    no_color: options.NoColor = False,
) -> int:
    """Compare two or more tools side by side."""
    import asyncio

    from panel.cli.console import colorful, result, width
    from panel.cli.page import confirm_pages
    from panel.cli.progress import progress
    from panel.cli.running import INCOMPLETE, Runner, optional_store
    from panel.core.tool import Tool
    from panel.errors import SettingsError
    from panel.orchestrator.report_files import ReportFiles
    from panel.orchestrator.run import RunService
    from panel.orchestrator.setup import available_personas, build_setup, report_context, review_checks
    from panel.report import comparison_json
    from panel.report.terminal import comparison_text
    from panel.settings.resolve import resolve

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    resolved = resolve(flags, config)
    entries = load_entries(sources, partial(confirm_pages, unread=pages_unread))
    if not FEWEST <= len(entries) <= MOST:
        raise SettingsError(f"compare takes {FEWEST} to {MOST} tools or reviews; {len(entries)} given")
    tools = [entry for entry in entries if isinstance(entry, Tool)]
    setup = build_setup(resolved, sample=tools[0], dry=dry_run, fresh=fresh) if tools else None
    if dry_run:
        from panel.cli.estimate import show_estimates

        setups = [setup] if setup is not None else []
        asyncio.run(show_estimates(setups, tools, stored=not (no_store or fresh), as_json=as_json))
        return 0
    personas_ = available_personas(resolved)
    reports = ReportFiles(resolved.settings.out, resolved.settings.format, report_context(personas_.values()))
    runner = Runner(quiet=quiet, verbose=verbose, stored=not no_store)
    reviewed: dict[str, Reviewed] = {}

    def show(event: Reviewed) -> None:
        reviewed[event.review.tool.canonical] = event
        runner.note_files(event.reports)

    async def work(setup: PanelSetup) -> None:
        async with optional_store(resolved, wanted=not no_store) as store:
            observer = progress(quiet=quiet, verbose=verbose)
            service = RunService(store, observer, runner.stop)
            run = await service.review(setup, tools, kind="compare", fresh=fresh, reports=reports)
            await runner.follow(run, observer, show)

    if setup is not None:
        runner.run(work(setup))
    else:
        reports.prepare()
    comparison, known = _compared(entries, reviewed, review_checks(personas_))
    paths = reports.write_comparison(comparison, known)
    if as_json:
        result(comparison_json(comparison, known))
    else:
        result(comparison_text(comparison, width(), known, color=colorful(refused=no_color)))
        result("\n".join(f"Wrote {path}" for path in reversed(paths)))
    return 0 if runner.complete else INCOMPLETE


def _compared(
    entries: Sequence[Tool | StoredReview], reviewed: Mapping[str, Reviewed], checks: Checks
) -> tuple[Comparison, list[Editorial]]:
    """Return the comparison of the reviews, in the order of the command line, with findings and edits of each."""
    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.report import Editorial

    reviews: list[PanelReview] = []
    known: list[Editorial] = []
    for entry in entries:
        if isinstance(entry, Tool):
            event = reviewed[entry.canonical]
            reviews.append(event.review)
            known.append(Editorial(findings=event.findings))
        else:
            reviews.append(entry.review)
            known.append(Editorial(findings=checks(entry.review), marks=entry.edits))
    return Comparison(reviews=tuple(reviews)), known


def load_entries(
    arguments: Sequence[str], check: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> list[Tool | StoredReview]:
    """Return the tools and stored reviews that the arguments name, in their order; a folder stands for the reviews in it.

    Args:
        arguments: files, folders of reviews, or `-`.
        check: checks or replaces the records of tool files before their tools are taken.

    Raises:
        InputError: every problem of every source.
    """
    from panel.errors import InputError
    from panel.report import read_review
    from panel.tool_files.duplicates import collect_tools
    from panel.tool_files.files import read_text, source_of
    from panel.web_pages.sources import read_sources

    entries: list[Tool | StoredReview] = []
    problems: list[Problem] = []
    sources = [source for argument in arguments for source in _expanded(source_of(argument))]
    for stored, group in groupby(sources, key=_is_stored):
        members = list(group)
        try:
            if stored:
                entries += [read_review(read_text(one, (".json",)), str(one)) for one in members]
            else:
                entries += collect_tools(check(read_sources(members)))
        except InputError as error:
            problems += error.problems
    problems += _repeats(entries)
    if problems:
        raise InputError(problems)
    return entries


def _repeats(entries: Sequence[Tool | StoredReview]) -> Iterator[Problem]:
    from panel.core.tool import Tool
    from panel.errors import Problem

    names: set[str] = set()
    slugs: set[str] = set()
    for entry in entries:
        tool = entry if isinstance(entry, Tool) else entry.review.tool
        if tool.canonical in names:
            yield Problem(tool.name, "is given twice, as a tool or a stored review; give it once")
        elif tool.slug in slugs:
            yield Problem(
                tool.name,
                f"shares the slug {tool.slug} with another tool; give one of them its own",
                field="slug",
            )
        names.add(tool.canonical)
        slugs.add(tool.slug)


def _expanded(source: Source) -> Iterator[Source]:
    from panel.errors import InputError, Problem

    if not isinstance(source, Path) or not os.path.isdir(source):  # noqa: PTH112 - never raises
        yield source
        return
    reports = sorted(source.glob("*.json"))
    if not reports:
        raise InputError([Problem(str(source), "holds no stored reviews (*.json)")])
    yield from reports


def _is_stored(source: Source) -> bool:
    """Whether a file is a report: it names its kind, which a tool file cannot."""
    if not isinstance(source, Path) or source.suffix.lower() != ".json":
        return False
    try:
        if not source.is_file():
            return False
        document = json.loads(source.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "kind" in document
