"""The state of a draft, derived from its events one after the other.

    drafted ──> in_review ──> approved ──> published ──> retracted
                 │    ^  └──> rejected
                 v    │
           changes_requested

A change of the shown text leads to `in_review` from every state in which it is allowed. An event that breaks a rule, or that is about
another version than the one that is shown, changes nothing: whatever a log holds, a draft is published only if a named person approved
exactly the text that is shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pydantic import TypeAdapter

from panel.core.actor import Role, is_person
from panel.core.draft_edits import Edit, without_seat
from panel.core.finding import RecordedResolution
from panel.core.frozen import Frozen, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DRAFTED = "drafted"
"""Kind of a draft's first event."""

REVISED = "revised"
"""Kind of an event by which the program changed a draft: failed seats were asked again."""

_EDITS = TypeAdapter(tuple[Edit, ...])


class State(StrEnum):
    """A step on the way to publication."""

    DRAFTED = "drafted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    PUBLISHED = "published"
    REJECTED = "rejected"
    RETRACTED = "retracted"

    @property
    def label(self) -> str:
        """The state in words."""
        return self.value.replace("_", " ")


class Action(StrEnum):
    """A step that a person takes with a draft; the values are the stored kinds of events."""

    OPEN = "open"
    EDIT = "edit"
    RESOLVE = "tick"
    RERUN_SEAT = "rerun_seat"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    PUBLISH = "publish"
    RETRACT = "retract"
    UNDO = "undo"
    TAKE_OVER = "take_over"

    @property
    def label(self) -> str:
        """The action in words, to follow "to"."""
        return _LABELS.get(self, self.value)

    @property
    def needs_reason(self) -> bool:
        """Whether the action is refused without a reason."""
        return self in {Action.REQUEST_CHANGES, Action.REJECT, Action.RETRACT}


class Rule(NamedTuple):
    """The roles that may take an action, and the state that it leads to from each state in which it is possible."""

    roles: tuple[Role, ...]
    leads: Mapping[State, State]


_LABELS = {
    Action.OPEN: "reopen",
    Action.RESOLVE: "resolve a finding",
    Action.RERUN_SEAT: "ask a seat again",
    Action.REQUEST_CHANGES: "request changes",
    Action.TAKE_OVER: "take over",
}
_CHANGES_TEXT = frozenset({Action.EDIT, Action.RERUN_SEAT})
_KINDS = frozenset(Action)
_UNDOABLE = frozenset(
    {Action.EDIT, Action.RESOLVE, Action.RERUN_SEAT, Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT}
)
# Nothing before them can be undone: readers have seen it.
_BARRIERS = frozenset({Action.PUBLISH, Action.RETRACT})
_OPENED_BY = frozenset({Action.APPROVE, Action.REQUEST_CHANGES})

_ALL = tuple(Role)
_EDITORS = (Role.EDITOR, Role.PUBLISHER)
_PUBLISHERS = (Role.PUBLISHER,)

WAITING = (State.DRAFTED, State.IN_REVIEW, State.CHANGES_REQUESTED)
"""The states in which drafts wait for a decision, in the order in which they are offered."""

_EDITABLE = (*WAITING, State.APPROVED, State.PUBLISHED)


def _to(state: State, *states: State) -> dict[State, State]:
    return dict.fromkeys(states, state)


_STAYS = {state: state for state in State}

RULES: Mapping[Action, Rule] = {
    Action.OPEN: Rule(
        _ALL,
        _to(State.IN_REVIEW, State.DRAFTED, State.CHANGES_REQUESTED, State.REJECTED, State.RETRACTED),
    ),
    Action.EDIT: Rule(_ALL, _to(State.IN_REVIEW, *_EDITABLE)),
    Action.RESOLVE: Rule(_ALL, _to(State.IN_REVIEW, *WAITING)),
    Action.RERUN_SEAT: Rule(_ALL, _to(State.IN_REVIEW, *_EDITABLE)),
    Action.APPROVE: Rule(_EDITORS, _to(State.APPROVED, State.IN_REVIEW)),
    Action.REQUEST_CHANGES: Rule(_EDITORS, _to(State.CHANGES_REQUESTED, State.IN_REVIEW, State.APPROVED)),
    Action.REJECT: Rule(_EDITORS, _to(State.REJECTED, *WAITING, State.APPROVED)),
    Action.PUBLISH: Rule(_PUBLISHERS, _to(State.PUBLISHED, State.APPROVED)),
    # A page stays on the site while its draft is corrected, and may be retracted meanwhile.
    Action.RETRACT: Rule(
        _PUBLISHERS,
        _to(State.RETRACTED, State.PUBLISHED, State.APPROVED, State.IN_REVIEW, State.CHANGES_REQUESTED),
    ),
    # The action that is undone says which state follows and who may undo it.
    Action.UNDO: Rule(_ALL, _STAYS),
    Action.TAKE_OVER: Rule(_ALL, _STAYS),
}


class DraftEvent(Protocol):
    """A recorded step of a draft."""

    @property
    def actor(self) -> str:
        """Name of the person, or of the program."""
        ...

    @property
    def kind(self) -> str:
        """The value of an `Action`, or `drafted` or `revised`."""
        ...

    @property
    def hash_before(self) -> str | None:
        """`EditedReview.hash` before the event; None for the first."""
        ...

    @property
    def hash_after(self) -> str:
        """`EditedReview.hash` after it."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """`edits` of an edit, `tick` of a resolution, `persona` of a seat that was asked again."""
        ...


class Approval(Frozen):
    """An editor's approval of one version of a draft.

    Attributes:
        by: the editor's name.
        hash: `EditedReview.hash` of that version.
        place: index of the event, from 0.
    """

    by: str
    hash: str
    place: int


class LiveVersion(Frozen):
    """The version of a draft that is on the site.

    Attributes:
        hash: `EditedReview.hash` of it.
        place: index of the event that published it, from 0.
    """

    hash: str
    place: int
    approval: Approval


class DraftSnapshot(Frozen):
    """The part of a draft's state that an undo restores.

    Attributes:
        shown: `EditedReview.hash` of the current version.
        edits: those in force, in order.
        resolutions: those in force, one for each finding.
        approval: the one in force; always of the current version.
    """

    state: State
    shown: str
    edits: tuple[Edit, ...] = ()
    resolutions: tuple[RecordedResolution, ...] = ()
    approval: Approval | None = None

    @property
    def resolutions_digest(self) -> str:
        """Digest of the resolutions in force, whatever their order."""
        return digest_of(sorted(each.model_dump_json() for each in self.resolutions))


class UndoStep(Frozen):
    """An action that can be undone.

    Attributes:
        place: index of its event, from 0.
        before: the state before it.
    """

    action: Action
    place: int
    before: DraftSnapshot


class DraftState(DraftSnapshot):
    """The state of a draft after all of its events.

    Attributes:
        live: the version on the site; it stays there while the draft is corrected, until that is published or the draft is retracted.
        undoable: the actions that can be undone, the latest last.
    """

    live: LiveVersion | None = None
    undoable: tuple[UndoStep, ...] = ()

    @property
    def next_undo(self) -> UndoStep | None:
        """The action that an undo would revert."""
        return self.undoable[-1] if self.undoable else None


def derive_state(events: Iterable[DraftEvent]) -> DraftState:
    """Return the state of a draft after all of its events.

    Raises:
        ValueError: the first event is not `drafted`.
        ValidationError: an event's payload cannot be read.
    """
    remaining = iter(events)
    first = next(remaining, None)
    if first is None or first.kind != DRAFTED:
        raise ValueError(f"the first event of a draft must be {DRAFTED}")
    state = DraftState(state=State.DRAFTED, shown=first.hash_after)
    for place, event in enumerate(remaining, 1):
        state = apply_event(state, event, place)
    return state


def apply_event(before: DraftState, event: DraftEvent, place: int) -> DraftState:
    """Return the state after one more event, which has the index `place`."""
    if event.hash_before != before.shown:
        return before
    if event.kind == REVISED:
        return _after_revision(before, event)
    if event.kind not in _KINDS or not is_person(event.actor):
        return before
    action = Action(event.kind)
    if action is Action.UNDO:
        return _after_undo(before, event)
    changes = event.hash_after != event.hash_before
    if why_impossible(before, action) or (changes and action not in _CHANGES_TEXT):
        return before
    return _after_action(before, event, action, place)


_SEEN_BY_READERS = {
    State.PUBLISHED: "is published, and readers have seen it; retract it instead",
    State.RETRACTED: "is retracted, and readers have seen that; reopen it instead",
}


def why_impossible(now: DraftState, action: Action) -> str | None:
    """Return why nobody can take an action now, as the end of a sentence about the draft; None if it is possible."""
    if next_state(action, now.state) is None:
        return f"{_state_words(now)}{_first_step(now, action)}"
    if action is Action.RETRACT and not now.live:
        return "is not published, so that there is nothing to retract"
    if action is Action.REJECT and now.live:
        return "is published; retract it instead"
    if action is Action.UNDO and not now.undoable:
        return _SEEN_BY_READERS.get(now.state, "has nothing that can be undone")
    return None


def why_refused(now: DraftState, action: Action, role: Role, reason: str | None = None) -> str | None:
    """Return why a role may not take an action now, as the end of a sentence about the draft; None if it may."""
    undone = now.next_undo if action is Action.UNDO else None
    roles = RULES[undone.action if undone else action].roles
    if role not in roles:
        words = f"undo: {undone.action.label}" if undone else action.label
        return f"waits for {' or '.join(map(_with_article, roles))}; {_with_article(role)} may not {words}"
    if why := why_impossible(now, action):
        return why
    if action.needs_reason and not (reason or "").strip():
        return f"stays {now.state.label}: to {action.label}, give a reason"
    return None


def as_opened(now: DraftState) -> DraftState:
    """Return the state with a new draft opened; any other state as it is."""
    is_new = now.state is State.DRAFTED
    return now.model_copy(update={"state": State.IN_REVIEW}) if is_new else now


def needs_opening(now: DraftState, action: Action) -> bool:
    """Return whether a draft must be opened before an action."""
    return now.state is State.DRAFTED and action in _OPENED_BY


def allowed_actions(now: DraftState, role: Role) -> tuple[Action, ...]:
    """Return the actions that a role may take now."""
    return tuple(action for action in Action if why_refused(now, action, role, reason="any") is None)


def next_state(action: Action, state: State) -> State | None:
    """Return the state that an action leads to, or None if it is not possible in this one."""
    return RULES[action].leads.get(state)


def _state_words(now: DraftState) -> str:
    waits = now.state is State.CHANGES_REQUESTED
    return "waits for changes" if waits else f"is {now.state.label}"


def _first_step(now: DraftState, action: Action) -> str:
    if action is Action.PUBLISH and now.state in WAITING:
        return "; approve it first"
    reopened = next_state(Action.OPEN, now.state)
    if reopened and next_state(action, reopened):
        return f"; to {action.label}, {'open' if now.state is State.DRAFTED else 'reopen'} it first"
    return f"; one cannot {action.label} now"


def _with_article(role: Role) -> str:
    return f"an {role}" if role is Role.EDITOR else f"a {role}"


def _after_revision(before: DraftState, event: DraftEvent) -> DraftState:
    decided = before.state in {State.APPROVED, State.PUBLISHED}
    return before.model_copy(
        update={
            "state": State.IN_REVIEW if decided else before.state,
            "shown": event.hash_after,
            "approval": None,
            # Earlier versions cannot be restored: they lack the panel's new answers.
            "undoable": (),
        }
    )


def _after_undo(before: DraftState, event: DraftEvent) -> DraftState:
    step = before.next_undo
    if step is None or event.hash_after != step.before.shown:
        return before
    return before.model_copy(update={**_snapshot_fields(step.before), "undoable": before.undoable[:-1]})


def _after_action(before: DraftState, event: DraftEvent, action: Action, place: int) -> DraftState:
    state = RULES[action].leads[before.state]
    approval = before.approval if state in {State.APPROVED, State.PUBLISHED} else None
    if action is Action.APPROVE:
        approval = Approval(by=event.actor, hash=event.hash_after, place=place)
    live = None if action is Action.RETRACT else before.live
    if action is Action.PUBLISH and approval:
        live = LiveVersion(hash=approval.hash, place=place, approval=approval)
    return DraftState(
        state=state,
        shown=event.hash_after,
        edits=_edits_after(before, event, action),
        resolutions=_resolutions_after(before, event, action),
        approval=approval,
        live=live,
        undoable=_undoable_after(before, action, place),
    )


def _edits_after(before: DraftState, event: DraftEvent, action: Action) -> tuple[Edit, ...]:
    if action is Action.EDIT:
        return (*before.edits, *_EDITS.validate_python(event.payload.get("edits", ())))
    if action is Action.RERUN_SEAT:
        return without_seat(before.edits, str(event.payload.get("persona")))
    return before.edits


def _resolutions_after(
    before: DraftState, event: DraftEvent, action: Action
) -> tuple[RecordedResolution, ...]:
    if action is not Action.RESOLVE:
        return before.resolutions
    given = RecordedResolution.model_validate({**event.payload.get("tick", {}), "by": event.actor})
    return (*(other for other in before.resolutions if other.finding != given.finding), given)


def _undoable_after(before: DraftState, action: Action, place: int) -> tuple[UndoStep, ...]:
    if action in _BARRIERS:
        return ()
    if action not in _UNDOABLE:
        return before.undoable
    snapshot = DraftSnapshot(**_snapshot_fields(before))
    return (*before.undoable, UndoStep(action=action, place=place, before=snapshot))


def _snapshot_fields(state: DraftSnapshot) -> dict[str, Any]:
    return {name: getattr(state, name) for name in DraftSnapshot.model_fields}
