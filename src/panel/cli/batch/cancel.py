"""`panel batch cancel`: a run is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.cli import options
from panel.cli.batch.runs import BATCHES, RunNumber, run_line
from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.store import RunSummary, Store

HELP = """Stop a run, which can be resumed later.

What was answered is kept. A process that is at work on it notices within five seconds: its calls in flight finish, and none is begun.

Examples:

  panel batch cancel 7
"""


def cancel(run: RunNumber, config: options.Config = None) -> None:
    """Tell a run to stop."""
    from panel.cli.batch.words import cancelled
    from panel.cli.console import plain_result
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    plain_result(cancelled(*use_store(resolve(options.given(), config), lambda store: _cancel(store, run))))


async def _cancel(store: Store, run: int) -> tuple[RunSummary, bool]:
    """Return the run as it is now, and whether this stopped it."""
    from panel.store import RunState

    line = await run_line(store, run)
    if line.kind not in BATCHES:
        raise SettingsError(f"run {run} is a {line.kind}; stop it with Ctrl-C where it runs")
    if line.state is RunState.MAKING:
        raise SettingsError(f"run {run} has asked nothing yet; stop it with Ctrl-C where its tools are added")
    changed = await store.runs.stop(run)
    line = await run_line(store, run)
    if line.state is RunState.DONE:
        raise SettingsError(f"run {run} is done already; there is nothing to stop")
    return line, changed
