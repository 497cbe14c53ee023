"""A draft as both front ends show it: the shown review, its numbered findings, its lock and the actions that may follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from panel.checks import allowed_resolutions, blocks, finding_label, unresolved
from panel.core.draft_edits import current_value
from panel.core.draft_state import (
    WAITING,
    Action,
    State,
    allowed_actions,
    as_opened,
    why_refused,
)
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
        resolution: the one in force; None if there is none.
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
        words = "Supported" if given.kind is ResolutionKind.SUPPORTED else "An opinion"
        return f"{words}, by {given.by}{f': {given.source}' if given.source else '.'}"


@dataclass(frozen=True)
class DraftView:
    """A draft at one moment.

    Attributes:
        findings: everything that checks find in the shown review, claims that are in the listing included.
        lock: its lock; None if nobody has it.
    """

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
        """Digest of everything that an approval is bound to: the shown review and the resolutions."""
        return digest_of([self.shown.hash, self.current.resolutions_digest])

    @cached_property
    def numbered(self) -> tuple[NumberedFinding, ...]:
        """The findings that must be resolved or cut, or were resolved, in the order of the review."""
        return tuple(
            self._numbered(number, finding) for number, finding in enumerate(filter(blocks, self.findings), 1)
        )

    @cached_property
    def unresolved(self) -> tuple[NumberedFinding, ...]:
        """The findings that block approval."""
        blocking = {found.id for found in unresolved(self.findings, self.current.resolutions)}
        return tuple(each for each in self.numbered if each.finding.id in blocking)

    @property
    def closing_event(self) -> RecordedEvent | None:
        """The event that sent the draft back or closed it, with its reason; None while the draft is open."""
        kind = _CLOSED_BY.get(self.state)
        return next((event for event in reversed(self.history) if event.kind == kind), None)

    def numbered_in(self, place: str) -> tuple[NumberedFinding, ...]:
        """Return the numbered findings of one place: a persona, `LISTING` or `PANEL`."""
        return tuple(each for each in self.numbered if each.place == place)

    def resolution_of(self, finding: Finding) -> RecordedResolution | None:
        """Return the resolution of a finding, or None."""
        return next((each for each in self.current.resolutions if each.finding == finding.id), None)

    def is_free_for(self, actor: Actor) -> bool:
        """Return whether nobody else has locked the draft."""
        return self.lock is None or self.lock.is_of(actor.name)

    def allowed(self, actor: Actor) -> frozenset[Action]:
        """Return the actions that a person may take now; only a take-over while another person has the draft.

        An approval is among them although findings are unresolved.
        """
        if not self.is_free_for(actor):
            return frozenset({Action.TAKE_OVER})
        now = self.current
        actions = {*allowed_actions(now, actor.role), *allowed_actions(as_opened(now), actor.role)}
        # A new draft is opened by the decision about it.
        return frozenset(
            actions - {Action.TAKE_OVER} - ({Action.OPEN} if now.state is State.DRAFTED else set())
        )

    def can_approve(self, actor: Actor) -> bool:
        """Return whether a person may approve the draft as it is shown."""
        return Action.APPROVE in self.allowed(actor) and not self.unresolved

    def why_next_refused(self, actor: Actor) -> str | None:
        """Return why a person may not take the step that comes next, as the end of a sentence about the draft."""
        action = _NEXT_ACTION.get(self.state)
        return why_refused(as_opened(self.current), action, actor.role) if action else None

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
        if command.action is Action.UNDO:
            place = command.undoes
            known = place is not None and place < len(self.history)
            return known and self.history[place or 0].id == last.payload.get("undone")
        if last.hash_before != command.seen or last.reason != command.reason:
            return False
        if command.resolution:
            return bool(last.payload.get("tick") == command.resolution.model_dump(mode="json"))
        if command.persona:
            return last.payload.get("persona") == command.persona and last.hash_after != last.hash_before
        return self._is_same_edit(last, command)

    def _is_same_edit(self, last: RecordedEvent, command: DraftCommand) -> bool:
        made = [edit["change"] for edit in last.payload.get("edits", ())]
        wanted = [change.model_dump(mode="json") for change in command.changes]
        review = self.shown.review
        others = (change for change, data in zip(command.changes, wanted, strict=True) if data not in made)
        return all(change in wanted for change in made) and all(
            change == current_value(review, change) for change in others
        )

    def _numbered(self, number: int, finding: Finding) -> NumberedFinding:
        persona = finding.where.persona
        seat = self.shown.review.seat_of(persona) if persona else None
        place = persona or (PANEL if finding.where.field == "scores" else LISTING)
        allowed = allowed_resolutions(finding)
        return NumberedFinding(
            number,
            finding,
            place,
            one_line(seat.name) if seat else place.capitalize(),
            finding_label(finding),
            self.resolution_of(finding) if allowed else None,
            allowed,
        )
