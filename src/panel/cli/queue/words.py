"""A draft as a terminal shows it."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from panel.approval.word_diff import Part, word_diff
from panel.checks import Finding, Status, allowed_resolutions, blocks, label_of
from panel.cli.console import plain_result, width
from panel.cli.rows import labelled
from panel.core.draft_edits import current_value
from panel.core.draft_state import WAITING, State
from panel.core.take import NoTake, Take
from panel.core.text import one_line
from panel.core.tool import Fact
from panel.report.wording import score_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.approval import DraftView
    from panel.core.draft_edits import EditMark
    from panel.core.resolution import RecordedResolution
    from panel.core.take import Seat
    from panel.core.tool import Tool

ROOM, NUMBER_ROOM = 13, 7
HASH_CHARS = 12
_LISTED = (
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


class Numbered(NamedTuple):
    """A finding that somebody must deal with, or has dealt with.

    Attributes:
        number: its number in what is shown, from 1.
        finding: the finding.
        tick: how it was dealt with, or None.
    """

    number: int
    finding: Finding
    tick: RecordedResolution | None

    @property
    def whose(self) -> str:
        """Where it was found: `skeptic`, or `listing`, or `panel`."""
        return self.finding.where.persona or ("panel" if self.finding.where.field == "scores" else "listing")

    @property
    def what(self) -> str:
        """What was found: `Unsupported number: “40 %”`."""
        return f"{label_of(self.finding)}: “{one_line(self.finding.text)}”"


def numbered(view: DraftView) -> list[Numbered]:
    """Return the findings of a draft that somebody must deal with, or has dealt with, in order."""
    blocking = filter(blocks, view.findings)
    return [
        Numbered(number, finding, view.resolution_of(finding) if allowed_resolutions(finding) else None)
        for number, finding in enumerate(blocking, 1)
    ]


def print_draft(view: DraftView) -> None:
    """Print all that an editor is shown of a draft."""
    plain_result("\n".join(draft_lines(view, width())))


def draft_lines(view: DraftView, columns: int) -> list[str]:
    """Return all that an editor is shown of a draft, in lines no longer than the columns where words allow it."""
    review, notes = view.shown.review, numbered(view)
    lines = [
        *textwrap.wrap(
            f"Draft {view.id} · {one_line(review.tool.name)} · {view.current.state.label}", columns
        ),
        review.tally.line,
        score_line(review.tally.scores),
        *_around(view, columns),
        "",
        *_listing(view, notes, columns),
    ]
    for seat in review.seats:
        lines += ["", *_seat(view, seat, notes, columns)]
    panel = [
        note for note in notes if note.finding.where.persona is None and note.finding.where.field == "scores"
    ]
    if panel:
        lines += ["", "The panel", *_notes(panel, columns)]
    return [*lines, "", *_ending(view)]


def _around(view: DraftView, columns: int) -> Iterator[str]:
    live, claim = view.current.live, view.lock
    if asked := view.closing_event:
        yield from labelled("", f"{one_line(asked.actor)}: {one_line(asked.reason or '')}", 0, columns)
    if live:
        yield f"On the site as {one_line(live.approval.by)} approved it"
    if claim:
        yield f"With {one_line(claim.holder)} for {claim.minutes} min"


def _listing(view: DraftView, notes: list[Numbered], columns: int) -> Iterator[str]:
    tool = view.shown.review.tool
    yield "Listing"
    for name in _LISTED:
        if value := getattr(tool, name):
            yield from labelled(name.replace("_", " "), one_line(str(value)), ROOM, columns)
    yield from _paragraphs(tool.description, columns)
    yield from _facts(tool, columns)
    yield from _edits([mark for mark in view.shown.marks if mark.persona is None], view, columns)
    yield from _notes(
        [
            note
            for note in notes
            if note.finding.where.persona is None and note.finding.where.field != "scores"
        ],
        columns,
    )


def _facts(tool: Tool, columns: int) -> Iterator[str]:
    for fact in tool.facts:
        source = f"{fact.claim} ({fact.source}, {fact.checked_on})"
        yield from labelled("fact", one_line(source), ROOM, columns)


def _seat(view: DraftView, seat: Seat, notes: list[Numbered], columns: int) -> Iterator[str]:
    outcome = seat.outcome
    mine = [note for note in notes if note.finding.where.persona == seat.persona]
    if isinstance(outcome, NoTake):
        yield f"{one_line(seat.name)}: no panel take ({outcome.reason.label})"
        yield from _paragraphs(outcome.detail, columns)
    else:
        yield f"{one_line(seat.name)}: {outcome.label}{_stated(view, seat.persona)}"
        yield from _paragraphs(_with_numbers(outcome, mine), columns)
        for quote in outcome.evidence:
            yield from labelled("  quotes", f"“{one_line(quote)}”", ROOM, columns)
    yield from _edits([mark for mark in view.shown.marks if mark.persona == seat.persona], view, columns)
    yield from _notes(mine, columns)


def _stated(view: DraftView, persona: str) -> str:
    mine = [finding.status for finding in view.findings if finding.where.persona == persona]
    listed, sourced = mine.count(Status.IN_LISTING), mine.count(Status.SOURCED)
    parts = [f"{listed} in the listing"] * bool(listed) + [f"{sourced} sourced"] * bool(sourced)
    return f"   (claims: {', '.join(parts)})" if parts else ""


def _with_numbers(take: Take, notes: Iterable[Numbered]) -> str:
    """Return a take with the number of each finding after its words."""
    text = take.take
    spans = [
        (note.finding.span.end, note.number)
        for note in notes
        if note.finding.span and note.finding.where.field == "take"
    ]
    for end, number in sorted(spans, reverse=True):
        text = f"{text[:end]}[{number}]{text[end:]}"
    return text


def _notes(notes: Iterable[Numbered], columns: int) -> Iterator[str]:
    """Yield findings; advice that several in a row have in common is given after the last of them."""
    told = [(note, _dealt(note)) for note in notes]
    for (note, dealt), (_, following) in zip_longest(told, told[1:], fillvalue=(None, "")):
        if note is not None:
            said = note.what if note.tick is None and dealt == following else f"{note.what}. {dealt}"
            yield from labelled(f"  [{note.number}]", said, NUMBER_ROOM, columns)


def _dealt(note: Numbered) -> str:
    tick = note.tick
    if tick is None:
        return note.finding.note
    return f"Ticked {tick.kind} by {tick.by}{f': {tick.source}' if tick.source else '.'}"


def _edits(marks: Iterable[EditMark], view: DraftView, columns: int) -> Iterator[str]:
    for mark in marks:
        told = one_line(changes(_text(mark.original.value), _now(view, mark)))
        yield from labelled(f"  {mark.field.replace('_', ' ')}", f"{mark.label}: {told}", ROOM, columns)


def _now(view: DraftView, mark: EditMark) -> str:
    return _text(current_value(view.shown.review, mark.original).value)


def _text(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return "; ".join(each.claim if isinstance(each, Fact) else str(each) for each in value)


def changes(before: str, after: str) -> str:
    """Return what was changed in a text, word by word: `It costs [-$9 a month-] {+little+}.`."""
    return "".join(_piece(part, text) for part, text in word_diff(before, after))


def _piece(part: Part, text: str) -> str:
    if part is Part.EQUAL:
        return text
    lead = text[: len(text) - len(text.lstrip())]
    return f"{lead}[-{text.strip()}-]" if part is Part.REMOVED else f"{lead}{{+{text.strip()}+}}"


def _paragraphs(text: str, columns: int) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(
            line, columns, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        ) or [""]


def _ending(view: DraftView) -> Iterator[str]:
    missing = len(view.unresolved)
    if missing:
        yield f"{missing} {'finding stands' if missing == 1 else 'findings stand'} in the way of approval:"
        yield f"panel queue tick {view.id} NUMBER, or panel queue edit {view.id}"
    elif view.current.state in WAITING:
        yield f"Nothing stands in the way: panel queue approve {view.id}"
    elif view.current.state is State.APPROVED:
        yield f"Approved: panel queue publish {view.id}"
    yield f"hash {view.hash[:HASH_CHARS]}"
