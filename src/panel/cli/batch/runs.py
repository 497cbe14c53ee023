"""How commands name a run, and find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.cli.batch.words import RunStatus
    from panel.store import RunSummary, Store

BATCH, RETRY = "batch", "retry"
BATCHES = (BATCH, RETRY)
RunNumber = Annotated[
    int, typer.Argument(metavar="RUN", min=1, help="Number of a run, from `panel batch list`.")
]


async def run_line(store: Store, run: int) -> RunSummary:
    """Return a run with its figures.

    Raises:
        SettingsError: there is none of this number.
        StorageError: it cannot be read.
    """
    line = await store.run_stats.summary(run)
    if line is None:
        raise SettingsError(f"there is no run {run}; `panel batch list --all` shows which there are")
    return line


async def standing_of(store: Store, run: int) -> RunStatus:
    """Return all that is told of a run; the failures of a retry are those that are left in the run it is of.

    Raises:
        SettingsError: there is none of this number.
        StorageError: it cannot be read.
    """
    from panel.cli.batch.words import RunStatus

    line = await run_line(store, run)
    return RunStatus(
        line=line,
        progress=await store.run_stats.progress(run),
        spent=await store.run_stats.spent(run),
        failures=await store.run_stats.failure_counts(line.settings["of"] if line.kind == RETRY else run),
    )
