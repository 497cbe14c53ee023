"""Failed seats in words, and as JSON."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from panel.cli.batch.runs import BATCH
from panel.cli.batch.words import counted, seats_of
from panel.core.text import one_line
from panel.store import FAILURES, RunState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from panel.core.take import NoTakeReason
    from panel.store import FailedSeat, RunSummary

SHOWN_LINES = 6
INDENT = "  "
# Stands before every line of a reply, so that none can pass for a line of panel's.
BAR = f"{INDENT}| "


def failed_seat_lines(seat: FailedSeat, width: int, *, raw: bool = False) -> list[str]:
    """Return a failed seat in words.

    Args:
        seat: the seat.
        width: columns to lay it out for.
        raw: whether the reply is given whole, in lines as long as it has them.
    """
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


def ending(
    line: RunSummary, counts: Mapping[NoTakeReason, int], reasons: Collection[NoTakeReason]
) -> list[str]:
    """Return what stands below the seats of a run: how many there are, and what can be done.

    Args:
        line: the run.
        counts: seats that were shown, by reason.
        reasons: what was asked for.
    """
    if not counts:
        of = "" if set(reasons) == FAILURES else f" for this reason: {', '.join(r.label for r in reasons)}"
        return [f"no seat of run {line.id} failed{of}"]
    said = f"{seats_of(sum(counts.values()))} of run {line.id} failed: {counted(counts)}"
    again = line.kind == BATCH and line.state is RunState.DONE
    return [said, f"ask again: panel batch retry {line.id}"] if again else [said]


def _cut(reply: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for line in reply:
        lines += textwrap.wrap(line, width, initial_indent=BAR, subsequent_indent=BAR) or [BAR.rstrip()]
    rest = len(lines) - SHOWN_LINES
    # One line more is shorter than the words about it.
    if rest <= 1:
        return lines
    return [*lines[:SHOWN_LINES], f"{INDENT}… {rest:,} more lines; --raw shows all"]
