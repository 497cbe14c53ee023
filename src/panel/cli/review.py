"""`panel review`: tools in, scorecards and report files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from panel.core.tool import Tool
    from panel.orchestrator.run import Reviewed
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.resolve import Resolved

HELP = """Review one or more tools.

Prints a scorecard for each tool and writes its report files.

Examples:

  panel review tool.yaml

  panel review a.yaml b.json c.md --model openai:gpt-6-luna

  panel review tool.yaml --models openai:gpt-6-luna,anthropic:claude-haiku-5-5

  panel review tool.yaml --roster builder,skeptic=anthropic:claude-opus-5-5

  cat tool.yaml | panel review - --json
"""
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
    import asyncio

    from panel.cli.console import colorful, result, width
    from panel.cli.page import confirm_pages
    from panel.cli.progress import progress
    from panel.cli.running import INCOMPLETE, Runner, optional_store
    from panel.errors import SettingsError
    from panel.orchestrator.run import RunService, report_files
    from panel.orchestrator.setup import build_setup
    from panel.report import Editorial, review_json
    from panel.report.terminal import scorecard_text
    from panel.tool_files.duplicates import collect_tools
    from panel.tool_files.files import source_of
    from panel.tool_files.tables import parse_column_map
    from panel.web_pages.sources import read_sources

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    panels = settings_per_model(flags, config, models)
    records = read_sources(map(source_of, tools), parse_column_map(mapped or []))
    loaded = collect_tools(confirm_pages(records, unread=pages_unread))
    if not loaded:
        raise SettingsError("there is no tool left to review")
    setups = [build_setup(one, sample=loaded[0], dry=dry_run, fresh=fresh) for one, _ in panels]
    if dry_run:
        from panel.cli.estimate import show_estimates

        asyncio.run(show_estimates(setups, loaded, stored=not (no_store or fresh), as_json=as_json))
        return 0
    runner = Runner(quiet=quiet, verbose=verbose, stored=not no_store)
    color = colorful(refused=no_color)
    done: list[Reviewed] = []

    def show(event: Reviewed) -> None:
        done.append(event)
        known = Editorial(findings=event.findings)
        if as_json:
            result(review_json(event.review, known, indent=None))
        else:
            result(scorecard_text(event.review, width(), known, color=color))
        runner.note_files(event.reports)

    async def work() -> None:
        async with optional_store(setups[0].resolved, wanted=not no_store) as store:
            for setup, (_, suffix) in zip(setups, panels, strict=True):
                observer = progress(quiet=quiet, verbose=verbose)
                service = RunService(store, observer, runner.stop)
                reports = report_files(setup, suffix)
                run = await service.review(setup, loaded, fresh=fresh, reports=reports)
                await runner.follow(run, observer, show)

    runner.run(work())
    if len(setups) > 1:
        _compare_models(setups[0], loaded, done, None if as_json else color)
    return 0 if runner.complete else INCOMPLETE


def settings_per_model(
    flags: Mapping[str, Any], config: Path | None, models: str | None
) -> list[tuple[Resolved, str]]:
    """Return the settings of each model that `--models` names, and what follows the slugs of its report files.

    Raises:
        PanelError: a setting is unusable, or the models are too few, too many or named twice.
    """
    import os

    from panel.core.text import slugify
    from panel.errors import SettingsError
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
    panels = []
    for choice, slug in zip(choices, slugs, strict=True):
        given = {**flags, "model": str(choice)}
        resolved = resolve(given, config)
        if resolved.settings.record is not None:
            resolved = resolve(given | {"record": resolved.settings.record / slug}, config)
        panels.append((beside_others(resolved, choice.provider) if mixed else resolved, f"-by-{slug}"))
    return panels


def _compare_models(
    setup: PanelSetup, tools: Sequence[Tool], reviewed: Sequence[Reviewed], color: bool | None
) -> None:
    """Write a comparison of the models' reviews of each tool, and print it unless color is None."""
    from panel.cli.console import result, width
    from panel.core.comparison import Comparison
    from panel.orchestrator.run import report_files
    from panel.report import Editorial
    from panel.report.terminal import comparison_text

    for tool in tools:
        same = [event for event in reviewed if event.review.tool == tool and event.review.answered]
        if len(same) < FEWEST:
            continue
        comparison = Comparison(reviews=tuple(event.review for event in same))
        known = [Editorial(findings=event.findings) for event in same]
        paths = report_files(setup).write_comparison(comparison, known)
        if color is not None:
            result(comparison_text(comparison, width(), known, color=color))
            result("\n".join(f"Wrote {path}" for path in reversed(paths)))
