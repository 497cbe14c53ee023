"""Drafts, a draft, its history and the outcome of an action as terminal text and as JSON."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from panel.approval import history_entries, outcome_message, state_message
from panel.approval.history import Part, word_diff
from panel.approval.view import LISTING, PANEL
from panel.checks import Status
from panel.cli.console import GAP, columns, labelled, plain_result, result_json, shortened, table, width
from panel.core.draft_edits import current_value, value_text
from panel.core.draft_state import WAITING, State
from panel.core.take import NoTake
from panel.core.text import counted, dollars, one_line, utc_time
from panel.report.wording import score_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.approval import DraftView, NumberedFinding
    from panel.approval.history import Piece
    from panel.core.draft_state import Action
    from panel.core.take import Seat
    from panel.store import QueueRow

LABEL_COLUMNS, NUMBER_COLUMNS = 13, 7
HASH_CHARS, HISTORY_HASH_CHARS = 12, 8
HEADS = ("id", "tool", "state", "panel", "to do", "cost", "age", "with")
NUMBERS = {"id", "to do", "cost", "age"}
MIN_NAME_COLUMNS, HOLDER_COLUMNS = 12, 12
_LISTING_FIELDS = [
    "tagline",
    "category",
    "pricing",
    "price_class",
    "maker",
    "license",
    "launched_on",
    "best_for",
    "url",
]


def outcome_data(view: DraftView) -> dict[str, Any]:
    """Return the state of a draft as JSON: `{draft, state, missing, hash}`."""
    missing = len(view.unresolved)
    return {"draft": view.id, "state": view.state.value, "missing": missing, "hash": view.hash}


def print_outcome(view: DraftView, action: Action | None, *, as_json: bool) -> None:
    """Print the outcome of an action, or that nothing was changed, as a sentence or as JSON."""
    if as_json:
        result_json(outcome_data(view))
    elif action is None:
        plain_result(f"Nothing was changed in {state_message(view)}")
    else:
        following = f" Next: panel queue publish {view.id}" if view.state is State.APPROVED else ""
        plain_result(f"{outcome_message(view, action)}{following}")


def print_draft(view: DraftView, *, as_json: bool) -> None:
    """Print a draft, as text or as JSON."""
    if as_json:
        result_json(draft_data(view))
    else:
        plain_result(draft_text(view))


def print_history(view: DraftView, *, as_json: bool) -> None:
    """Print the history of a draft, the oldest event first, as text or as JSON."""
    if as_json:
        result_json([event.model_dump(mode="json", exclude={"draft"}) for event in view.history])
    else:
        plain_result("\n".join(_history_lines(view)))


def draft_data(view: DraftView) -> dict[str, Any]:
    """Return a draft as JSON; `tick` is the resolution of a finding."""
    numbered = {each.finding.id: each for each in view.numbered}
    findings = []
    for finding in view.findings:
        each = numbered.get(finding.id)
        resolution = each.resolution.model_dump(mode="json") if each and each.resolution else None
        known = {"number": each.number if each else None, "id": finding.id, "tick": resolution}
        findings.append({**known, **finding.model_dump(mode="json")})
    return {
        "draft": view.id,
        "hash": view.hash,
        "state": view.state.value,
        "holder": view.lock.holder if view.lock else None,
        "live": view.current.live is not None,
        "review": view.shown.review.model_dump(mode="json"),
        "marks": [mark.model_dump(mode="json") for mark in view.shown.marks],
        "findings": findings,
        "missing": [each.number for each in view.unresolved],
    }


def draft_text(view: DraftView) -> str:
    """Return everything that an editor must read of a draft, in lines as wide as the terminal."""
    return "\n".join(_draft_lines(view))


def _history_lines(view: DraftView) -> Iterator[str]:
    for entry in history_entries(view):
        event = entry.event
        before, after = (each[:HISTORY_HASH_CHARS] for each in (event.hash_before or "", event.hash_after))
        hashes = f"{before} → {after}" if before and before != after else after
        yield f"{utc_time(event.at)}  {entry.actor}: {entry.step}  review {hashes}"
        details = [("about", entry.about), ("why", event.reason or "")]
        details += [("change", f"{change.field}: {diff_text(change.pieces)}") for change in entry.changes]
        for label, words in details:
            if words:
                yield from _row(f"    {label}", words)


def diff_text(pieces: Iterable[Piece]) -> str:
    """Return a difference in one text: `It costs [-$9 a month-] {+little+}.`."""
    texts = []
    for part, text in pieces:
        blanks, words = text[: len(text) - len(text.lstrip())], text.strip()
        marked = {
            Part.EQUAL: text,
            Part.REMOVED: f"{blanks}[-{words}-]",
            Part.ADDED: f"{blanks}{{+{words}+}}",
        }
        texts.append(marked[part])
    return "".join(texts)


def queue_table(rows: Sequence[QueueRow]) -> list[str]:
    """Return drafts as the lines of a table; names get the columns that the others leave."""
    heads = HEADS if any(row.holder for row in rows) else HEADS[:-1]

    def cells(row: QueueRow, name: str) -> tuple[str, ...]:
        return (
            str(row.id),
            name,
            "changes" if row.state is State.CHANGES_REQUESTED else row.state.label,
            f"{row.ships} ship / {row.skips} skip",
            "?" if row.open_findings is None else str(row.open_findings),
            "?" if row.cost_usd is None else dollars(row.cost_usd),
            _age(row.drafted_at),
            shortened(one_line(row.holder or ""), HOLDER_COLUMNS),
        )[: len(heads)]

    nameless = table(heads, [cells(row, "") for row in rows], NUMBERS)
    room = max(MIN_NAME_COLUMNS, width() - max(map(columns, nameless)) + len("tool") - len(GAP))
    return table(heads, [cells(row, shortened(one_line(row.name), room)) for row in rows], NUMBERS)


def _age(at: datetime) -> str:
    minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _row(label: str, words: str, room: int = LABEL_COLUMNS) -> list[str]:
    return labelled(label, one_line(words), room, width())


def _draft_lines(view: DraftView) -> Iterator[str]:
    review = view.shown.review
    yield from textwrap.wrap(f"Draft {view.id} · {view.tool_name} · {view.state.label}", width())
    yield review.tally.line
    yield score_line(review.tally.scores)
    if event := view.closing_event:
        yield from _row("", f"{event.actor}: {event.reason or ''}", 0)
    if live := view.current.live:
        yield f"On the site as {one_line(live.approval.by)} approved it"
    if lock := view.lock:
        yield f"Reserved for {one_line(lock.holder)} for {counted(lock.minutes, 'more minute')}"
    yield from ("", "Listing", *_listing_lines(view))
    for seat in review.seats:
        yield from ("", *_seat_lines(view, seat))
    if findings := view.numbered_in(PANEL):
        yield from ("", "The panel", *_finding_lines(findings))
    yield ""
    if count := len(view.unresolved):
        yield f"{counted(count, 'finding')} must be resolved before approval:"
        yield f"panel queue resolve {view.id} NUMBER, or panel queue edit {view.id}"
    elif view.state in WAITING:
        yield f"Nothing is left to resolve: panel queue approve {view.id}"
    elif view.state is State.APPROVED:
        yield f"Approved: panel queue publish {view.id}"
    yield f"hash {view.hash[:HASH_CHARS]}"


def _listing_lines(view: DraftView) -> Iterator[str]:
    tool = view.shown.review.tool
    for name in _LISTING_FIELDS:
        if value := getattr(tool, name):
            yield from _row(name.replace("_", " "), str(value))
    yield from _paragraphs(tool.description)
    for fact in tool.facts:
        yield from _row("fact", f"{fact.claim} ({fact.source}, {fact.checked_on})")
    yield from _mark_lines(view, None)
    yield from _finding_lines(view.numbered_in(LISTING))


def _seat_lines(view: DraftView, seat: Seat) -> Iterator[str]:
    outcome, findings = seat.outcome, view.numbered_in(seat.persona)
    if isinstance(outcome, NoTake):
        yield f"{one_line(seat.name)}: no panel take ({outcome.reason.label})"
        yield from _paragraphs(outcome.detail)
    else:
        statuses = [finding.status for finding in view.findings if finding.where.persona == seat.persona]
        counts = {
            "in the listing": statuses.count(Status.IN_LISTING),
            "sourced": statuses.count(Status.SOURCED),
        }
        claims = ", ".join(f"{count} {where}" for where, count in counts.items() if count)
        yield f"{one_line(seat.name)}: {outcome.label}{f'   (claims: {claims})' if claims else ''}"
        yield from _paragraphs(_with_numbers(outcome.take, findings))
        for quote in outcome.evidence:
            yield from _row("  quotes", f"“{one_line(quote)}”")
    yield from _mark_lines(view, seat.persona)
    yield from _finding_lines(findings)


def _with_numbers(text: str, findings: Iterable[NumberedFinding]) -> str:
    """Return a take with the number of each finding after its words."""
    ends = [
        (each.finding.span.end, each.number)
        for each in findings
        if each.finding.span and each.finding.where.field == "take"
    ]
    for end, number in sorted(ends, reverse=True):
        text = f"{text[:end]}[{number}]{text[end:]}"
    return text


def _finding_lines(findings: Sequence[NumberedFinding]) -> Iterator[str]:
    """Yield findings; advice that several in a row share follows the last of them."""
    for each, following in zip_longest(findings, findings[1:]):
        shares_advice = following and each.resolution is None and following.status == each.status
        words = each.title if shares_advice else f"{each.title}. {each.status}"
        yield from _row(f"  [{each.number}]", words, NUMBER_COLUMNS)


def _mark_lines(view: DraftView, persona: str | None) -> Iterator[str]:
    for mark in view.shown.marks:
        if mark.persona == persona:
            values = (mark.original, current_value(view.shown.review, mark.original))
            before, after = (value_text(value.model_dump(mode="json")["value"]) for value in values)
            words = f"{mark.label}: {diff_text(word_diff(before, after))}"
            yield from _row(f"  {mark.field.replace('_', ' ')}", words)


def _paragraphs(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(
            line, width(), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        ) or [""]
