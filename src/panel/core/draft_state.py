"""Where a draft stands: derived from its events, one after the other.

An event that breaks a rule, or that is about another version than the one that is shown, changes nothing. So whatever a log holds, a draft
is published only if somebody with a name approved exactly what is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic import TypeAdapter

from panel.core.base import Frozen, digest_of
from panel.core.draft_rules import RULES, WAITING, Action, Role, State, is_named, next_state
from panel.core.edits import Edit, left_after
from panel.core.resolution import RecordedResolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DRAFTED = "drafted"
"""The kind of a draft's first event."""

REVISED = "revised"
"""The kind of an event by which the program itself changed a draft."""

_KINDS = frozenset(map(str, Action))
_UNDOABLE = frozenset(
    {Action.EDIT, Action.TICK, Action.RERUN_SEAT, Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT}
)
# What was done before them can no longer be taken back: it has been read outside.
_BARRIERS = frozenset({Action.PUBLISH, Action.RETRACT})
_OPENED_BY = frozenset({Action.APPROVE, Action.REQUEST_CHANGES})
_EDITS = TypeAdapter(tuple[Edit, ...])


class DraftEvent(Protocol):
    """Something that happened to a draft."""

    @property
    def actor(self) -> str:
        """Who did it."""
        ...

    @property
    def kind(self) -> str:
        """An action, or `drafted` or `revised`."""
        ...

    @property
    def hash_before(self) -> str | None:
        """Digest of what was shown before; None for the first event."""
        ...

    @property
    def hash_after(self) -> str:
        """Digest of what is shown since."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """`edits` of an edit, `tick` of a tick, `persona` of a seat that was asked again."""
        ...


class Approval(Frozen):
    """Somebody's word that something may be published.

    Attributes:
        by: who.
        hash: digest of what they were shown.
        place: which event it is, from 0.
    """

    by: str
    hash: str
    place: int


class Live(Frozen):
    """What of a draft is on the site.

    Attributes:
        hash: digest of what is shown there.
        place: the event that published it, from 0.
        approval: on whose word.
    """

    hash: str
    place: int
    approval: Approval


class DraftSnapshot(Frozen):
    """What an undo restores.

    Attributes:
        state: where the draft is.
        shown: digest of what is shown.
        edits: those in force, in order.
        ticks: likewise; one for each finding.
        approval: the one in force, of exactly what is shown.
    """

    state: State
    shown: str
    edits: tuple[Edit, ...] = ()
    ticks: tuple[RecordedResolution, ...] = ()
    approval: Approval | None = None

    @property
    def ticked(self) -> str:
        """Digest of the ticks in force, in any order."""
        return digest_of(sorted(tick.model_dump_json() for tick in self.ticks))


class Undoable(Frozen):
    """An action that can be taken back.

    Attributes:
        action: the action.
        place: which event it was, from 0.
        before: what was before it.
    """

    action: Action
    place: int
    before: DraftSnapshot


class DraftState(DraftSnapshot):
    """Where a draft stands.

    Attributes:
        live: what of it is on the site; it stays there while the draft is corrected, until that is published or retracted.
        undoable: what can be taken back, the last of it first to go.
    """

    live: Live | None = None
    undoable: tuple[Undoable, ...] = ()

    @property
    def last(self) -> Undoable | None:
        """What an undo would take back."""
        return self.undoable[-1] if self.undoable else None


def fold(events: Iterable[DraftEvent]) -> DraftState:
    """Return where a draft stands after all that happened to it.

    Raises:
        ValueError: the first event is not its making.
        ValidationError: an event's payload cannot be read.
    """
    happened = iter(events)
    first = next(happened, None)
    if first is None or first.kind != DRAFTED:
        raise ValueError("the first event of a draft is its making")
    standing = DraftState(state=State.DRAFTED, shown=first.hash_after)
    for place, event in enumerate(happened, 1):
        standing = advanced(standing, event, place)
    return standing


def advanced(standing: DraftState, event: DraftEvent, place: int) -> DraftState:
    """Return where a draft stands after one more event.

    Args:
        standing: where it stood.
        event: what happened.
        place: how many events came before.
    """
    if event.hash_before != standing.shown:
        return standing
    if event.kind == REVISED:
        return _revised(standing, event)
    if event.kind not in _KINDS or not is_named(event.actor):
        return standing
    action = Action(event.kind)
    if action is Action.UNDO:
        return _undone(standing, event)
    if impossible(standing, action) or (event.hash_after != event.hash_before and not action.changes):
        return standing
    return _acted(standing, event, action, place)


_SEEN = {
    State.PUBLISHED: "is published, and readers have seen it; retract it instead",
    State.RETRACTED: "is retracted, and readers have seen that; reopen it instead",
}


def impossible(standing: DraftState, action: Action) -> str | None:
    """Return why an action is not possible now, whoever wants it, as the end of a sentence about the draft; None if it is."""
    if next_state(action, standing.state) is None:
        return f"{_now(standing)}{_way_on(standing, action)}"
    if action is Action.RETRACT and not standing.live:
        return "is not published, so that there is nothing to retract"
    if action is Action.REJECT and standing.live:
        return "is published; retract it instead"
    if action is Action.UNDO and not standing.undoable:
        return _SEEN.get(standing.state, "has nothing that can be undone")
    return None


def refusal(standing: DraftState, action: Action, role: Role, reason: str | None = None) -> str | None:
    """Return why an action is refused, as the end of a sentence about the draft; None if it is allowed."""
    last = standing.last
    decisive = last.action if action is Action.UNDO and last else action
    roles = RULES[decisive].roles
    if role not in roles:
        article = "an" if role is Role.EDITOR else "a"
        done = f"undo: {decisive.label}" if action is Action.UNDO else action.label
        return f"waits for {_either(roles)}; {article} {role} may not {done}"
    if why := impossible(standing, action):
        return why
    if action.needs_reason and not (reason or "").strip():
        return f"stays {standing.state.label}: to {action.label}, give a reason"
    return None


def opened(standing: DraftState) -> DraftState:
    """Return where a draft stands once it is read: whoever decides about a new draft opens it."""
    fresh = standing.state is State.DRAFTED
    return standing.model_copy(update={"state": State.IN_REVIEW}) if fresh else standing


def opens(standing: DraftState, action: Action) -> bool:
    """Whether a draft must be opened before an action."""
    return standing.state is State.DRAFTED and action in _OPENED_BY


def allowed(standing: DraftState, role: Role) -> tuple[Action, ...]:
    """Return what somebody may do with a draft now."""
    return tuple(action for action in Action if refusal(standing, action, role, reason="any") is None)


def _now(standing: DraftState) -> str:
    waits = standing.state is State.CHANGES_REQUESTED
    return "waits for changes" if waits else f"is {standing.state.label}"


def _way_on(standing: DraftState, action: Action) -> str:
    """Return what would have to be done first, or that it cannot be done at all."""
    if action is Action.PUBLISH and standing.state in WAITING:
        return "; approve it first"
    reopened = next_state(Action.OPEN, standing.state)
    if reopened and next_state(action, reopened):
        return f"; to {action.label}, {'open' if standing.state is State.DRAFTED else 'reopen'} it first"
    return f"; one cannot {action.label} now"


def _either(roles: tuple[Role, ...]) -> str:
    return " or ".join(f"an {role}" if role is Role.EDITOR else f"a {role}" for role in roles)


def _revised(standing: DraftState, event: DraftEvent) -> DraftState:
    decided = standing.state in {State.APPROVED, State.PUBLISHED}
    return standing.model_copy(
        update={
            "state": State.IN_REVIEW if decided else standing.state,
            "shown": event.hash_after,
            "approval": None,
            # What was before cannot be restored: the panel has answered.
            "undoable": (),
        }
    )


def _undone(standing: DraftState, event: DraftEvent) -> DraftState:
    last = standing.last
    if last is None or event.hash_after != last.before.shown:
        return standing
    restored = {name: getattr(last.before, name) for name in DraftSnapshot.model_fields}
    return standing.model_copy(update={**restored, "undoable": standing.undoable[:-1]})


def _acted(standing: DraftState, event: DraftEvent, action: Action, place: int) -> DraftState:
    state = RULES[action].leads[standing.state]
    approval = _approval(standing, event, action, state, place)
    return DraftState(
        state=state,
        shown=event.hash_after,
        edits=_edits(standing, event, action),
        ticks=_ticks(standing, event, action),
        approval=approval,
        live=_live(standing, action, approval, place),
        undoable=_stack(standing, action, place),
    )


def _approval(
    standing: DraftState, event: DraftEvent, action: Action, state: State, place: int
) -> Approval | None:
    if action is Action.APPROVE:
        return Approval(by=event.actor, hash=event.hash_after, place=place)
    return standing.approval if state in {State.APPROVED, State.PUBLISHED} else None


def _live(standing: DraftState, action: Action, approval: Approval | None, place: int) -> Live | None:
    if action is Action.PUBLISH and approval:
        return Live(hash=approval.hash, place=place, approval=approval)
    return None if action is Action.RETRACT else standing.live


def _edits(standing: DraftState, event: DraftEvent, action: Action) -> tuple[Edit, ...]:
    if action is Action.EDIT:
        return (*standing.edits, *_EDITS.validate_python(event.payload.get("edits", ())))
    if action is Action.RERUN_SEAT:
        return left_after(standing.edits, str(event.payload.get("persona")))
    return standing.edits


def _ticks(standing: DraftState, event: DraftEvent, action: Action) -> tuple[RecordedResolution, ...]:
    if action is not Action.TICK:
        return standing.ticks
    tick = RecordedResolution.model_validate({**event.payload.get("tick", {}), "by": event.actor})
    return (*(other for other in standing.ticks if other.finding != tick.finding), tick)


def _stack(standing: DraftState, action: Action, place: int) -> tuple[Undoable, ...]:
    if action in _BARRIERS:
        return ()
    if action not in _UNDOABLE:
        return standing.undoable
    before = DraftSnapshot(**{name: getattr(standing, name) for name in DraftSnapshot.model_fields})
    return (*standing.undoable, Undoable(action=action, place=place, before=before))
