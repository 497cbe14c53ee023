"""`panel batch retry`: the seats of a run that failed, asked again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli import options
from panel.cli.batch.runs import BATCH, RETRY, RunNumber

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panel.cli.batch.kept import KeptRun
    from panel.cli.batch.shift import Assignment, Shift
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.store import Store

HELP = """Ask the seats of a run again that failed.

Takes that there are stay as they are. The retry is a run of its own, and can be stopped and resumed like any other.

Examples:

  panel batch retry 7

  panel batch retry 7 --reason invalid,timed_out --budget 1
"""
PAGE = 200


def retry(
    run: RunNumber,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="REASONS", help="Only seats that failed for these reasons."),
    ] = None,
    budget: options.Budget = None,
    allow_unknown_price: options.AllowUnknownPrice = False,
    concurrency: options.Concurrency = None,
    config: options.Config = None,
    as_json: options.Events = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Ask the seats of a run again that failed."""
    from panel.cli.batch.failures import reasons_of
    from panel.cli.batch.kept import kept_run
    from panel.cli.batch.shift import Shift
    from panel.cli.sitting import Voice
    from panel.errors import SettingsError

    kept = kept_run(run, options.given(budget=budget, concurrency=concurrency), config, anew=("budget",))
    if kept.run.kind != BATCH:
        raise SettingsError(
            f"run {run} is a retry itself; retry the run that it is of: panel batch retry {kept.run.settings['of']}"
        )
    reasons = reasons_of(reason)
    shift = Shift(
        kept.resolved, Voice(quiet=quiet, verbose=verbose), events=as_json, reports=kept.flag("reports")
    )
    cast = shift.prepare(None, allow_unknown_price=allow_unknown_price)
    kept.require_same(cast)
    more = {
        "of": run,
        "reasons": sorted(reason.value for reason in reasons),
        "reports": kept.flag("reports"),
        "allow_unknown_price": allow_unknown_price,
    }
    return shift.work(None, 0, partial(_begun, kept=kept, cast=cast, more=more))


async def _begun(
    shift: Shift, store: Store, kept: KeptRun, cast: PanelSetup, more: dict[str, Any]
) -> Assignment | None:
    """Make a run of the tools whose seats failed; None if there are none."""
    from panel.core.take import NoTakeReason
    from panel.errors import SettingsError
    from panel.orchestrator.run_settings import settings_of
    from panel.store import FAILURES, RunState

    reasons = [NoTakeReason(reason) for reason in more["reasons"]]
    drafts = dict.fromkeys([seat.draft async for seat in store.run_stats.failed_seats(kept.run.id, reasons)])
    if not drafts:
        of = "" if set(reasons) == FAILURES else f" for this reason: {_either(reasons)}"
        shift.voice.note(f"Nothing to do: no seat of run {kept.run.id} failed{of}.")
        return None
    if open_ := await _unfinished(store, kept.run.id):
        raise SettingsError(
            f"run {open_} is a retry of run {kept.run.id} that was interrupted, and has answers that are paid for; "
            f"go on with it: panel batch resume {open_}, or give it up: panel batch cancel {open_}"
        )
    settings = settings_of(shift.resolved, cast, **more)
    run = await store.runs.create(RETRY, settings, RunState.MAKING)
    numbers = list(drafts)
    for start in range(0, len(numbers), PAGE):
        tools: Sequence[Tool] = [
            (await store.drafts.get(number)).review.tool for number in numbers[start : start + PAGE]
        ]
        await store.runs.add_tools(run, tools)
    return retry_of(store, run, settings)


async def _unfinished(store: Store, of: int) -> int | None:
    """Return a retry of a run that was begun and is not done, and on which nobody works."""
    from panel.store import RunState

    before = None
    while lines := await store.run_stats.summaries((RETRY,), before=before, limit=PAGE):
        for line in lines:
            if line.settings.get("of") == of and line.state is RunState.OPEN and not line.at_work:
                return line.id
        before = lines[-1].id
    return None


def retry_of(store: Store, run: int, settings: Mapping[str, Any]) -> Assignment:
    """Return the work on a retry, for which its own run and the one that it is of are held."""
    from panel.cli.batch.shift import Assignment
    from panel.cli.ledger import StoredRetry

    of, reasons = int(settings["of"]), frozenset(settings["reasons"])
    return Assignment(run, lambda budget: StoredRetry(store, run, of, reasons, budget), also=(of,))


def _either(reasons: Sequence[str]) -> str:
    return " or ".join(reason.replace("_", " ") for reason in reasons)
