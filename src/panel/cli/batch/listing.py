"""`panel batch list`: what has been run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.batch.runs import BATCHES

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved
    from panel.store import RunSummary

HELP = """List runs, the latest first.

Shows batches and retries; with --all, reviews and comparisons too. The state of a run is making (its tools are being added), open, working (a process of this machine
is at work on it), held (by a process of another machine), stopping, stopped or done.

Examples:

  panel batch list

  panel batch list --all --limit 50 --before 120

  panel batch list --json
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
    from panel.cli.batch.words import listed_data, listed_lines
    from panel.cli.console import plain_result, result_json
    from panel.settings.resolve import resolve

    lines = _lines(resolve(options.given(), config), limit + 1, before, everything=everything)
    shown = lines[:limit]
    if as_json:
        result_json([listed_data(line) for line in shown])
        return
    if not shown:
        plain_result(_nothing(before, everything=everything))
        return
    printed = listed_lines(shown)
    if len(lines) > limit:
        printed += ["", f"older ones: {_older(shown[-1].id, limit, everything=everything)}"]
    plain_result("\n".join(printed))


def _lines(resolved: Resolved, limit: int, before: int | None, *, everything: bool) -> list[RunSummary]:
    from panel.orchestrator.stores import inspect_store, use_store

    if not inspect_store(resolved).exists:
        return []
    kinds = None if everything else BATCHES
    return use_store(resolved, lambda store: store.run_stats.summaries(kinds, before=before, limit=limit))


def _nothing(before: int | None, *, everything: bool) -> str:
    if before is not None:
        return f"no runs before run {before}"
    return "no runs yet" if everything else "no runs yet; --all lists reviews and comparisons too"


def _older(last: int, limit: int, *, everything: bool) -> str:
    return f"panel batch list{' --all' if everything else ''} --limit {limit} --before {last}"
