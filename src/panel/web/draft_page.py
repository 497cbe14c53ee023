"""A draft as its page shows it: the listing, the takes and what was found in them, and what may be done next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from panel.checks import Finding, Status, allowed_resolutions, blocks, label_of
from panel.core.draft_rules import WAITING, Action, State
from panel.core.draft_state import allowed, opened, refusal
from panel.core.take import NoTake, NoTakeReason
from panel.core.word_diff import word_diff
from panel.web.highlight import Piece, Stretch, pieces, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.draft_rules import Actor
    from panel.core.edits import EditMark
    from panel.core.resolution import RecordedResolution
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.core.word_diff import Piece as Changed
    from panel.store import DraftView

_NEXT = {**dict.fromkeys(WAITING, Action.APPROVE), State.APPROVED: Action.PUBLISH}
_BETWEEN = "scores"
_ID_CHARS = 12
_FIELDS = (
    ("tagline", "Tagline"),
    ("category", "Category"),
    ("pricing", "Pricing"),
    ("maker", "Maker"),
    ("license", "Licence"),
    ("best_for", "Best for"),
)
_STATED = {Status.IN_LISTING: "in_listing", Status.SOURCED: "sourced"}


class Noted(NamedTuple):
    """A finding that somebody must deal with, or has dealt with.

    Attributes:
        number: its number on the page, from 1.
        finding: the finding.
        label: what it is, in a few words.
        tick: how it was dealt with; None if it was not.
    """

    number: int
    finding: Finding
    label: str
    tick: RecordedResolution | None

    @property
    def resolvable(self) -> bool:
        """Whether a resolution is allowed; otherwise the words must be cut."""
        return bool(allowed_resolutions(self.finding))

    @property
    def anchor(self) -> str:
        """Its place on the page, whatever its number."""
        return anchor(self.finding)


class Judged(NamedTuple):
    """A seat as the page shows it.

    Attributes:
        seat: the seat.
        text: the take, or the words of a recusal, in pieces.
        quotes: its evidence, likewise.
        notes: what was found in it.
        stated: how many of its claims stand in the listing.
        sourced: how many stand in a fact with a source.
        marks: what was edited, by field.
        changes: the text against what the model wrote; None if it was not edited.
    """

    seat: Seat
    text: list[Piece]
    quotes: tuple[list[Piece], ...]
    notes: tuple[Noted, ...]
    stated: int
    sourced: int
    marks: dict[str, EditMark]
    changes: list[Changed] | None

    @property
    def editable(self) -> bool:
        """Whether there is anything to edit: a take, or a recusal in the persona's own words."""
        outcome = self.seat.outcome
        return not isinstance(outcome, NoTake) or outcome.reason is NoTakeReason.RECUSED

    @property
    def open(self) -> int:
        """How many findings are neither ticked nor cut."""
        return sum(note.tick is None for note in self.notes)


class Told(NamedTuple):
    """A line of the listing: what it is called, and its words in pieces."""

    label: str
    pieces: list[Piece]


def anchor(finding: Finding) -> str:
    """Return a finding's place on the page."""
    return f"finding-{finding.id[:_ID_CHARS]}"


@dataclass(frozen=True)
class Sheet:
    """A draft as somebody sees it.

    Attributes:
        view: the draft.
        actor: who looks at it.
    """

    view: DraftView
    actor: Actor

    @property
    def mine(self) -> bool:
        """Whether nobody else has the draft before them."""
        return self.view.claim is None or self.view.claim.is_of(self.actor.name)

    @cached_property
    def may(self) -> frozenset[Action]:
        """What who looks may do; only a take-over while somebody else has the draft."""
        if not self.mine:
            return frozenset({Action.TAKE_OVER})
        fresh = self.view.standing.state is State.DRAFTED
        may = {
            *allowed(self.view.standing, self.actor.role),
            *allowed(opened(self.view.standing), self.actor.role),
        }
        return frozenset(may - {Action.TAKE_OVER} - ({Action.OPEN} if fresh else set()))

    @property
    def approvable(self) -> bool:
        """Whether it may be approved as it is."""
        return Action.APPROVE in self.may and not self.view.missing

    @cached_property
    def refused(self) -> str | None:
        """Why who looks may not do what comes next, as the end of a sentence about the draft; None if they may."""
        action = _NEXT.get(self.view.standing.state)
        return refusal(opened(self.view.standing), action, self.actor.role) if action else None

    @cached_property
    def notes(self) -> tuple[Noted, ...]:
        """All findings that somebody must deal with, or has dealt with, in order."""
        blocking = filter(blocks, self.view.findings)
        return tuple(
            Noted(
                number,
                finding,
                label_of(finding),
                self.view.tick_of(finding) if allowed_resolutions(finding) else None,
            )
            for number, finding in enumerate(blocking, 1)
        )

    @property
    def by_number(self) -> dict[int, Noted]:
        """They, by their numbers."""
        return {note.number: note for note in self.notes}

    @property
    def of_listing(self) -> tuple[Noted, ...]:
        """Those in the listing."""
        return tuple(note for note in self.notes_of(None) if note.finding.where.field != _BETWEEN)

    @property
    def of_panel(self) -> tuple[Noted, ...]:
        """Those between the takes."""
        return tuple(note for note in self.notes_of(None) if note.finding.where.field == _BETWEEN)

    @property
    def missing(self) -> tuple[Noted, ...]:
        """The findings that stand in the way of approval."""
        return tuple(note for note in self.notes if note.tick is None)

    def notes_of(self, persona: str | None) -> tuple[Noted, ...]:
        """Return the findings in a seat; those in the listing and between the takes for None."""
        return tuple(note for note in self.notes if note.finding.where.persona == persona)

    @cached_property
    def seats(self) -> tuple[Judged, ...]:
        """The seats, in the order of the roster."""
        return tuple(self._judged(seat) for seat in self.view.shown.review.seats)

    @cached_property
    def listing(self) -> tuple[Told, ...]:
        """What the listing says beside its description."""
        tool = self.view.shown.review.tool
        told = [Told(title, self.listed(field)) for field, title in _FIELDS if getattr(tool, field)]
        names = [self.listed(f"aliases.{place}") for place in range(len(tool.aliases))]
        return (*told, *(Told("Also called", name) for name in names))

    def listed(self, field: str) -> list[Piece]:
        """Return a text of the listing, with what was found in it, and with what takes quote of it."""
        tool = self.view.shown.review.tool
        text = dict(_texts(tool)).get(field, "") or ""
        return pieces(text, [*self._found(None, field), *self._quoted(text)])

    def mark(self, field: str) -> EditMark | None:
        """Return what was edited of the tool, or None."""
        return self.view.shown.mark(None, field)

    def _judged(self, seat: Seat) -> Judged:
        persona, take = seat.persona, seat.take
        field = "take" if take else "detail"
        text = take.take if take else _detail(seat)
        quotes = take.evidence if take else ()
        marks = {mark.field: mark for mark in self.view.shown.marks if mark.persona == persona}
        mine = [finding for finding in self.view.findings if finding.where.persona == persona]
        was = marks.get(field)
        return Judged(
            seat=seat,
            text=pieces(text, self._found(persona, field)),
            quotes=tuple(
                pieces(quote, self._found(persona, f"evidence.{place}")) for place, quote in enumerate(quotes)
            ),
            notes=self.notes_of(persona),
            stated=sum(finding.status is Status.IN_LISTING for finding in mine),
            sourced=sum(finding.status is Status.SOURCED for finding in mine),
            marks=marks,
            changes=word_diff(str(was.original.value), text) if was else None,
        )

    def _found(self, persona: str | None, field: str) -> list[Stretch]:
        numbers = {note.finding.id: note for note in self.notes}
        return [
            _stretch(finding, numbers.get(finding.id))
            for finding in self.view.findings
            if (finding.where.persona, finding.where.field) == (persona, field) and finding.span
        ]

    def _quoted(self, text: str) -> Iterator[Stretch]:
        for seat in self.view.shown.review.seats:
            for quote in seat.take.evidence if seat.take else ():
                yield from quoted(text, quote, f"Quoted by {seat.name}")


def _stretch(finding: Finding, note: Noted | None) -> Stretch:
    span = finding.span
    start, end = (span.start, span.end) if span else (0, 0)
    if note is None:
        return Stretch(start, end, _STATED.get(finding.status, "flagged"), finding.note)
    if note.tick:
        return Stretch(start, end, "ticked", f"{note.label}: {note.tick.kind} ({note.tick.by})", note.number)
    tone = "unsupported" if finding.status is Status.UNSUPPORTED else "flagged"
    return Stretch(start, end, tone, f"{note.label}: {finding.note}", note.number)


def _detail(seat: Seat) -> str:
    return seat.outcome.detail if isinstance(seat.outcome, NoTake) else ""


def _texts(tool: Tool) -> Iterator[tuple[str, str | None]]:
    for field in ("name", "description", *(name for name, _ in _FIELDS)):
        yield field, getattr(tool, field)
    for place, name in enumerate(tool.aliases):
        yield f"aliases.{place}", name
    for place, fact in enumerate(tool.facts):
        yield f"facts.{place}.claim", fact.claim
