"""`panel queue list`: the drafts that wait, and those that do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from enum import StrEnum
    from pathlib import Path

    from panel.store import QueueFilter, QueueRow

HELP = """List drafts: those that wait, unless a state is named.

Those that wait are new, in review, or sent back for changes. A state is drafted, in_review, changes_requested, approved, published,
rejected or retracted.

Examples:

  panel queue list

  panel queue list --state approved --order newest

  panel queue list --flag price --split close --older-than 2
"""
HEADS = ("id", "tool", "state", "panel", "to do", "cost", "age", "with")
NUMBERS = {"id", "to do", "cost", "age"}
NAME, FEWEST_CHARS, HOLDER_CHARS = 1, 12, 12
MOST_LISTED = 1_000
STATES = {"changes_requested": "changes"}


def list_drafts(
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Drafts in this state only.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Tools with this in their names.")
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="Of this category.")
    ] = None,
    flag: Annotated[
        str | None,
        typer.Option(
            "--flag", metavar="KIND", help="With a finding of this kind to deal with, such as price."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", metavar="HOW", help="unanimous, divided, or close: one vote decides."),
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option("--persona", metavar="NAME", help="With a take of this persona; see --verdict."),
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", metavar="WHICH", help="ship or skip, of --persona or of anybody."),
    ] = None,
    cost_over: Annotated[
        float | None, typer.Option("--cost-over", metavar="USD", min=0, help="That have cost at least this.")
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", min=0, max=36_500, help="Made before that."),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="BY", help="oldest, newest, findings or split.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=MOST_LISTED, help="At most.")] = 25,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="MARK", help="Go on where a page ended, with the same filters."),
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """List drafts.

    JSON: `{drafts, after, counts}`; each draft is `{id, run, name, slug, category, state, open_findings, ships, skips, cost_usd, drafted_at,
    updated_at, holder}`, `after` is for `--after` or null, `counts` is by state.
    """
    from panel.core.draft_state import WAITING, State
    from panel.core.take import Verdict
    from panel.store import Order, QueueFilter, Split

    chosen = _one("--state", state, State)
    wanted = QueueFilter(
        states=(chosen,) if chosen else WAITING,
        category=category,
        search=search,
        flag=_kind(flag),
        split=_one("--split", split, Split),
        persona=persona and persona.lower(),
        verdict=_one("--verdict", verdict, Verdict),
        cost=cost_over,
        before=None if older_than is None else datetime.now(UTC) - timedelta(days=older_than),
        order=_one("--order", order, Order) or Order.OLDEST,
    )
    _list(config, wanted, limit, after, as_json=as_json)


def _list(config: Path | None, wanted: QueueFilter, limit: int, after: str | None, *, as_json: bool) -> None:
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.desk import desk

    at = desk(config)
    page = at.queue(wanted, after, limit)
    counts = at.at(lambda store: store.queue.counts())
    if as_json:
        by_state = {state.value: count for state, count in counts.items()}
        drafts = [line.model_dump(mode="json") for line in page.rows]
        result_json({"drafts": drafts, "after": page.after, "counts": by_state})
        return
    standing = ", ".join(f"{count:,} {state.label}" for state, count in counts.items() if count)
    ending = [standing or "no drafts yet; panel review and panel batch run make them"]
    if page.after:
        ending.append(f"more: the same with --after {page.after}")
    table = _table(page.rows) if page.rows else ["no such drafts"]
    plain_result("\n".join([*table, "", *ending]))


def _table(lines: Sequence[QueueRow]) -> list[str]:
    """Return drafts as a table; names have what the other columns leave of the width."""
    from panel.cli.console import width
    from panel.cli.rows import GAP, columns, shortened, table
    from panel.core.text import one_line

    held = any(line.holder for line in lines)
    heads = HEADS if held else HEADS[:-1]
    cells = [_cells(line)[: len(heads)] for line in lines]
    taken = sum(len(GAP) + max(map(columns, column)) for column in zip(heads, *cells, strict=True))
    room = max(FEWEST_CHARS, width() - taken + len(heads[NAME]))
    rows = [
        (*row[:NAME], shortened(one_line(line.name), room), *row[NAME + 1 :])
        for row, line in zip(cells, lines, strict=True)
    ]
    return table(heads, rows, NUMBERS)


def _cells(line: QueueRow) -> tuple[str, ...]:
    """Return the cells of a draft, that of its name blank."""
    from panel.cli.rows import shortened
    from panel.core.money import dollars
    from panel.core.text import one_line

    return (
        str(line.id),
        "",
        STATES.get(line.state.value, line.state.label),
        f"{line.ships} ship / {line.skips} skip",
        "?" if line.open_findings is None else str(line.open_findings),
        "?" if line.cost_usd is None else dollars(line.cost_usd),
        _age(datetime.now(UTC) - line.drafted_at),
        shortened(one_line(line.holder or ""), HOLDER_CHARS),
    )


def _age(since: timedelta) -> str:
    minutes = max(0, int(since.total_seconds() // 60))
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _kind(given: str | None) -> str | None:
    from panel.checks import all_checks

    return None if given is None else _choice("--flag", given, all_checks())


def _one(option: str, given: str | None, of: type[StrEnum]) -> Any:  # noqa: ANN401 - a member of `of`
    return None if given is None else of(_choice(option, given, list(of)))


def _choice(option: str, given: str, choices: Collection[str]) -> str:
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in choices:
        raise SettingsError(f"{option}: '{given}' is none; choose of {', '.join(choices)}")
    return name
