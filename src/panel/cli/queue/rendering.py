"""A draft, its history and the outcome of an action as terminal text and as JSON."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from panel.approval import history_entries, outcome_message
from panel.approval.history import Part, value_text, word_diff
from panel.approval.view import LISTING, PANEL
from panel.checks import Status
from panel.cli.console import plain_result, result_json, width
from panel.cli.rows import labelled
from panel.core.draft_edits import current_value
from panel.core.draft_state import WAITING, State
from panel.core.take import NoTake, Take
from panel.core.text import one_line, utc_time
from panel.report.wording import counted, score_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.approval import DraftView, HistoryEntry, NumberedFinding
    from panel.approval.history import Piece
    from panel.core.draft_edits import EditMark
    from panel.core.draft_state import Action
    from panel.core.take import Seat

LABEL_COLUMNS, NUMBER_COLUMNS = 13, 7
HASH_CHARS, HISTORY_HASH_CHARS = 12, 8
_LISTING_FIELDS = (
    "tagline",
    "category",
    "pricing",
    "price_class",
    "maker",
    "license",
    "launched_on",
    "best_for",
    "url",
)


def outcome_data(view: DraftView) -> dict[str, Any]:
    """Return the state of a draft as JSON: `{draft, state, missing, hash}`."""
    return {
        "draft": view.id,
        "state": view.state.value,
        "missing": len(view.unresolved),
        "hash": view.hash,
    }


def print_outcome(view: DraftView, action: Action, *, as_json: bool) -> None:
    """Print the outcome of an action, as a sentence or as JSON."""
    if as_json:
        result_json(outcome_data(view))
        return
    following = f" Next: panel queue publish {view.id}" if view.state is State.APPROVED else ""
    plain_result(f"{outcome_message(view, action)}{following}")


def draft_data(view: DraftView) -> dict[str, Any]:
    """Return a draft as JSON; `tick` is the resolution of a finding."""
    numbered = {each.finding.id: each for each in view.numbered}

    def finding_data(finding_id: str) -> dict[str, Any]:
        each = numbered.get(finding_id)
        resolution = each.resolution.model_dump(mode="json") if each and each.resolution else None
        return {"number": each.number if each else None, "id": finding_id, "tick": resolution}

    return {
        "draft": view.id,
        "hash": view.hash,
        "state": view.state.value,
        "holder": view.lock.holder if view.lock else None,
        "live": view.current.live is not None,
        "review": view.shown.review.model_dump(mode="json"),
        "marks": [mark.model_dump(mode="json") for mark in view.shown.marks],
        "findings": [
            {**finding_data(finding.id), **finding.model_dump(mode="json")} for finding in view.findings
        ],
        "missing": [each.number for each in view.unresolved],
    }


def draft_text(view: DraftView, columns: int | None = None) -> str:
    """Return everything that an editor must read of a draft, in lines as wide as the terminal."""
    return "\n".join(_draft_lines(view, columns or width()))


def history_text(view: DraftView) -> str:
    """Return the history of a draft, the oldest event first."""
    return "\n".join(line for entry in history_entries(view) for line in _entry_lines(entry))


def _draft_lines(view: DraftView, columns: int) -> Iterator[str]:
    review = view.shown.review
    yield from textwrap.wrap(f"Draft {view.id} · {view.tool_name} · {view.state.label}", columns)
    yield review.tally.line
    yield score_line(review.tally.scores)
    if event := view.closing_event:
        yield from labelled("", f"{one_line(event.actor)}: {one_line(event.reason or '')}", 0, columns)
    if live := view.current.live:
        yield f"On the site as {one_line(live.approval.by)} approved it"
    if lock := view.lock:
        yield f"Reserved for {one_line(lock.holder)} for {counted(lock.minutes, 'more minute')}"
    yield ""
    yield from _listing_lines(view, columns)
    for seat in review.seats:
        yield ""
        yield from _seat_lines(view, seat, columns)
    if findings := view.numbered_in(PANEL):
        yield from ("", "The panel")
        yield from _finding_lines(findings, columns)
    yield ""
    yield from _last_lines(view)


def _listing_lines(view: DraftView, columns: int) -> Iterator[str]:
    tool = view.shown.review.tool
    yield "Listing"
    for name in _LISTING_FIELDS:
        if value := getattr(tool, name):
            yield from labelled(name.replace("_", " "), one_line(str(value)), LABEL_COLUMNS, columns)
    yield from _paragraphs(tool.description, columns)
    for fact in tool.facts:
        words = one_line(f"{fact.claim} ({fact.source}, {fact.checked_on})")
        yield from labelled("fact", words, LABEL_COLUMNS, columns)
    yield from _mark_lines(view, None, columns)
    yield from _finding_lines(view.numbered_in(LISTING), columns)


def _seat_lines(view: DraftView, seat: Seat, columns: int) -> Iterator[str]:
    outcome, findings = seat.outcome, view.numbered_in(seat.persona)
    if isinstance(outcome, NoTake):
        yield f"{one_line(seat.name)}: no panel take ({outcome.reason.label})"
        yield from _paragraphs(outcome.detail, columns)
    else:
        yield f"{one_line(seat.name)}: {outcome.label}{_supported_claims(view, seat.persona)}"
        yield from _paragraphs(_with_numbers(outcome, findings), columns)
        for quote in outcome.evidence:
            yield from labelled("  quotes", f"“{one_line(quote)}”", LABEL_COLUMNS, columns)
    yield from _mark_lines(view, seat.persona, columns)
    yield from _finding_lines(findings, columns)


def _supported_claims(view: DraftView, persona: str) -> str:
    statuses = [finding.status for finding in view.findings if finding.where.persona == persona]
    listed, sourced = statuses.count(Status.IN_LISTING), statuses.count(Status.SOURCED)
    parts = [f"{listed} in the listing"] * bool(listed) + [f"{sourced} sourced"] * bool(sourced)
    return f"   (claims: {', '.join(parts)})" if parts else ""


def _with_numbers(take: Take, findings: Iterable[NumberedFinding]) -> str:
    """Return a take with the number of each finding after its words."""
    text = take.take
    ends = [
        (each.finding.span.end, each.number)
        for each in findings
        if each.finding.span and each.finding.where.field == "take"
    ]
    for end, number in sorted(ends, reverse=True):
        text = f"{text[:end]}[{number}]{text[end:]}"
    return text


def _finding_lines(findings: Sequence[NumberedFinding], columns: int) -> Iterator[str]:
    """Yield findings; advice that several in a row share follows the last of them."""
    for each, following in zip_longest(findings, findings[1:]):
        shares_advice = following and each.resolution is None and following.status == each.status
        words = each.title if shares_advice else f"{each.title}. {each.status}"
        yield from labelled(f"  [{each.number}]", words, NUMBER_COLUMNS, columns)


def _mark_lines(view: DraftView, persona: str | None, columns: int) -> Iterator[str]:
    for mark in view.shown.marks:
        if mark.persona == persona:
            words = f"{mark.label}: {one_line(_mark_diff(view, mark))}"
            yield from labelled(f"  {mark.field.replace('_', ' ')}", words, LABEL_COLUMNS, columns)


def _mark_diff(view: DraftView, mark: EditMark) -> str:
    values = (mark.original, current_value(view.shown.review, mark.original))
    before, after = (value_text(value.model_dump(mode="json")["value"]) for value in values)
    return diff_text(word_diff(before, after))


def diff_text(pieces: Iterable[Piece]) -> str:
    """Return a difference in one text: `It costs [-$9 a month-] {+little+}.`."""
    return "".join(map(_piece_text, pieces))


def _piece_text(piece: Piece) -> str:
    part, text = piece
    if part is Part.EQUAL:
        return text
    lead = text[: len(text) - len(text.lstrip())]
    return f"{lead}[-{text.strip()}-]" if part is Part.REMOVED else f"{lead}{{+{text.strip()}+}}"


def _paragraphs(text: str, columns: int) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(
            line, columns, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        ) or [""]


def _last_lines(view: DraftView) -> Iterator[str]:
    count = len(view.unresolved)
    if count:
        yield f"{counted(count, 'finding')} must be resolved before approval:"
        yield f"panel queue resolve {view.id} NUMBER, or panel queue edit {view.id}"
    elif view.state in WAITING:
        yield f"Nothing is left to resolve: panel queue approve {view.id}"
    elif view.state is State.APPROVED:
        yield f"Approved: panel queue publish {view.id}"
    yield f"hash {view.hash[:HASH_CHARS]}"


def _entry_lines(entry: HistoryEntry) -> Iterator[str]:
    event = entry.event
    before, after = (event.hash_before or "")[:HISTORY_HASH_CHARS], event.hash_after[:HISTORY_HASH_CHARS]
    hashes = f"{before} → {after}" if before and before != after else after
    yield f"{utc_time(event.at)}  {entry.actor}: {entry.step}  {hashes}"
    details = [("about", entry.about), ("why", event.reason or "")]
    details += [("change", f"{change.field}: {diff_text(change.pieces)}") for change in entry.changes]
    for label, words in details:
        if words:
            yield from labelled(f"    {label}", one_line(words), LABEL_COLUMNS, width())
