"""`panel batch failures`: the seats without a take, why, and what the model said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.batch.runs import RunNumber, run_line
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.take import NoTakeReason
    from panel.store import Store

HELP = """Show the seats that failed, and what the model said.

A recused seat is no failure. Replies are cut to a few lines; --raw and --json give them whole.

Examples:

  panel batch failures 7

  panel batch failures 7 --reason invalid,truncated --raw

  panel batch failures 7 --json
"""


def failures(
    run: RunNumber,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="REASONS", help="Only these, separated by commas."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print each reply whole.")] = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the seats that failed.

    JSON: an array of `{draft, tool, slug, persona, reason, detail, model, reply}`; `reply` is null where no answer came.
    """
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    reasons = reasons_of(reason)
    if as_json:
        use_store(resolve(options.given(), config), lambda store: _print_json(store, run, reasons))
    else:
        use_store(resolve(options.given(), config), lambda store: _print(store, run, reasons, raw=raw))


async def _print(store: Store, run: int, reasons: Sequence[NoTakeReason], *, raw: bool) -> None:
    """Print seats as they are read, because there may be many thousands."""
    from collections import Counter

    from panel.cli.batch.failure_words import ending, failed_seat_lines
    from panel.cli.console import plain_result, width

    line = await run_line(store, run)
    counts: Counter[NoTakeReason] = Counter()
    columns = width()
    async for seat in store.run_stats.failed_seats(run, reasons):
        counts[seat.reason] += 1
        plain_result("\n".join([*failed_seat_lines(seat, columns, raw=raw), "\n"]))
    plain_result("\n".join(ending(line, counts, reasons)))


async def _print_json(store: Store, run: int, reasons: Sequence[NoTakeReason]) -> None:
    from panel.cli.batch.failure_words import failed_seat_json
    from panel.cli.console import result

    await run_line(store, run)
    opening = "["
    async for seat in store.run_stats.failed_seats(run, reasons):
        result(f"{opening}{failed_seat_json(seat)}")
        opening = ","
    result("]" if opening == "," else "[]")


def reasons_of(given: str | None) -> tuple[NoTakeReason, ...]:
    """Return the reasons that were named, or all.

    Raises:
        SettingsError: one is none.
    """
    from panel.core.take import NoTakeReason
    from panel.store import FAILURES

    known = {reason.value: reason for reason in NoTakeReason if reason in FAILURES}
    named = [name.strip().lower().replace("-", "_") for name in given.split(",")] if given else list(known)
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        raise SettingsError(f"--reason: '{unknown}' is no reason; choose from {', '.join(known)}")
    return tuple(known[name] for name in named)
