"""What people do with drafts: each in one transaction that looks at the rules, at what they were shown, and at who has the draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panel.checks import Finding, allowed_resolutions, blocks, unresolved
from panel.core.base import Frozen, digest_of
from panel.core.draft_rules import Action, State
from panel.core.draft_state import DraftState, advanced, refusal
from panel.core.edits import Edit, Shown, edit_of, edited, left_after
from panel.core.review import PanelReview
from panel.errors import GateError
from panel.store.draft_history import REPLACED, DraftHistory, desk_of, keep
from panel.store.draft_locks import Claim, claim_of, let_go
from panel.store.events import Event, RecordedEvent
from panel.store.findings import checked
from panel.store.repository import Repository

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.draft_command import DraftCommand
    from panel.core.resolution import RecordedResolution, Resolution
    from panel.core.take import Seat
    from panel.store.findings import Checked, Checks

# Whoever has decided has the draft no longer before them.
_DECISIONS = frozenset(
    {Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT, Action.PUBLISH, Action.RETRACT}
)


_CLOSING = {
    State.CHANGES_REQUESTED: Action.REQUEST_CHANGES,
    State.REJECTED: Action.REJECT,
    State.RETRACTED: Action.RETRACT,
}


# By these alone ticks come and go while what is shown stays.
_TICKS = frozenset({Action.TICK, Action.UNDO})


class StaleDraft(GateError):
    """A draft was changed after it was shown to whoever wants to do something with it.

    Attributes:
        shown: digest of what is shown now.
        lost: what they wrote, to be shown to them again; empty if they wrote nothing.
    """

    def __init__(self, message: str, shown: str, lost: str) -> None:
        super().__init__(f"{message}\nWhat you wrote:\n{lost}" if lost else message)
        self.shown = shown
        self.lost = lost


class DraftView(Frozen):
    """All that an editor is shown of a draft.

    Attributes:
        id: its number.
        shown: the review with its edits, and what the panel made.
        standing: where it stands, with edits and ticks in force.
        findings: what checks find in it as it is shown.
        history: all that happened to it, in order.
        claim: who has it before them.
    """

    id: int
    shown: Shown
    standing: DraftState
    findings: tuple[Finding, ...]
    history: tuple[RecordedEvent, ...]
    claim: Claim | None

    @property
    def hash(self) -> str:
        """Digest of all that whoever approves it was shown: the review with its edits, and how findings were dealt with."""
        return digest_of([self.shown.hash, self.standing.ticked])

    @property
    def asked_for(self) -> RecordedEvent | None:
        """The last event by which somebody sent it back or closed it, if that is where it is, with the reason."""
        decision = _CLOSING.get(self.standing.state)
        return next((event for event in reversed(self.history) if event.kind == decision), None)

    @property
    def missing(self) -> tuple[Finding, ...]:
        """The findings that still stand in the way of approval."""
        return unresolved(self.findings, self.standing.ticks)

    def tick_of(self, finding: Finding) -> RecordedResolution | None:
        """Return how a finding was dealt with, or None."""
        return next((tick for tick in self.standing.ticks if tick.finding == finding.id), None)


@dataclass(frozen=True)
class _Plan:
    """What a draft will be, and what its event tells of it."""

    made: PanelReview
    edits: tuple[Edit, ...]
    payload: dict[str, Any]


class Approvals(Repository):
    """What people do with drafts."""

    async def act(self, draft: int, deed: DraftCommand, checks: Checks) -> DraftState:
        """Do something with a draft, and return where it stands since.

        Args:
            draft: the draft.
            deed: what is done, by whom, and what they were shown.
            checks: what finds in a review what must be dealt with.

        Raises:
            StaleDraft: something else is shown by now; it holds what they wrote.
            GateError: the rules refuse it, or somebody else has the draft before them.
            StorageError: there is no such draft, it was altered, or it was not committed.
        """
        told = await self._db.write(lambda connection: _act(connection, draft, deed, checks))
        if isinstance(told, GateError):
            raise told
        return told

    async def view(self, draft: int, checks: Checks) -> DraftView:
        """Return all that an editor is shown of a draft.

        Args:
            draft: its number.
            checks: what finds in a review what an editor should look at.

        Raises:
            StorageError: there is none of this number, or it was altered.
        """
        return await self._db.read(lambda connection: _view(connection, draft, checks))


def _act(connection: Connection, draft: int, deed: DraftCommand, checks: Checks) -> DraftState | GateError:
    # A refusal is returned, because an error would take back what shares the transaction; nothing was written before it.
    desk = desk_of(connection, draft, change=True)
    try:
        # What was written is given back whatever else is refused.
        _check_seen(desk, deed)
        _check_claim(connection, draft, deed)
        _check_rules(desk, deed)
        return _done(connection, desk, deed, checks)
    except GateError as refused:
        return refused


def _check_claim(connection: Connection, draft: int, deed: DraftCommand) -> None:
    found = claim_of(connection, draft)
    if found and not found.is_of(deed.actor.name):
        minutes = f"{found.minutes} minute{'s' if found.minutes != 1 else ''}"
        raise GateError(f"draft {draft} is with {found.holder} for {minutes} yet; wait, or take it over")


def _check_seen(desk: DraftHistory, deed: DraftCommand) -> None:
    shown = desk.standing.shown
    if deed.seen != shown:
        last = next(event for event in reversed(desk.past) if event.hash_before != event.hash_after)
    elif deed.action is Action.APPROVE and deed.ticked not in {None, desk.standing.ticked}:
        last = next(event for event in reversed(desk.past) if event.kind in _TICKS)
    else:
        return
    raise StaleDraft(
        f"draft {desk.draft} was changed by {last.actor} at {last.at:%Y-%m-%d %H:%M:%S} UTC, after it was shown to you; "
        f"read it again, then {deed.action.label}",
        shown,
        deed.written,
    )


def _check_rules(desk: DraftHistory, deed: DraftCommand) -> None:
    if why := refusal(desk.standing, deed.action, deed.actor.role, deed.reason):
        raise GateError(f"draft {desk.draft} {why}")


def _done(connection: Connection, desk: DraftHistory, deed: DraftCommand, checks: Checks) -> DraftState:
    plan = _plan(desk, deed)
    unchanged = plan.made is desk.made and plan.edits == desk.standing.edits
    after = desk.shown if unchanged else edited(plan.made, plan.edits)
    event = Event(
        draft=desk.draft,
        actor=deed.actor.name,
        kind=deed.action,
        reason=deed.reason,
        hash_before=desk.standing.shown,
        hash_after=after.hash,
        payload={"role": deed.actor.role, **plan.payload},
    )
    if deed.action is Action.EDIT and event.hash_before == event.hash_after:
        raise GateError(f"draft {desk.draft} says that already; nothing was changed")
    found = checked(after.review, checks, advanced(desk.standing, event, len(desk.past)).ticks)
    if deed.tick:
        _check_tick(desk.draft, deed.tick, found)
    if deed.action is Action.APPROVE and not any(seat.take for seat in after.review.seats):
        raise GateError(
            f"draft {desk.draft} has no take, so that there is nothing to approve; ask its seats again"
        )
    if deed.action is Action.APPROVE and found.missing:
        raise _unfinished(desk.draft, len(found.missing))
    if deed.action in _DECISIONS:
        let_go(connection, desk.draft, deed.actor)
    return keep(connection, desk, event, after, found)


def _check_tick(draft: int, tick: Resolution, found: Checked) -> None:
    finding = next((each for each in found.findings or () if each.id == tick.finding), None)
    if finding is None:
        raise GateError(f"draft {draft} no longer has this finding; read it again")
    if not blocks(finding):
        raise GateError(f"draft {draft}: “{finding.text}” needs no tick")
    if tick.kind not in allowed_resolutions(finding):
        raise GateError(f"draft {draft}: “{finding.text}” cannot be ticked; edit the text to cut it")


def _unfinished(draft: int, missing: int) -> GateError:
    findings = "1 finding that is" if missing == 1 else f"{missing} findings that are"
    return GateError(f"draft {draft} has {findings} neither ticked nor cut; deal with each, then approve it")


def _plan(desk: DraftHistory, deed: DraftCommand) -> _Plan:
    if deed.seat:
        return _rerun(desk, deed.seat)
    if deed.action is Action.UNDO:
        return _undo(desk)
    edits = tuple(edit_of(desk.made, change, deed.actor.name, deed.reason) for change in deed.changes)
    payload: dict[str, Any] = {"edits": [edit.model_dump(mode="json") for edit in edits]} if edits else {}
    if deed.tick:
        payload["tick"] = deed.tick.model_dump(mode="json")
    return _Plan(desk.made, (*desk.standing.edits, *edits), payload)


def _rerun(desk: DraftHistory, seat: Seat) -> _Plan:
    if desk.made.seat_of(seat.persona) is None:
        raise GateError(f"{seat.persona} has no seat in draft {desk.draft}")
    seats = tuple(seat if old.persona == seat.persona else old for old in desk.made.seats)
    made = desk.made.model_copy(update={"seats": seats})
    payload = {"persona": seat.persona, REPLACED: desk.made.model_dump(mode="json")}
    return _Plan(made, left_after(desk.standing.edits, seat.persona), payload)


def _undo(desk: DraftHistory) -> _Plan:
    last = desk.standing.undoable[-1]
    undone = desk.past[last.place]
    payload: dict[str, Any] = {"undone": undone.id}
    if REPLACED not in undone.payload:
        return _Plan(desk.made, last.before.edits, payload)
    payload[REPLACED] = desk.made.model_dump(mode="json")
    return _Plan(PanelReview.model_validate(undone.payload[REPLACED]), last.before.edits, payload)


def _view(connection: Connection, draft: int, checks: Checks) -> DraftView:
    desk = desk_of(connection, draft)
    return DraftView(
        id=draft,
        shown=desk.shown,
        standing=desk.standing,
        findings=checks(desk.shown.review),
        history=tuple(desk.past),
        claim=claim_of(connection, draft),
    )
