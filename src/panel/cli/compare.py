"""`panel compare`: two or more tools, or stored reviews, side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.review import PanelReview

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
    from panel.cli.console import colorful, result, width
    from panel.cli.entries import load_entries
    from panel.cli.output import COMPARISONS
    from panel.cli.page import confirm_pages
    from panel.cli.sitting import INCOMPLETE, Keeping, Sitting, Voice
    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.errors import SettingsError
    from panel.report import StoredReview, comparison_json, comparison_reports, comparison_text
    from panel.settings.resolve import resolve

    flags = options.given(
        model=model, base_url=base_url, roster=roster, concurrency=concurrency, record=record, out=out,
        format=formats, personas=personas, prompts=prompts,
    )  # fmt: skip
    resolved = resolve(flags, config)
    entries = load_entries(sources, partial(confirm_pages, unread=pages_unread))
    if not FEWEST <= len(entries) <= MOST:
        raise SettingsError(f"compare takes {FEWEST} to {MOST} tools or reviews; {len(entries)} given")
    voice = Voice(quiet=quiet, verbose=verbose)
    sitting = Sitting(resolved, voice, Keeping(None if no_store else "compare", fresh=fresh, dry=dry_run))
    reviewed: dict[str, PanelReview] = {}

    def keep(review: PanelReview, _draft: int | None, paths: list[Path]) -> None:
        reviewed[review.tool.canonical] = review
        voice.wrote(paths)

    tools = [entry for entry in entries if isinstance(entry, Tool)]
    if dry_run:
        from panel.cli.forecast import show_forecast

        show_forecast([sitting], tools, kept=not (no_store or fresh), as_json=as_json)
        return 0
    if tools:
        sitting.review(tools, keep)
    else:
        sitting.outputs.prepare()
    columns = [
        StoredReview(reviewed[entry.canonical], ()) if isinstance(entry, Tool) else entry for entry in entries
    ]
    comparison = Comparison(reviews=tuple(column.review for column in columns))
    known = [sitting.known_of(*column) for column in columns]
    reports = comparison_reports(comparison, sitting.context, known)
    paths = sitting.outputs.write(COMPARISONS, comparison.slug, reports)
    if as_json:
        result(comparison_json(comparison, known))
    else:
        result(comparison_text(comparison, width(), known, color=colorful(refused=no_color)))
        result("\n".join(f"Wrote {path}" for path in reversed(paths)))
    return 0 if sitting.complete else INCOMPLETE
