"""The status of stored runs: progress, cost, failed seats, and the commands to run next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.errors import SettingsError
from panel.orchestrator.run_storage import BATCH, RESUMABLE, RETRY
from panel.store import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.core.take import NoTakeReason
    from panel.store import RunProgress, RunSummary, Spending, Store


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run with its progress, its cost, and its failed seats by reason."""

    run: RunSummary
    progress: RunProgress
    spent: Spending
    failures: Mapping[NoTakeReason, int]

    @property
    def budget(self) -> float | None:
        """The budget in US dollars; None if there is no limit."""
        budget = self.run.settings.get("budget_usd")
        return float(budget) if isinstance(budget, int | float) else None

    @property
    def left(self) -> float | None:
        """The rest of the budget in US dollars if every call without an answer is billed in full."""
        return None if self.budget is None else max(0.0, self.budget - self.spent.most_usd)


async def run_summary(store: Store, run: int) -> RunSummary:
    """Return a run with its figures; raise `SettingsError` if no run has this number."""
    summary = await store.run_stats.summary(run)
    if summary is None:
        raise SettingsError(f"there is no run {run}; `panel batch list --all` shows which there are")
    return summary


async def run_status(store: Store, run: int) -> RunStatus:
    """Return the status of a run; a retry's failures are those left in the run it is of. Raises as `run_summary` does."""
    summary = await run_summary(store, run)
    of = summary.settings["of"] if summary.kind == RETRY else run
    stats = store.run_stats
    return RunStatus(
        summary, await stats.progress(run), await stats.spent(run), await stats.failure_counts(of)
    )


def run_state(run: RunSummary) -> str:
    """Return a run's state: making, open, working, held, stopping, stopped or done."""
    if run.state in {RunState.MAKING, RunState.DONE}:
        return run.state.value
    if run.state is RunState.STOPPED:
        return "stopping" if run.at_work else "stopped"
    return {True: "working", False: "open", None: "held"}[run.at_work]


def next_commands(run: RunSummary) -> list[str]:
    """Return the commands to run next, the most useful first; none if there is nothing to do."""
    if run.state is not RunState.DONE:
        resumable = run.kind in RESUMABLE and run.state is not RunState.MAKING
        return [f"panel batch resume {run.id}"] if resumable and not run.at_work else []
    if run.kind == RETRY and isinstance(of := run.settings.get("of"), int):
        return [f"panel batch status {of}"]
    retry = [f"panel batch retry {run.id}"] if run.kind == BATCH else []
    failures = [f"panel batch failures {run.id}", *retry] if run.failed_seats else []
    return [*failures, "panel queue next"]


async def stop_run(store: Store, run: int) -> tuple[RunSummary, bool]:
    """Stop a batch or a retry; return the run as it is now, and whether this stopped it.

    Raises:
        SettingsError: there is no such run, or nothing to stop.
    """
    summary = await run_summary(store, run)
    if summary.kind not in RESUMABLE:
        raise SettingsError(f"run {run} is a {summary.kind}; stop it with Ctrl-C where it runs")
    if summary.state is RunState.MAKING:
        raise SettingsError(f"run {run} has asked nothing yet; stop it with Ctrl-C where its tools are added")
    changed = await store.runs.stop(run)
    summary = await run_summary(store, run)
    if summary.state is RunState.DONE:
        raise SettingsError(f"run {run} is done already; there is nothing to stop")
    return summary, changed
