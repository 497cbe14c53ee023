"""`panel queue list`: drafts in a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from enum import StrEnum

    from panel.store import QueueRow

HELP = """List the drafts that wait, or those in one state.

Drafts wait while they are new, in review, or sent back for changes. A state is drafted, in_review, changes_requested, approved, published,
rejected or retracted.

Examples:

  panel queue list

  panel queue list --state approved --order newest

  panel queue list --flag price --split close --older-than 2
"""
HEADS = ("id", "tool", "state", "panel", "to do", "cost", "age", "with")
NUMBERS = {"id", "to do", "cost", "age"}
NAME, MIN_NAME_COLUMNS, HOLDER_COLUMNS = 1, 12, 12
MAX_ROWS = 1_000
SHORT_STATES = {"changes_requested": "changes"}


def list_drafts(
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Drafts in this state.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Tools whose name contains this.")
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="Tools of this category.")
    ] = None,
    flag: Annotated[
        str | None,
        typer.Option(
            "--flag", metavar="KIND", help="Drafts with an unresolved finding of this kind, such as price."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", metavar="HOW", help="Drafts by vote: unanimous, divided, or close (one vote decides)."
        ),
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option("--persona", metavar="NAME", help="Drafts with a take of this persona; see --verdict."),
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option(
            "--verdict", metavar="WHICH", help="Verdict of --persona, or of any persona: ship or skip."
        ),
    ] = None,
    cost_over: Annotated[
        float | None,
        typer.Option("--cost-over", metavar="USD", min=0, help="Drafts that cost at least this."),
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option(
            "--older-than", metavar="DAYS", min=0, max=36_500, help="Drafts that are older than this."
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="BY", help="Order: oldest, newest, findings or split.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MAX_ROWS, help="Number of drafts.")
    ] = 25,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="MARK", help="Continue where a page ended, with the same filters."),
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """List drafts.

    JSON: `{drafts, after, counts}`; each draft is `{id, run, name, slug, category, state, open_findings, ships, skips, cost_usd, drafted_at,
    updated_at, holder}`, `after` is for `--after` or null, `counts` is by state.
    """
    from panel.checks import all_checks
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import WAITING, State
    from panel.core.take import Verdict
    from panel.store import Order, QueueFilter, Split

    chosen = _member("--state", state, State)
    wanted = QueueFilter(
        states=(chosen,) if chosen else WAITING,
        category=category,
        search=search,
        flag=None if flag is None else _choice("--flag", flag, all_checks()),
        split=_member("--split", split, Split),
        persona=persona and persona.lower(),
        verdict=_member("--verdict", verdict, Verdict),
        cost=cost_over,
        before=None if older_than is None else datetime.now(UTC) - timedelta(days=older_than),
        order=_member("--order", order, Order) or Order.OLDEST,
    )
    with open_session(config) as session:
        page = session.use(lambda service: service.store.queue.page(wanted, after=after, limit=limit))
        counts = session.use(lambda service: service.store.queue.counts())
        if as_json:
            by_state = {state.value: count for state, count in counts.items()}
            drafts = [row.model_dump(mode="json") for row in page.rows]
            result_json({"drafts": drafts, "after": page.after, "counts": by_state})
            return
        totals = ", ".join(f"{count:,} {state.label}" for state, count in counts.items() if count)
        last = [totals or "no drafts yet; panel review and panel batch run make them"]
        if page.after:
            last.append(f"more: the same with --after {page.after}")
        rows = _table(page.rows) if page.rows else ["no such drafts"]
        plain_result("\n".join([*rows, "", *last]))


def _table(rows: Sequence[QueueRow]) -> list[str]:
    """Return drafts as a table; names get the columns that the others leave."""
    from panel.cli.console import width
    from panel.cli.rows import GAP, columns, shortened, table
    from panel.core.text import one_line

    heads = HEADS if any(row.holder for row in rows) else HEADS[:-1]
    cells = [_cells(row)[: len(heads)] for row in rows]
    taken = sum(len(GAP) + max(map(columns, column)) for column in zip(heads, *cells, strict=True))
    room = max(MIN_NAME_COLUMNS, width() - taken + len(heads[NAME]))
    named = [
        (*line[:NAME], shortened(one_line(row.name), room), *line[NAME + 1 :])
        for line, row in zip(cells, rows, strict=True)
    ]
    return table(heads, named, NUMBERS)


def _cells(row: QueueRow) -> tuple[str, ...]:
    """Return the cells of a draft, with an empty name."""
    from panel.cli.rows import shortened
    from panel.core.money import dollars
    from panel.core.text import one_line

    return (
        str(row.id),
        "",
        SHORT_STATES.get(row.state.value, row.state.label),
        f"{row.ships} ship / {row.skips} skip",
        "?" if row.open_findings is None else str(row.open_findings),
        "?" if row.cost_usd is None else dollars(row.cost_usd),
        _age(datetime.now(UTC) - row.drafted_at),
        shortened(one_line(row.holder or ""), HOLDER_COLUMNS),
    )


def _age(since: timedelta) -> str:
    minutes = max(0, int(since.total_seconds() // 60))
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _member(option: str, given: str | None, kind: type[StrEnum]) -> Any:  # noqa: ANN401 - a member of `kind`
    return None if given is None else kind(_choice(option, given, list(kind)))


def _choice(option: str, given: str, choices: Collection[str]) -> str:
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in choices:
        raise SettingsError(f"{option}: '{given}' is not a choice; choose one of {', '.join(choices)}")
    return name
