"""Runs and failed seats as text, and as JSON values."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from panel.cli.console import labelled, table
from panel.core.text import counted, dollars, one_line, utc_time
from panel.orchestrator.run_status import next_commands, run_state
from panel.orchestrator.run_storage import BATCH, RESUMABLE, RETRY
from panel.store import FAILURES, RunState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from panel.core.take import NoTakeReason
    from panel.orchestrator.run_status import RunStatus
    from panel.store import FailedSeat, RunSummary

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


def listed_lines(runs: list[RunSummary]) -> list[str]:
    """Return runs as a table."""
    rows = []
    for run in runs:
        cost = "unknown" if 0 < run.answers == run.unpriced else dollars(run.cost_usd)
        cells = (
            str(run.id),
            run.kind,
            f"{run.created_at:%Y-%m-%d %H:%M}",
            run_state(run),
            f"{run.done:,}/{run.tools:,}",
            "" if run.kind == RETRY else f"{run.failed_seats:,}",
            f"{cost}{PARTLY if 0 < run.unpriced < run.answers else ''}",
        )
        rows.append(cells)
    lines = table(HEADS, rows, NUMBERS)
    partly = any(row[-1].endswith(PARTLY) for row in rows)
    return [*lines, "", f"{PARTLY.strip()}: the price of some answers is not known"] if partly else lines


def listed_data(run: RunSummary) -> dict[str, Any]:
    """Return a run as an entry of the list's JSON; see `batch.list_runs`."""
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
    rows = [*_settings_rows(run.settings), *_time_rows(run), *_progress_rows(status), *_cost_rows(status)]
    lines = [line for label, value in rows for line in labelled(label, value, LABEL, width)]
    if commands := next_commands(run):
        following = [f"next: {commands[0]}", *(f"      {command}" for command in commands[1:])]
    elif run.at_work and run.kind in RESUMABLE:
        following = [f"next: nothing, it is at work; to stop it: panel batch cancel {run.id}"]
    elif run.state is RunState.MAKING:
        again = "if its tools are no longer being added, begin a new run: panel batch run"
        following = [f"next: nothing; {again}"]
    else:
        following = ["next: nothing"]
    return [f"Run {run.id} · {run.kind} · {run_state(run)}", "", *lines, "", *following]


def status_data(status: RunStatus) -> dict[str, Any]:
    """Return the status of a run as a JSON value; see `batch.status`."""
    run, progress, spent = status.run, status.progress, status.spent
    holder = None
    if run.holder is not None and run.held_since is not None:
        holder = {
            "process": run.holder.pid,
            "host": run.holder.host,
            "since": run.held_since.isoformat(),
            "at_work": run.at_work,
        }
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run_state(run),
        "settings": {name: run.settings[name] for name in SHOWN_SETTINGS if name in run.settings},
        **_times(run),
        "holder": holder,
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
    if seat.reply is None or not seat.reply.strip():
        return [head, *detail, f"{INDENT}{'no reply came' if seat.reply is None else 'the reply is empty'}"]
    lines = seat.reply.expandtabs(4).splitlines()
    if raw:
        return [head, *detail, *(f"{BAR}{line}" for line in lines)]
    wrapped: list[str] = []
    for line in lines:
        wrapped += textwrap.wrap(line, width, initial_indent=BAR, subsequent_indent=BAR) or [BAR.rstrip()]
    # One more line is shorter than the note about it.
    if (rest := len(wrapped) - SHOWN_LINES) > 1:
        wrapped[SHOWN_LINES:] = [f"{INDENT}… {rest:,} more lines; --raw shows all"]
    return [head, *detail, *wrapped]


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
    total = f"{counted(sum(counts.values()), 'seat')} of run {run.id} failed: {_by_reason(counts)}"
    again = run.kind == BATCH and run.state is RunState.DONE
    return [total, f"ask again: panel batch retry {run.id}"] if again else [total]


def _by_reason(counts: Mapping[NoTakeReason, int]) -> str:
    """Return numbers of failed seats by reason: `7 timed out, 5 invalid`."""
    return ", ".join(f"{seats:,} {reason.label}" for reason, seats in counts.items())


def _settings_rows(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    def shown(name: str) -> str:
        """Return a stored setting as text, of any shape: other versions may have stored another one."""
        value = settings.get(name)
        parts = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return one_line(", ".join(map(str, parts)))

    for label, text in (
        ("model", shown("models") or shown("model")),
        ("roster", shown("roster")),
        ("sources", shown("sources")),
    ):
        if text:
            yield label, text
    if (of := settings.get("of")) is not None:
        reasons = shown("reasons")
        yield "asks again", f"seats of run {of} that failed{f': {reasons}' if reasons else ''}"


def _time_rows(run: RunSummary) -> Iterator[tuple[str, str]]:
    yield "begun", utc_time(run.created_at)
    if run.finished_at:
        yield "ended" if run.state is RunState.DONE else "stopped", utc_time(run.finished_at)
    if run.holder and run.held_since:
        at_work = {True: "at work", False: "which has ended", None: "which cannot be seen from here"}
        yield "held by", f"{run.holder} since {utc_time(run.held_since)}, {at_work[run.at_work]}"


def _progress_rows(status: RunStatus) -> Iterator[tuple[str, str]]:
    progress, failed = status.progress, sum(status.failures.values())
    yield "tools", f"{progress.done:,} of {status.run.tools:,} done"
    yield "drafts", f"{progress.drafts:,}"
    yield "failed", f"{counted(failed, 'seat')}: {_by_reason(status.failures)}" if failed else "no seat"
    answered, failed_calls = f"{progress.answered_calls:,} answered", f"{progress.failed_calls:,} failed"
    yield "calls", f"{answered}, {failed_calls}, {progress.open_calls:,} open"


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


def _times(run: RunSummary) -> dict[str, str | None]:
    ended = run.finished_at
    return {"begun_at": run.created_at.isoformat(), "ended_at": ended.isoformat() if ended else None}
