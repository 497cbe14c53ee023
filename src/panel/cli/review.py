"""`panel review` and `panel compare`: tools in, scorecards and report files out."""

from __future__ import annotations

import json
import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options
from panel.cli.console import colorful, result, width
from panel.errors import InputError, Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.orchestrator.run import Reviewed
    from panel.report import Editorial, StoredReview
    from panel.settings.resolve import Resolved
    from panel.tool_files.files import Source
    from panel.tool_files.records import Record

HELP = options.help_text(
    """Review one or more tools.

Prints a scorecard for each tool and writes its report files.""",
    "panel review tool.yaml",
    "panel review a.yaml b.json c.md --model openai:gpt-6-luna",
    "panel review tool.yaml --models openai:gpt-6-luna,anthropic:claude-haiku-5-5",
    "panel review tool.yaml --roster builder,skeptic=anthropic:claude-opus-5-5",
    "cat tool.yaml | panel review - --json",
)
COMPARE_HELP = options.help_text(
    """Compare two or more tools side by side.

Tool files are reviewed first; stored reviews are taken as they are.""",
    "panel compare a.yaml b.yaml",
    "panel compare outputs/reviews/a.json outputs/reviews/b.json",
    "panel compare outputs/reviews/a.json new.yaml --model anthropic",
)
FEWEST, MOST = 2, 6


def review(
    tools: Annotated[
        list[str],
        typer.Argument(
            metavar="TOOL...", help="Tool files (.yaml, .json, .md, .csv, .jsonl, .html), or - for stdin."
        ),
    ],
    model: options.Model = None,
    models: Annotated[
        str | None,
        typer.Option(
            "--models", metavar="A,B[,C...]", help="Models to ask one after the other, shown side by side."
        ),
    ] = None,
    base_url: options.BaseUrl = None,
    roster: options.Roster = None,
    concurrency: options.Concurrency = None,
    mapped: options.Map = None,
    pages_unread: options.PagesUnread = False,
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
    """Review one or more tools."""
    from panel.cli.page import confirm_pages
    from panel.cli.running import INCOMPLETE, Runner
    from panel.core.comparison import Comparison
    from panel.orchestrator.report_files import report_files
    from panel.orchestrator.setup import build_setup
    from panel.report import Editorial, json_report
    from panel.report.terminal import terminal_report
    from panel.tool_files.duplicates import collect_tools
    from panel.tool_files.files import source_of
    from panel.tool_files.tables import parse_column_map
    from panel.web_pages.sources import read_sources

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    settings = _settings_per_model(flags, config, models)
    records = read_sources(map(source_of, tools), parse_column_map(mapped or []))
    loaded = collect_tools(confirm_pages(records, unread=pages_unread))
    if not loaded:
        raise SettingsError("there is no tool left to review")
    setups = [build_setup(one, sample=loaded[0], dry=dry_run, fresh=fresh) for one, _ in settings]
    if dry_run:
        from panel.cli.estimate import show_estimates

        show_estimates(setups, loaded, stored=not (no_store or fresh), as_json=as_json)
        return 0
    panels = [
        (setup, report_files(setup.settings, setup.available, suffix))
        for setup, (_, suffix) in zip(setups, settings, strict=True)
    ]
    runner = Runner(quiet=quiet, verbose=verbose, stored=not no_store)
    color = colorful(refused=no_color)
    reviewed: list[Reviewed] = []

    def show(event: Reviewed) -> None:
        reviewed.append(event)
        known = Editorial(findings=event.findings)
        if as_json:
            result(json_report(event.review, (known,), indent=None))
        else:
            result(terminal_report(event.review, width(), (known,), color=color))

    runner.review(panels, loaded, show, fresh=fresh)
    reports = report_files(setups[0].settings, setups[0].available)
    for tool in loaded if len(setups) > 1 else ():
        same = [event for event in reviewed if event.review.tool == tool and event.review.answered]
        if len(same) >= FEWEST:
            comparison = Comparison(reviews=tuple(event.review for event in same))
            known = [Editorial(findings=event.findings) for event in same]
            paths = reports.write_comparison(comparison, known)
            if not as_json:
                _show_comparison(comparison, known, paths, color=color)
    return 0 if runner.complete else INCOMPLETE


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
    from panel.cli.page import confirm_pages
    from panel.cli.running import INCOMPLETE, Runner
    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.orchestrator.report_files import report_files
    from panel.orchestrator.setup import available_personas, build_setup, review_checks
    from panel.report import Editorial, json_report

    resolved = options.resolved_settings(
        config, model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    entries = _load_entries(sources, lambda records: confirm_pages(records, unread=pages_unread))
    if not FEWEST <= len(entries) <= MOST:
        raise SettingsError(f"compare takes {FEWEST} to {MOST} tools or reviews; {len(entries)} given")
    tools = [entry for entry in entries if isinstance(entry, Tool)]
    setups = [build_setup(resolved, sample=tools[0], dry=dry_run, fresh=fresh)] if tools else []
    if dry_run:
        from panel.cli.estimate import show_estimates

        show_estimates(setups, tools, stored=not (no_store or fresh), as_json=as_json)
        return 0
    available = available_personas(resolved)
    reports, checks = report_files(resolved.settings, available), review_checks(available)
    runner = Runner(quiet=quiet, verbose=verbose, stored=not no_store)
    reviewed: dict[str, Reviewed] = {}

    def show(event: Reviewed) -> None:
        reviewed[event.review.tool.canonical] = event

    if setups:
        runner.review([(setups[0], reports)], tools, show, kind="compare", fresh=fresh)
    else:
        reports.prepare()
    reviews, known = [], []
    for entry in entries:
        if isinstance(entry, Tool):
            event = reviewed[entry.canonical]
            reviews.append(event.review)
            known.append(Editorial(findings=event.findings))
        else:
            reviews.append(entry.review)
            known.append(Editorial(findings=checks(entry.review), marks=entry.edits))
    comparison = Comparison(reviews=tuple(reviews))
    paths = reports.write_comparison(comparison, known)
    if as_json:
        result(json_report(comparison, known))
    else:
        _show_comparison(comparison, known, paths, color=colorful(refused=no_color))
    return 0 if runner.complete else INCOMPLETE


def _show_comparison(
    comparison: Comparison, known: Sequence[Editorial], paths: Sequence[Path], *, color: bool
) -> None:
    from panel.report.terminal import terminal_report

    result(terminal_report(comparison, width(), known, color=color))
    result("\n".join(f"Wrote {path}" for path in reversed(paths)))


def _settings_per_model(
    flags: Mapping[str, Any], config: Path | None, models: str | None
) -> list[tuple[Resolved, str]]:
    """Return the settings of each model that `--models` names, and the suffix of its report files' names.

    Raises:
        PanelError: a setting is unusable, or the models are too few, too many or named twice.
    """
    from panel.core.text import slugify
    from panel.orchestrator.setup import beside_others
    from panel.settings.model_choice import choose_model
    from panel.settings.resolve import resolve

    if models is None:
        return [(resolve(flags, config), "")]
    if "model" in flags:
        raise SettingsError("--model and --models exclude each other; name all models in --models")
    names = [name.strip() for name in models.split(",")]
    choices = [choose_model(name, "--models", os.environ) for name in names] if all(names) else []
    slugs = [slugify(str(choice)) for choice in choices]
    if not FEWEST <= len(choices) <= MOST or len(set(slugs)) < len(slugs):
        raise SettingsError(f"--models takes {FEWEST} to {MOST} different models, separated by commas")
    mixed = len({choice.provider for choice in choices}) > 1
    settings = []
    for choice, slug in zip(choices, slugs, strict=True):
        given = {**flags, "model": str(choice)}
        resolved = resolve(given, config)
        if resolved.settings.record is not None:
            resolved = resolve(given | {"record": resolved.settings.record / slug}, config)
        settings.append((beside_others(resolved, choice.provider) if mixed else resolved, f"-by-{slug}"))
    return settings


def _load_entries(
    arguments: Sequence[str], confirm: Callable[[Iterable[Record]], Iterable[Record]]
) -> list[Tool | StoredReview]:
    """Return the tools and stored reviews that the arguments name, in their order; a folder stands for the reviews in it.

    `confirm` checks or replaces the records of tool files before their tools are taken.

    Raises:
        InputError: every problem of every source.
    """
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
                entries += collect_tools(confirm(read_sources(members)))
        except InputError as error:
            problems += error.problems
    problems += _repeats(entries)
    if problems:
        raise InputError(problems)
    return entries


def _repeats(entries: Sequence[Tool | StoredReview]) -> Iterator[Problem]:
    from panel.core.tool import Tool

    names: set[str] = set()
    slugs: set[str] = set()
    for entry in entries:
        tool = entry if isinstance(entry, Tool) else entry.review.tool
        if tool.canonical in names:
            yield Problem(tool.name, "is given twice, as a tool or a stored review; give it once")
        elif tool.slug in slugs:
            message = f"shares the slug {tool.slug} with another tool; give one of them its own"
            yield Problem(tool.name, message, field="slug")
        names.add(tool.canonical)
        slugs.add(tool.slug)


def _expanded(source: Source) -> list[Source]:

    if not isinstance(source, Path) or not os.path.isdir(source):  # noqa: PTH112 - never raises
        return [source]
    reports: list[Source] = [*sorted(source.glob("*.json"))]
    if not reports:
        raise InputError([Problem(str(source), "holds no stored reviews (*.json)")])
    return reports


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
