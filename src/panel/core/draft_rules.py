"""Who may do what with a draft in which state, and what state follows.

    drafted ──> in_review ──> approved ──> published ──> retracted
                 │    ^  └──> rejected
                 v    │
           changes_requested

A change of what is shown leads to `in_review` from wherever it is made. The rules of what was approved are in
`panel.core.draft_state`, which derives a draft's state from its events.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BeforeValidator

from panel.core.base import Frozen
from panel.core.text import canonical, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

PANEL = "panel"
"""The program itself, which approves nothing."""

MAX_NAME_CHARS = 120


class State(StrEnum):
    """Where a draft is on its way to publication."""

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
    """What people do with a draft."""

    OPEN = "open"
    EDIT = "edit"
    TICK = "tick"
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
        """The action in words, after "to"."""
        return _LABELS.get(self, self.value)

    @property
    def changes(self) -> bool:
        """Whether it may change what is shown; taking another action back may, too."""
        return self in _CHANGES

    @property
    def needs_reason(self) -> bool:
        """Whether it must be said why."""
        return self in _REASONED


class Role(StrEnum):
    """What somebody is trusted with; each role may do what the one before it may."""

    DRAFTER = "drafter"
    EDITOR = "editor"
    PUBLISHER = "publisher"


class Rule(NamedTuple):
    """When an action is allowed.

    Attributes:
        roles: to whom.
        leads: from which state to which.
    """

    roles: tuple[Role, ...]
    leads: Mapping[State, State]


def is_named(name: str) -> bool:
    """Whether a name is somebody's, and neither blank nor the program's own."""
    return canonical(name) not in {"", PANEL}


def _named(value: object) -> str:
    name = one_line(value) if isinstance(value, str) else ""
    if not is_named(name) or len(name) > MAX_NAME_CHARS or "\ufffd" in name:
        raise ValueError(
            f"a person's name has 1 to {MAX_NAME_CHARS} characters, all of them readable, and is not {PANEL}"
        )
    return name


PersonName = Annotated[str, BeforeValidator(_named)]


class Actor(Frozen):
    """Who does something.

    Attributes:
        name: a person's, 1-120 characters on one line.
        role: what they are trusted with.
    """

    name: PersonName
    role: Role


_LABELS = {
    Action.OPEN: "reopen",
    Action.TICK: "tick a finding",
    Action.RERUN_SEAT: "ask a seat again",
    Action.REQUEST_CHANGES: "request changes",
    Action.TAKE_OVER: "take over",
}
_CHANGES = frozenset({Action.EDIT, Action.RERUN_SEAT})
_REASONED = frozenset({Action.REQUEST_CHANGES, Action.REJECT, Action.RETRACT})

_ALL = tuple(Role)
_EDITORS = (Role.EDITOR, Role.PUBLISHER)
_PUBLISHERS = (Role.PUBLISHER,)

WAITING = (State.DRAFTED, State.IN_REVIEW, State.CHANGES_REQUESTED)
"""Where drafts wait for a decision."""

_CHANGEABLE = (*WAITING, State.APPROVED, State.PUBLISHED)
_CLOSED = (State.REJECTED, State.RETRACTED)
_READ = (State.IN_REVIEW, State.APPROVED)


def _to(state: State, *states: State) -> dict[State, State]:
    return dict.fromkeys(states, state)


_STAYS = {state: state for state in State}

RULES: Mapping[Action, Rule] = {
    Action.OPEN: Rule(_ALL, _to(State.IN_REVIEW, State.DRAFTED, State.CHANGES_REQUESTED, *_CLOSED)),
    Action.EDIT: Rule(_ALL, _to(State.IN_REVIEW, *_CHANGEABLE)),
    Action.TICK: Rule(_ALL, _to(State.IN_REVIEW, *WAITING)),
    Action.RERUN_SEAT: Rule(_ALL, _to(State.IN_REVIEW, *_CHANGEABLE)),
    Action.APPROVE: Rule(_EDITORS, _to(State.APPROVED, State.IN_REVIEW)),
    Action.REQUEST_CHANGES: Rule(_EDITORS, _to(State.CHANGES_REQUESTED, *_READ)),
    Action.REJECT: Rule(_EDITORS, _to(State.REJECTED, *WAITING, State.APPROVED)),
    Action.PUBLISH: Rule(_PUBLISHERS, _to(State.PUBLISHED, State.APPROVED)),
    # A page stays on the site while its draft is corrected, so that it may be retracted meanwhile.
    Action.RETRACT: Rule(
        _PUBLISHERS,
        _to(State.RETRACTED, State.PUBLISHED, State.APPROVED, State.IN_REVIEW, State.CHANGES_REQUESTED),
    ),
    # What state follows is in what is undone, and so is who may.
    Action.UNDO: Rule(_ALL, _STAYS),
    Action.TAKE_OVER: Rule(_ALL, _STAYS),
}
"""The table of the state machine."""


def next_state(action: Action, state: State) -> State | None:
    """Return the state that follows an action, or None if it is not possible in this one."""
    return RULES[action].leads.get(state)
