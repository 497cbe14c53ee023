"""`panel review`: tools in, scorecards and report files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.review import PanelReview

HELP = """Review one or more tools.

Prints a scorecard for each tool and writes its report files.

Examples:

  panel review tool.yaml

  panel review a.yaml b.json c.md --model openai:gpt-6-luna

  panel review tool.yaml --models openai:gpt-6-luna,anthropic:claude-haiku-5-5

  panel review tool.yaml --roster builder,skeptic=anthropic:claude-opus-5-5

  cat tool.yaml | panel review - --json
"""


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
    from panel.cli.console import colorful, result, width
    from panel.cli.jury import runs, side_by_side
    from panel.cli.page import confirm_pages
    from panel.cli.sitting import INCOMPLETE, Keeping, Voice
    from panel.errors import SettingsError
    from panel.report import review_json, scorecard_text
    from panel.tool_files.files import source_of
    from panel.tool_files.reading import collect_tools
    from panel.tool_files.tables import parse_column_map
    from panel.web_pages.sources import read_sources

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    voice = Voice(quiet=quiet, verbose=verbose)
    color = colorful(refused=no_color)
    keeping = Keeping(None if no_store else "review", fresh=fresh, dry=dry_run)
    sittings = runs(flags, config, models, voice, keeping)
    records = read_sources(map(source_of, tools), parse_column_map(mapped or []))
    loaded = collect_tools(confirm_pages(records, unread=pages_unread))
    if not loaded:
        raise SettingsError("there is no tool left to review")
    for sitting in sittings:
        sitting.prepare(loaded[0])
    if dry_run:
        from panel.cli.forecast import show_forecast

        show_forecast(sittings, loaded, kept=not (no_store or fresh), as_json=as_json)
        return 0
    done: list[PanelReview] = []

    def show(review_: PanelReview, _draft: int | None, paths: list[Path]) -> None:
        done.append(review_)
        known = sittings[0].known_of(review_)  # what personas never say is the same for all models
        if as_json:
            result(review_json(review_, known, indent=None))
        else:
            result(scorecard_text(review_, width(), known, color=color))
        voice.wrote(paths)

    for sitting in sittings:
        sitting.review(loaded, show)
    if len(sittings) > 1:
        side_by_side(sittings[0], loaded, done, None if as_json else color)
    return 0 if all(sitting.complete for sitting in sittings) else INCOMPLETE
