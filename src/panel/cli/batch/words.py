"""Runs in words, and as JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panel.cli.batch.runs import BATCH, BATCHES, RETRY
from panel.cli.rows import labelled, table
from panel.core.money import dollars
from panel.core.text import one_line
from panel.store import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from panel.core.take import NoTakeReason
    from panel.store import RunProgress, RunSummary, Spending

HEADS = ("run", "kind", "begun (UTC)", "state", "tools", "failed", "cost")
NUMBERS = {"run", "tools", "failed", "cost"}
# The others are digests, and what may be nobody's business.
SHOWN = ("model", "models", "roster", "sources", "budget_usd", "of", "reasons")
LABEL = 11
UNTOUCHED = {RunState.MAKING, RunState.DONE}
PARTLY = " +?"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """All that is told of a run.

    Attributes:
        line: the run and who holds it.
        progress: how far it is.
        spent: what it has cost.
        failures: seats that failed, by reason.
    """

    line: RunSummary
    progress: RunProgress
    spent: Spending
    failures: Mapping[NoTakeReason, int]

    @property
    def budget(self) -> float | None:
        """What it may cost, in US dollars; None if there is no limit."""
        budget = self.line.settings.get("budget_usd")
        return float(budget) if isinstance(budget, int | float) else None

    @property
    def left(self) -> float | None:
        """What is left of that if every call without an answer is billed in full."""
        return None if self.budget is None else max(0.0, self.budget - self.spent.most_usd)


def run_state(line: RunSummary) -> str:
    """Return where a run is: making, open, working, held, stopping, stopped or done."""
    if line.state in UNTOUCHED:
        return line.state.value
    if line.state is RunState.STOPPED:
        return "stopping" if line.at_work else "stopped"
    return {True: "working", False: "open", None: "held"}[line.at_work]


def next_commands(line: RunSummary) -> list[str]:
    """Return the commands that make sense next, the first one first; none if there is nothing to do."""
    if line.state is not RunState.DONE:
        resumable = line.kind in BATCHES and line.state is not RunState.MAKING
        return [f"panel batch resume {line.id}"] if resumable and not line.at_work else []
    if line.kind == RETRY and isinstance(of := line.settings.get("of"), int):
        return [f"panel batch status {of}"]
    read = ["panel queue next"]
    if not line.failed_seats:
        return read
    look = f"panel batch failures {line.id}"
    return [look, f"panel batch retry {line.id}", *read] if line.kind == BATCH else [look, *read]


def listed_lines(lines: list[RunSummary]) -> list[str]:
    """Return runs as a table."""
    rows = [_cells(line) for line in lines]
    shown = table(HEADS, rows, NUMBERS)
    partly = any(row[-1].endswith(PARTLY) for row in rows)
    return [*shown, "", f"{PARTLY.strip()}: the price of some answers is not known"] if partly else shown


def listed_data(line: RunSummary) -> dict[str, Any]:
    """Return a run as an entry of the list's JSON; see `listing.list_runs`."""
    return {
        "run": line.id,
        "kind": line.kind,
        "state": run_state(line),
        **_times(line),
        "tools": line.tools,
        "done": line.done,
        "failed_seats": line.failed_seats,
        "cost_usd": None if 0 < line.answers == line.unpriced else line.cost_usd,
        "unpriced_answers": line.unpriced,
    }


def standing_lines(standing: RunStatus, width: int) -> list[str]:
    """Return all of a run in words, in lines no longer than the width where words allow it."""
    line = standing.line
    rows = [*_asked(line.settings), *_ran(line), *_reached(standing), *_paid(standing)]
    told = [one for label, value in rows for one in labelled(label, value, LABEL, width)]
    return [f"Run {line.id} · {line.kind} · {run_state(line)}", "", *told, "", *_advised(line)]


def standing_data(standing: RunStatus) -> dict[str, Any]:
    """Return all of a run as a JSON value; see `status.status`."""
    line, progress, spent = standing.line, standing.progress, standing.spent
    return {
        "run": line.id,
        "kind": line.kind,
        "state": run_state(line),
        "settings": {name: line.settings[name] for name in SHOWN if name in line.settings},
        **_times(line),
        "holder": _holder(line),
        "tools": {"all": line.tools, "done": progress.done, "todo": progress.todo},
        "drafts": progress.drafts,
        "failed_seats": {reason.value: seats for reason, seats in standing.failures.items()},
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
        "budget": None if standing.budget is None else {"usd": standing.budget, "left_usd": standing.left},
        "next": next_commands(line),
    }


def cancelled(line: RunSummary, changed: bool) -> str:
    """Return what was done about a run that is stopped now.

    Args:
        line: the run.
        changed: whether it was open until now.
    """
    if line.at_work is not False:
        end = "finishes its calls in flight and begins no other"
        done = f"run {line.id} is told to stop: {line.holder}{'' if line.at_work else ', if it lives,'} {end}"
    elif changed:
        done = f"run {line.id} is stopped; what was answered is kept"
    else:
        done = f"run {line.id} was stopped already"
    return f"{done}\ngo on with: panel batch resume {line.id}"


def seats_of(count: int) -> str:
    """Return a number of seats."""
    return f"{count:,} {'seat' if count == 1 else 'seats'}"


def counted(counts: Mapping[NoTakeReason, int]) -> str:
    """Return how many seats failed for which reason: `7 timed out, 5 invalid`."""
    return ", ".join(f"{seats:,} {reason.label}" for reason, seats in counts.items())


def _cells(line: RunSummary) -> tuple[str, ...]:
    cost = "unknown" if 0 < line.answers == line.unpriced else dollars(line.cost_usd)
    return (
        str(line.id),
        line.kind,
        f"{line.created_at:%Y-%m-%d %H:%M}",
        run_state(line),
        f"{line.done:,}/{line.tools:,}",
        "" if line.kind == RETRY else f"{line.failed_seats:,}",
        f"{cost}{PARTLY if 0 < line.unpriced < line.answers else ''}",
    )


def _asked(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, names in (("model", ("models", "model")), ("roster", ("roster",)), ("sources", ("sources",))):
        if shown := next((text for name in names if (text := _listed(settings.get(name)))), ""):
            yield label, shown
    if (of := settings.get("of")) is not None:
        reasons = _listed(settings.get("reasons"))
        yield "asks again", f"seats of run {of} that failed{f': {reasons}' if reasons else ''}"


def _ran(line: RunSummary) -> Iterator[tuple[str, str]]:
    yield "begun", _moment(line.created_at)
    if line.finished_at:
        yield "ended" if line.state is RunState.DONE else "stopped", _moment(line.finished_at)
    if line.holder and line.held_since:
        at_work = {
            True: "at work",
            False: "which has ended",
            None: "which cannot be seen from here",
        }[line.at_work]
        yield "held by", f"{line.holder} since {_moment(line.held_since)}, {at_work}"


def _reached(standing: RunStatus) -> Iterator[tuple[str, str]]:
    line, progress = standing.line, standing.progress
    yield "tools", f"{progress.done:,} of {line.tools:,} done"
    yield "drafts", f"{progress.drafts:,}"
    failed = sum(standing.failures.values())
    yield "failed", f"{seats_of(failed)}: {counted(standing.failures)}" if failed else "no seat"
    yield (
        "calls",
        f"{progress.answered_calls:,} answered, {progress.failed_calls:,} failed, {progress.open_calls:,} open",
    )


def _paid(standing: RunStatus) -> Iterator[tuple[str, str]]:
    spent = standing.spent
    yield "cost", "unknown" if spent.cost_usd is None else dollars(spent.cost_usd)
    most = f"{dollars(spent.at_risk_usd)} at most" if spent.at_risk_usd else "at an unknown price"
    if spent.unpriced:
        known = f", {most}" if spent.at_risk_usd and not spent.lost_calls else ""
        yield "", f"answers without a known price: {spent.unpriced:,}{known}"
    if spent.lost_calls:
        both = "both together " if spent.unpriced and spent.at_risk_usd else ""
        yield "", f"calls without an answer that may be billed: {spent.lost_calls:,}, {both}{most}"
    if standing.budget is None or standing.left is None:
        yield "budget", "no limit"
    else:
        yield "budget", f"{dollars(standing.budget)}, of which {dollars(standing.left)} is left"


def _advised(line: RunSummary) -> list[str]:
    commands = next_commands(line)
    if commands:
        return [f"next: {command}" if n == 0 else f"      {command}" for n, command in enumerate(commands)]
    if line.at_work and line.kind in BATCHES:
        return [f"next: nothing, it is at work; to stop it: panel batch cancel {line.id}"]
    if line.state is RunState.MAKING:
        return ["next: nothing; if its tools are no longer being added, begin a new run: panel batch run"]
    return ["next: nothing"]


def _times(line: RunSummary) -> dict[str, str | None]:
    ended = line.finished_at
    return {"begun_at": line.created_at.isoformat(), "ended_at": ended.isoformat() if ended else None}


def _holder(line: RunSummary) -> dict[str, Any] | None:
    if line.holder is None or line.held_since is None:
        return None
    return {
        "process": line.holder.pid,
        "host": line.holder.host,
        "since": line.held_since.isoformat(),
        "at_work": line.at_work,
    }


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _listed(value: object) -> str:
    """Return a setting in words, whatever it is: runs of other versions may have kept another shape."""
    parts = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return one_line(", ".join(map(str, parts)))
