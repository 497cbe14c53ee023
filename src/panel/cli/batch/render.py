"""Runs and failed seats as text, and as JSON values."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from panel.cli.rows import labelled, table
from panel.core.text import dollars, one_line, utc_time
from panel.errors import SettingsError
from panel.orchestrator.run_storage import BATCH, RESUMABLE, RETRY
from panel.store import FAILURES, RunState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from panel.core.take import NoTakeReason
    from panel.store import FailedSeat, RunProgress, RunSummary, Spending, Store

HEADS = ("run", "kind", "begun (UTC)", "state", "tools", "failed", "cost")
NUMBERS = {"run", "tools", "failed", "cost"}
# The other stored settings are digests, or private to the user.
SHOWN_SETTINGS = ("model", "models", "roster", "sources", "budget_usd", "of", "reasons")
LABEL = 11
PARTLY = " +?"
SHOWN_LINES = 6
INDENT = "  "
# Precedes every line of a reply, so that none can pass for a line of panel's.
BAR = f"{INDENT}| "


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
    return RunStatus(
        run=summary,
        progress=await store.run_stats.progress(run),
        spent=await store.run_stats.spent(run),
        failures=await store.run_stats.failure_counts(of),
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
    read = ["panel queue next"]
    if not run.failed_seats:
        return read
    failures = f"panel batch failures {run.id}"
    return [failures, f"panel batch retry {run.id}", *read] if run.kind == BATCH else [failures, *read]


def listed_lines(runs: list[RunSummary]) -> list[str]:
    """Return runs as a table."""
    rows = [_cells(run) for run in runs]
    lines = table(HEADS, rows, NUMBERS)
    partly = any(row[-1].endswith(PARTLY) for row in rows)
    return [*lines, "", f"{PARTLY.strip()}: the price of some answers is not known"] if partly else lines


def listed_data(run: RunSummary) -> dict[str, Any]:
    """Return a run as an entry of the list's JSON; see `views.list_runs`."""
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run_state(run),
        **_times(run),
        "tools": run.tools,
        "done": run.done,
        "failed_seats": run.failed_seats,
        "cost_usd": None if 0 < run.answers == run.unpriced else run.cost_usd,
        "unpriced_answers": run.unpriced,
    }


def status_lines(status: RunStatus, width: int) -> list[str]:
    """Return the status of a run, in lines no longer than the width where words allow it."""
    run = status.run
    rows = chain(_settings_rows(run.settings), _time_rows(run), _progress_rows(status), _cost_rows(status))
    lines = [line for label, value in rows for line in labelled(label, value, LABEL, width)]
    return [f"Run {run.id} · {run.kind} · {run_state(run)}", "", *lines, "", *_next_lines(run)]


def status_data(status: RunStatus) -> dict[str, Any]:
    """Return the status of a run as a JSON value; see `views.status`."""
    run, progress, spent = status.run, status.progress, status.spent
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run_state(run),
        "settings": {name: run.settings[name] for name in SHOWN_SETTINGS if name in run.settings},
        **_times(run),
        "holder": _holder(run),
        "tools": {"all": run.tools, "done": progress.done, "todo": progress.todo},
        "drafts": progress.drafts,
        "failed_seats": {reason.value: seats for reason, seats in status.failures.items()},
        "calls": {
            "answered": progress.answered_calls,
            "failed": progress.failed_calls,
            "open": progress.open_calls,
        },
        "cost": {
            "known_usd": spent.cost_usd,
            "unpriced_answers": spent.unpriced,
            "unanswered_calls": spent.lost_calls,
            "unanswered_usd_at_most": spent.at_risk_usd,
        },
        "budget": None if status.budget is None else {"usd": status.budget, "left_usd": status.left},
        "next": next_commands(run),
    }


def cancelled_lines(run: RunSummary, *, changed: bool) -> str:
    """Return the lines that confirm the cancellation of a run; `changed` tells whether it was open until now."""
    if run.at_work is not False:
        holder = f"{run.holder}{'' if run.at_work else ', if it lives,'}"
        done = f"run {run.id} is told to stop: {holder} finishes its calls in flight and begins no other"
    elif changed:
        done = f"run {run.id} is stopped; what was answered is kept"
    else:
        done = f"run {run.id} was stopped already"
    return f"{done}\nto resume: panel batch resume {run.id}"


def failed_seat_lines(seat: FailedSeat, width: int, *, raw: bool = False) -> list[str]:
    """Return a failed seat as text; `raw` gives the whole reply, without wrapping its lines."""
    head = f"{one_line(seat.tool)} · {seat.persona} · {seat.reason.label} · draft {seat.draft}"
    detail = textwrap.wrap(one_line(seat.detail), width, initial_indent=INDENT, subsequent_indent=INDENT)
    if seat.reply is None:
        return [head, *detail, f"{INDENT}no reply came"]
    if not seat.reply.strip():
        return [head, *detail, f"{INDENT}the reply is empty"]
    reply = seat.reply.expandtabs(4).splitlines()
    return [head, *detail, *([f"{BAR}{line}" for line in reply] if raw else _cut(reply, width))]


def failed_seat_json(seat: FailedSeat) -> str:
    """Return a failed seat as a JSON object in ASCII, so that nothing in a reply can steer a terminal."""
    return json.dumps(seat.model_dump(mode="json"), indent=2)


def failures_total(
    run: RunSummary, counts: Mapping[NoTakeReason, int], reasons: Collection[NoTakeReason]
) -> list[str]:
    """Return the lines below a run's failed seats: how many there are by reason, and the command that asks them again."""
    if not counts:
        of = "" if set(reasons) == FAILURES else f" for this reason: {', '.join(r.label for r in reasons)}"
        return [f"no seat of run {run.id} failed{of}"]
    total = f"{seats_of(sum(counts.values()))} of run {run.id} failed: {counted(counts)}"
    again = run.kind == BATCH and run.state is RunState.DONE
    return [total, f"ask again: panel batch retry {run.id}"] if again else [total]


def seats_of(count: int) -> str:
    """Return a number of seats: `1 seat`, `2 seats`."""
    return f"{count:,} {'seat' if count == 1 else 'seats'}"


def counted(counts: Mapping[NoTakeReason, int]) -> str:
    """Return numbers of failed seats by reason: `7 timed out, 5 invalid`."""
    return ", ".join(f"{seats:,} {reason.label}" for reason, seats in counts.items())


def _cut(reply: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for line in reply:
        lines += textwrap.wrap(line, width, initial_indent=BAR, subsequent_indent=BAR) or [BAR.rstrip()]
    rest = len(lines) - SHOWN_LINES
    # One more line is shorter than the note about it.
    if rest <= 1:
        return lines
    return [*lines[:SHOWN_LINES], f"{INDENT}… {rest:,} more lines; --raw shows all"]


def _cells(run: RunSummary) -> tuple[str, ...]:
    cost = "unknown" if 0 < run.answers == run.unpriced else dollars(run.cost_usd)
    return (
        str(run.id),
        run.kind,
        f"{run.created_at:%Y-%m-%d %H:%M}",
        run_state(run),
        f"{run.done:,}/{run.tools:,}",
        "" if run.kind == RETRY else f"{run.failed_seats:,}",
        f"{cost}{PARTLY if 0 < run.unpriced < run.answers else ''}",
    )


def _settings_rows(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, names in (("model", ("models", "model")), ("roster", ("roster",)), ("sources", ("sources",))):
        if shown := next((text for name in names if (text := _setting(settings.get(name)))), ""):
            yield label, shown
    if (of := settings.get("of")) is not None:
        reasons = _setting(settings.get("reasons"))
        yield "asks again", f"seats of run {of} that failed{f': {reasons}' if reasons else ''}"


def _time_rows(run: RunSummary) -> Iterator[tuple[str, str]]:
    yield "begun", utc_time(run.created_at)
    if run.finished_at:
        yield "ended" if run.state is RunState.DONE else "stopped", utc_time(run.finished_at)
    if run.holder and run.held_since:
        at_work = {True: "at work", False: "which has ended", None: "which cannot be seen from here"}[
            run.at_work
        ]
        yield "held by", f"{run.holder} since {utc_time(run.held_since)}, {at_work}"


def _progress_rows(status: RunStatus) -> Iterator[tuple[str, str]]:
    progress = status.progress
    yield "tools", f"{progress.done:,} of {status.run.tools:,} done"
    yield "drafts", f"{progress.drafts:,}"
    failed = sum(status.failures.values())
    yield "failed", f"{seats_of(failed)}: {counted(status.failures)}" if failed else "no seat"
    yield (
        "calls",
        f"{progress.answered_calls:,} answered, {progress.failed_calls:,} failed, {progress.open_calls:,} open",
    )


def _cost_rows(status: RunStatus) -> Iterator[tuple[str, str]]:
    spent = status.spent
    yield "cost", "unknown" if spent.cost_usd is None else dollars(spent.cost_usd)
    most = f"{dollars(spent.at_risk_usd)} at most" if spent.at_risk_usd else "at an unknown price"
    if spent.unpriced:
        known = f", {most}" if spent.at_risk_usd and not spent.lost_calls else ""
        yield "", f"answers without a known price: {spent.unpriced:,}{known}"
    if spent.lost_calls:
        both = "both together " if spent.unpriced and spent.at_risk_usd else ""
        yield "", f"calls without an answer that may be billed: {spent.lost_calls:,}, {both}{most}"
    if status.budget is None or status.left is None:
        yield "budget", "no limit"
    else:
        yield "budget", f"{dollars(status.budget)}, of which {dollars(status.left)} is left"


def _next_lines(run: RunSummary) -> list[str]:
    commands = next_commands(run)
    if commands:
        return [f"next: {command}" if n == 0 else f"      {command}" for n, command in enumerate(commands)]
    if run.at_work and run.kind in RESUMABLE:
        return [f"next: nothing, it is at work; to stop it: panel batch cancel {run.id}"]
    if run.state is RunState.MAKING:
        return ["next: nothing; if its tools are no longer being added, begin a new run: panel batch run"]
    return ["next: nothing"]


def _times(run: RunSummary) -> dict[str, str | None]:
    ended = run.finished_at
    return {"begun_at": run.created_at.isoformat(), "ended_at": ended.isoformat() if ended else None}


def _holder(run: RunSummary) -> dict[str, Any] | None:
    if run.holder is None or run.held_since is None:
        return None
    return {
        "process": run.holder.pid,
        "host": run.holder.host,
        "since": run.held_since.isoformat(),
        "at_work": run.at_work,
    }


def _setting(value: object) -> str:
    """Return a stored setting as text, of any shape: other versions may have stored another one."""
    parts = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return one_line(", ".join(map(str, parts)))
