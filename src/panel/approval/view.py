"""A draft as both front ends show it: the shown review, its numbered findings, its lock and the actions that may follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from panel.checks import allowed_resolutions, blocks, finding_label, unresolved
from panel.core.draft_edits import current_value
from panel.core.draft_state import WAITING, Action, State, opened_for, why_refused
from panel.core.finding import RecordedResolution, ResolutionKind
from panel.core.frozen import digest_of
from panel.core.text import one_line

if TYPE_CHECKING:
    from panel.approval.commands import DraftCommand
    from panel.core.actor import Actor
    from panel.core.draft_edits import EditedReview
    from panel.core.draft_state import DraftState
    from panel.core.finding import Finding
    from panel.core.review import PanelReview
    from panel.store import DraftLock, DraftRecord, RecordedEvent

LISTING = "listing"
PANEL = "panel"
"""Places of findings that are in no seat: in the listing, and between the takes."""

_NEXT_ACTION = {**dict.fromkeys(WAITING, Action.APPROVE), State.APPROVED: Action.PUBLISH}
_CLOSED_BY = {
    State.CHANGES_REQUESTED: Action.REQUEST_CHANGES,
    State.REJECTED: Action.REJECT,
    State.RETRACTED: Action.RETRACT,
}


class NumberedFinding(NamedTuple):
    """A finding that must be resolved or cut before approval, or was resolved.

    Attributes:
        number: its number in the draft as shown, from 1.
        place: the seat's persona, `LISTING` or `PANEL`.
        place_name: the same for readers: `Skeptic`, `Listing`, `Panel`.
        label: the kind of finding in a few words: `Unsupported price`.
        allowed: the resolutions that this kind of finding takes; none if it can only be cut.
    """

    number: int
    finding: Finding
    place: str
    place_name: str
    label: str
    resolution: RecordedResolution | None
    allowed: tuple[ResolutionKind, ...]

    @property
    def title(self) -> str:
        """Label and words: `Unsupported price: “$9 a month”`."""
        return f"{self.label}: “{one_line(self.finding.text)}”"

    @property
    def status(self) -> str:
        """The resolution in words, or else the advice of the check."""
        given = self.resolution
        if given is None:
            return self.finding.note
        kind = "Supported" if given.kind is ResolutionKind.SUPPORTED else "An opinion"
        return f"{kind}, by {given.by}{f': {given.source}' if given.source else '.'}"


@dataclass(frozen=True)
class DraftView:
    """A draft at one moment, with everything that checks find in it, claims that are in the listing included."""

    record: DraftRecord
    findings: tuple[Finding, ...]
    lock: DraftLock | None

    @property
    def id(self) -> int:
        """The draft's number."""
        return self.record.id

    @property
    def shown(self) -> EditedReview:
        """The review as it is shown, beside the panel's own."""
        return self.record.shown

    @property
    def history(self) -> tuple[RecordedEvent, ...]:
        """All events, in order."""
        return self.record.history

    @property
    def current(self) -> DraftState:
        """The state after all events, with the edits and resolutions in force."""
        return self.record.current

    @property
    def state(self) -> State:
        """The step on the way to publication."""
        return self.current.state

    @property
    def tool_name(self) -> str:
        """The tool's name on one line."""
        return one_line(self.shown.review.tool.name)

    @property
    def hash(self) -> str:
        """Digest of the shown review and the resolutions, to which an approval is bound; `shown.hash` is of the review alone."""
        return digest_of([self.shown.hash, self.current.resolutions_digest])

    @cached_property
    def numbered(self) -> tuple[NumberedFinding, ...]:
        """The findings that must be resolved or cut, or were resolved, in the order of the review."""
        return tuple(
            self._numbered(number, finding) for number, finding in enumerate(filter(blocks, self.findings), 1)
        )

    def _numbered(self, number: int, finding: Finding) -> NumberedFinding:
        persona, allowed = finding.where.persona, allowed_resolutions(finding)
        seat = self.shown.review.seat_of(persona) if persona else None
        place = persona or (PANEL if finding.where.field == "scores" else LISTING)
        name = one_line(seat.name) if seat else place.capitalize()
        given = (each for each in self.current.resolutions if allowed and each.finding == finding.id)
        return NumberedFinding(
            number, finding, place, name, finding_label(finding), next(given, None), allowed
        )

    @cached_property
    def unresolved(self) -> tuple[NumberedFinding, ...]:
        """The findings that block approval."""
        blocking = {found.id for found in unresolved(self.findings, self.current.resolutions)}
        return tuple(each for each in self.numbered if each.finding.id in blocking)

    def numbered_in(self, place: str) -> tuple[NumberedFinding, ...]:
        """Return the numbered findings of one place: a persona, `LISTING` or `PANEL`."""
        return tuple(each for each in self.numbered if each.place == place)

    @property
    def closing_event(self) -> RecordedEvent | None:
        """The event that sent the draft back or closed it, with its reason; None while the draft is open."""
        kind = _CLOSED_BY.get(self.state)
        return next((event for event in reversed(self.history) if event.kind == kind), None)

    def is_free_for(self, actor: Actor) -> bool:
        """Return whether nobody else has locked the draft."""
        return self.lock is None or self.lock.is_of(actor.name)

    def allowed(self, actor: Actor) -> frozenset[Action]:
        """Return the actions that a person may take now; only a take-over while another person has the draft.

        An approval is among them although findings are unresolved.
        """
        if not self.is_free_for(actor):
            return frozenset({Action.TAKE_OVER})
        # A new draft is opened by the decision about it.
        offered = set(Action) - {Action.TAKE_OVER, *([Action.OPEN] if self.state is State.DRAFTED else [])}
        return frozenset(action for action in offered if not self._why_refused(action, actor))

    def _why_refused(self, action: Action, actor: Actor) -> str | None:
        return why_refused(opened_for(self.current, action), action, actor.role, reason="given")

    def can_approve(self, actor: Actor) -> bool:
        """Return whether a person may approve the draft as it is shown."""
        return Action.APPROVE in self.allowed(actor) and not self.unresolved

    def why_next_refused(self, actor: Actor) -> str | None:
        """Return why a person may not take the step that comes next, as the end of a sentence about the draft."""
        action = _NEXT_ACTION.get(self.state)
        return self._why_refused(action, actor) if action else None

    def review_at(self, seen: str) -> PanelReview | None:
        """Return the review of an earlier version by its `EditedReview.hash`; None if there was none."""
        places = [place for place, event in enumerate(self.history) if event.hash_after == seen]
        return self.record.shown_at(places[-1]).review if places else None

    def repeat_of(self, command: DraftCommand) -> RecordedEvent | None:
        """Return the latest event if a command says the same again, such as a form that was sent twice; else None.

        For an edit the command holds every value of the form, changed or not.
        """
        last = self.history[-1]
        same = last.kind == command.action and command.actor.is_named(last.actor)
        return last if same and self._repeats(last, command) else None

    def _repeats(self, last: RecordedEvent, command: DraftCommand) -> bool:
        payload = last.payload
        if command.action is Action.UNDO:
            undone = [place for place, event in enumerate(self.history) if event.id == payload.get("undone")]
            return command.undoes in undone
        if last.hash_before != command.seen or last.reason != command.reason:
            return False
        if command.resolution:
            return bool(payload.get("tick") == command.resolution.model_dump(mode="json"))
        if command.persona:
            return payload.get("persona") == command.persona and last.hash_after != last.hash_before
        review, made = self.shown.review, [edit["change"] for edit in payload.get("edits", ())]
        wanted = [change.model_dump(mode="json") for change in command.changes]
        return all(change in wanted for change in made) and all(
            data in made or change == current_value(review, change)
            for change, data in zip(command.changes, wanted, strict=True)
        )
