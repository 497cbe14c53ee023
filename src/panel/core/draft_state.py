"""The state of a draft, derived from its events one after the other.

    drafted ──> in_review ──> approved ──> published ──> retracted
                 │    ^  └──> rejected
                 v    │
           changes_requested

A change of the shown text leads to `in_review` from every state in which it is allowed. An event that breaks a rule, or that is about
another version than the one that is shown, is ignored. So a draft can only be published if a named person approved exactly the text that
is shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, TypeAdapter

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

    @classmethod
    def named(cls, name: str) -> Action | None:
        """Return the action of a name such as `resolve`, or None if there is none."""
        return next((action for action in cls if action.name == name.upper()), None)

    @property
    def label(self) -> str:
        """The action in words, to follow "to"."""
        return _LABELS.get(self, self.value.replace("_", " "))

    @property
    def needs_reason(self) -> bool:
        """Whether the action is refused without a reason."""
        return self in {Action.REQUEST_CHANGES, Action.REJECT, Action.RETRACT}


class Rule(NamedTuple):
    """The roles that may take an action, and the state that it leads to from each state in which it is possible."""

    roles: tuple[Role, ...]
    leads: Mapping[State, State]


WAITING = (State.DRAFTED, State.IN_REVIEW, State.CHANGES_REQUESTED)
"""The states in which drafts wait for a decision, in the order in which they are offered."""

_LABELS = {Action.OPEN: "reopen", Action.RESOLVE: "resolve a finding", Action.RERUN_SEAT: "ask a seat again"}
_CHANGES_TEXT = frozenset({Action.EDIT, Action.RERUN_SEAT})
_UNDOABLE = _CHANGES_TEXT | {Action.RESOLVE, Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT}
_OPENED_BY = frozenset({Action.APPROVE, Action.REQUEST_CHANGES})
_APPROVED = frozenset({State.APPROVED, State.PUBLISHED})
_SEEN_BY_READERS = {
    State.PUBLISHED: "is published, and readers have seen it; retract it instead",
    State.RETRACTED: "is retracted, and readers have seen that; reopen it instead",
}


def _to(state: State, *states: State) -> dict[State, State]:
    return dict.fromkeys(states, state)


_EVERYBODY, _EDITORS, _PUBLISHERS = tuple(Role), (Role.EDITOR, Role.PUBLISHER), (Role.PUBLISHER,)
_REVIEWS = _to(State.IN_REVIEW, *WAITING, *_APPROVED)
_STAYS = {state: state for state in State}

RULES: Mapping[Action, Rule] = {
    Action.OPEN: Rule(
        _EVERYBODY,
        _to(State.IN_REVIEW, State.DRAFTED, State.CHANGES_REQUESTED, State.REJECTED, State.RETRACTED),
    ),
    Action.EDIT: Rule(_EVERYBODY, _REVIEWS),
    Action.RESOLVE: Rule(_EVERYBODY, _to(State.IN_REVIEW, *WAITING)),
    Action.RERUN_SEAT: Rule(_EVERYBODY, _REVIEWS),
    Action.APPROVE: Rule(_EDITORS, _to(State.APPROVED, State.IN_REVIEW)),
    Action.REQUEST_CHANGES: Rule(_EDITORS, _to(State.CHANGES_REQUESTED, State.IN_REVIEW, State.APPROVED)),
    Action.REJECT: Rule(_EDITORS, _to(State.REJECTED, *WAITING, State.APPROVED)),
    Action.PUBLISH: Rule(_PUBLISHERS, _to(State.PUBLISHED, State.APPROVED)),
    # A page stays on the site while its draft is corrected, and may be retracted meanwhile.
    Action.RETRACT: Rule(
        _PUBLISHERS, _to(State.RETRACTED, *_APPROVED, State.IN_REVIEW, State.CHANGES_REQUESTED)
    ),
    # The action that is undone says which state follows and who may undo it.
    Action.UNDO: Rule(_EVERYBODY, _STAYS),
    Action.TAKE_OVER: Rule(_EVERYBODY, _STAYS),
}


class DraftEvent(Frozen):
    """An event of a draft.

    Attributes:
        actor: name of the person; `panel` for the program.
        kind: an `Action`, `drafted` or `revised`.
        hash_before: `EditedReview.hash` before the event; None for the first.
        payload: `edits` of an edit, `tick` of a resolution, `persona` of a seat that was asked again.
    """

    draft: int
    actor: str
    kind: str
    reason: str | None = None
    hash_before: str | None = None
    hash_after: str
    payload: dict[str, Any] = Field(default_factory=dict)


class Approval(Frozen):
    """An editor's approval of the version with a hash; `place` is the index of the event, from 0."""

    by: str
    hash: str
    place: int


class LiveVersion(Frozen):
    """The version of a draft that is on the site; `place` is the index of the event that published it, from 0."""

    hash: str
    place: int
    approval: Approval


class UndoStep(Frozen):
    """An action that can be undone, the index of its event, and the state that an undo restores."""

    action: Action
    place: int
    before: DraftState


class DraftState(Frozen):
    """The state of a draft after all of its events.

    Attributes:
        shown: `EditedReview.hash` of the current version.
        edits: those in force, in order.
        resolutions: those in force, one for each finding.
        approval: the one in force; always of the current version.
        live: the version on the site; it stays there while the draft is corrected, until that is published or the draft is retracted.
        next_undo: the action that an undo would revert; readers have seen a publication or a retraction, and no undo reaches behind it.
    """

    state: State
    shown: str
    edits: tuple[Edit, ...] = ()
    resolutions: tuple[RecordedResolution, ...] = ()
    approval: Approval | None = None
    live: LiveVersion | None = None
    next_undo: UndoStep | None = None

    @property
    def resolutions_digest(self) -> str:
        """Digest of the resolutions in force, whatever their order."""
        return digest_of(sorted(each.model_dump_json() for each in self.resolutions))


def derive_state(events: Iterable[DraftEvent]) -> DraftState:
    """Return the state of a draft after all of its events.

    Raises:
        ValueError: the first event is not `drafted`.
        ValidationError: an event's payload cannot be read.
    """
    log = tuple(events)
    if not log or log[0].kind != DRAFTED:
        raise ValueError(f"the first event of a draft must be {DRAFTED}")
    state = DraftState(state=State.DRAFTED, shown=log[0].hash_after)
    for place, event in enumerate(log[1:], 1):
        state = apply_event(state, event, place)
    return state


def apply_event(before: DraftState, event: DraftEvent, place: int) -> DraftState:
    """Return the state after one more event, which has the index `place`."""
    if event.hash_before != before.shown:
        return before
    if event.kind == REVISED:
        state = State.IN_REVIEW if before.state in _APPROVED else before.state
        # Earlier versions cannot be restored: they lack the panel's new answers.
        changes = {"state": state, "shown": event.hash_after, "approval": None, "next_undo": None}
        return before.model_copy(update=changes)
    if event.kind not in set(Action) or not is_person(event.actor):
        return before
    action, step = Action(event.kind), before.next_undo
    if action is Action.UNDO:
        return step.before if step and event.hash_after == step.before.shown else before
    changes_text = event.hash_after != event.hash_before
    if why_impossible(before, action) or (changes_text and action not in _CHANGES_TEXT):
        return before
    return before.model_copy(update=_changes(before, event, action, place))


def _changes(before: DraftState, event: DraftEvent, action: Action, place: int) -> dict[str, Any]:
    state = RULES[action].leads[before.state]
    changes: dict[str, Any] = {"state": state, "shown": event.hash_after}
    changes["approval"] = before.approval if state in _APPROVED else None
    if action in _UNDOABLE:
        changes["next_undo"] = UndoStep(action=action, place=place, before=before)
    match action:
        case Action.EDIT:
            edits = _EDITS.validate_python(event.payload.get("edits", ()))
            changes["edits"] = (*before.edits, *edits)
        case Action.RERUN_SEAT:
            changes["edits"] = without_seat(before.edits, str(event.payload.get("persona")))
        case Action.RESOLVE:
            given = RecordedResolution.model_validate({**event.payload.get("tick", {}), "by": event.actor})
            others = (other for other in before.resolutions if other.finding != given.finding)
            changes["resolutions"] = (*others, given)
        case Action.APPROVE:
            changes["approval"] = Approval(by=event.actor, hash=event.hash_after, place=place)
        case Action.PUBLISH if approval := before.approval:
            live = LiveVersion(hash=approval.hash, place=place, approval=approval)
            changes |= {"live": live, "next_undo": None}
        case Action.RETRACT:
            changes |= {"live": None, "next_undo": None}
    return changes


def why_impossible(now: DraftState, action: Action) -> str | None:
    """Return why nobody can take an action now, as the end of a sentence about the draft; None if it is possible."""
    if now.state not in RULES[action].leads:
        state = "waits for changes" if now.state is State.CHANGES_REQUESTED else f"is {now.state.label}"
        return f"{state}; {_advice(now.state, action)}"
    if action is Action.RETRACT and not now.live:
        return "is not published, so that there is nothing to retract"
    if action is Action.REJECT and now.live:
        return "is published; retract it instead"
    if action is Action.UNDO and not now.next_undo:
        return _SEEN_BY_READERS.get(now.state, "has nothing that can be undone")
    return None


def _advice(state: State, action: Action) -> str:
    if action is Action.PUBLISH and state in WAITING:
        return "approve it first"
    if RULES[Action.OPEN].leads.get(state) in RULES[action].leads:
        return f"to {action.label}, {'open' if state is State.DRAFTED else 'reopen'} it first"
    return f"one cannot {action.label} now"


def why_refused(now: DraftState, action: Action, role: Role, reason: str | None = None) -> str | None:
    """Return why a role may not take an action now, as the end of a sentence about the draft; None if it may."""
    undone = now.next_undo if action is Action.UNDO else None
    roles = RULES[undone.action if undone else action].roles
    if role not in roles:
        label = f"undo: {undone.action.label}" if undone else action.label
        return f"waits for {' or '.join(each.with_article for each in roles)}; {role.with_article} may not {label}"
    if why := why_impossible(now, action):
        return why
    if action.needs_reason and not (reason or "").strip():
        return f"stays {now.state.label}: to {action.label}, give a reason"
    return None


def opened_for(now: DraftState, action: Action) -> DraftState:
    """Return the state before an action: an approval and a request for changes open a new draft first."""
    opens = now.state is State.DRAFTED and action in _OPENED_BY
    return now.model_copy(update={"state": State.IN_REVIEW}) if opens else now
