"""`panel review`: tools in, scorecards and report files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from panel.domain.review import PanelReview

HELP = """Review one or more tools.

Prints a scorecard for each tool and writes its report files.

Examples:

  panel review tool.yaml

  panel review a.yaml b.json c.md --model openai:gpt-6-luna

  cat tool.yaml | panel review - --json
"""


def review(
    tools: Annotated[
        list[str], typer.Argument(metavar="TOOL...", help="Tool files (.yaml, .json, .md), or - for stdin.")
    ],
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    roster: options.Roster = None,
    concurrency: options.Concurrency = None,
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
    from panel.cli.sitting import INCOMPLETE, Sitting, Voice
    from panel.loaders.files import source_of
    from panel.loaders.tools import load_all
    from panel.report import review_json, scorecard_text
    from panel.settings.resolve import resolve

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, out=out, format=formats,
        personas=personas, prompts=prompts,
    )  # fmt: skip
    resolved = resolve(flags, config)
    loaded = load_all(map(source_of, tools))
    voice = Voice(quiet=quiet, verbose=verbose)
    sitting = Sitting(resolved, voice)
    color = colorful(refused=no_color)

    def show(review_: PanelReview, paths: list[Path]) -> None:
        if as_json:
            result(review_json(review_, indent=None))
        else:
            result(scorecard_text(review_, width=width(), color=color))
        voice.wrote(paths)

    sitting.review(loaded, show)
    return 0 if sitting.complete else INCOMPLETE
