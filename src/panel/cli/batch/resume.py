"""`panel batch resume`: a run that was stopped or killed, gone on with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.batch.runs import RETRY, RunNumber

if TYPE_CHECKING:
    from panel.cli.batch.shift import Assignment, Shift
    from panel.store import Run, Store

HELP = """Go on with a run that was stopped or killed.

It goes on with the settings it was begun with. What was answered is not asked again. If a persona, a prompt or the model has changed
since, the run is refused: begin a new one.

Examples:

  panel batch resume 7

  panel batch resume 7 --budget 10
"""


def resume(
    run: RunNumber,
    budget: options.Budget = None,
    allow_unknown_price: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-price", help="Keep a budget although the price of a model is not known."
        ),
    ] = None,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Go on with a run that was stopped or killed."""
    from panel.cli.batch.kept import kept_run
    from panel.cli.batch.shift import Shift
    from panel.cli.sitting import Voice

    changes = options.given(budget=budget, concurrency=concurrency)
    kept = kept_run(run, changes, config)
    voice = Voice(quiet=quiet, verbose=verbose)
    shift = Shift(kept.resolved, voice, events=as_json, reports=kept.flag("reports"))
    allowed = kept.flag("allow_unknown_price") if allow_unknown_price is None else allow_unknown_price
    cast = shift.prepare(kept.first, allow_unknown_price=allowed)
    kept.require_same(cast)
    return shift.work(kept.first, kept.todo, partial(_assigned, kept=kept.run))


async def _assigned(shift: Shift, store: Store, kept: Run) -> Assignment:
    from panel.cli.batch.retry import retry_of
    from panel.cli.batch.shift import Assignment
    from panel.cli.ledger import StoredRun

    if kept.kind == RETRY:
        return retry_of(store, kept.id, kept.settings)
    fresh = bool(kept.settings.get("fresh"))
    note = shift.voice.note
    return Assignment(
        kept.id, lambda budget: StoredRun(store, kept.id, fresh=fresh, budget=budget, note=note)
    )
