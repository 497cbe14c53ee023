from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from panel.core.actor import Actor, Role, is_person
from panel.core.draft_state import (
    DRAFTED,
    REVISED,
    RULES,
    Action,
    DraftSnapshot,
    DraftState,
    State,
    allowed_actions,
    apply_event,
    derive_state,
    next_state,
    why_refused,
)

TICK = {"finding": "f", "kind": "opinion"}
PAYLOADS: dict[str, dict[str, Any]] = {"tick": {"tick": TICK}, "rerun_seat": {"persona": "skeptic"}}
CHANGES = st.sampled_from([Action.EDIT, Action.RERUN_SEAT, REVISED])


@dataclass(frozen=True)
class Told:
    """An event, as the derive_state sees it."""

    kind: str
    actor: str = "Kim"
    hash_before: str | None = "a"
    hash_after: str = "a"
    payload: dict[str, Any] = field(default_factory=dict)


MADE = Told(DRAFTED, "panel", None)


def told(*kinds: str) -> list[Told]:
    """Return a log in which nothing but the state changes."""
    return [MADE, *(Told(kind, payload=PAYLOADS.get(kind, {})) for kind in kinds)]


def standing(*kinds: str) -> DraftState:
    return derive_state(told(*kinds))


PATHS = {
    State.DRAFTED: (),
    State.IN_REVIEW: ("open",),
    State.CHANGES_REQUESTED: ("open", "request_changes"),
    State.APPROVED: ("open", "approve"),
    State.PUBLISHED: ("open", "approve", "publish"),
    State.REJECTED: ("reject",),
    State.RETRACTED: ("open", "approve", "publish", "retract"),
}


@st.composite
def logs(draw: st.DrawFn) -> list[Told]:
    """Draw a log that anybody may have written: of any kinds, actors and hashes, more of them in order than not."""
    log = [MADE]
    kinds = st.sampled_from([*Action, REVISED, DRAFTED, "note"])
    likely = st.sampled_from(["open", "edit", "approve", "publish", "undo"])
    for _ in range(draw(st.integers(0, 14))):
        shown = derive_state(log).shown
        kind = draw(kinds | likely)
        before = draw(st.sampled_from([shown, shown, shown, "a", "b"]))
        after = draw(st.sampled_from([shown, shown, "a", "b", "c"]))
        actor = draw(st.sampled_from(["Kim", "Kim", "Ada", "panel", "Panel ", "", " "]))
        log.append(Told(str(kind), actor, before, after, PAYLOADS.get(kind, {})))
    return log


@given(logs())
def test_nothing_is_published_that_nobody_approved(log: list[Told]) -> None:
    """Whatever a log holds, a draft is published only if somebody with a name approved what is shown."""
    end = derive_state(log)
    if end.state is not State.PUBLISHED:
        return
    approvals = [event for event in log if event.kind == "approve" and is_person(event.actor)]
    assert any(event.hash_before == event.hash_after == end.shown for event in approvals)
    assert any(event.kind == "publish" for event in log)


@given(logs())
def test_an_approval_is_of_what_is_shown(log: list[Told]) -> None:
    """A draft is approved or published exactly while an approval of what is shown is in force."""
    end = derive_state(log)
    assert (end.state in {State.APPROVED, State.PUBLISHED}) == (end.approval is not None)
    for approval in [found for found in (end.approval, end.live.approval if end.live else None) if found]:
        event = log[approval.place]
        assert (event.kind, event.actor, event.hash_after) == ("approve", approval.by, approval.hash)
    assert end.approval is None or end.approval.hash == end.shown


@given(logs())
def test_what_is_on_the_site_was_approved_and_not_retracted(log: list[Told]) -> None:
    """Something stays on the site from its publication on until a retraction that the rules allow."""
    live = None
    for place, event in enumerate(log[1:], 1):
        before, after = derive_state(log[:place]), derive_state(log[: place + 1])
        if before != after and event.kind == "publish":
            live = before.shown
        if before != after and event.kind == "retract":
            live = None
        assert (after.live and after.live.hash) == live


@given(logs(), CHANGES)
def test_a_change_after_approval_returns_a_draft_to_review(log: list[Told], kind: str) -> None:
    """A change of what is shown leaves no draft approved or published."""
    before = derive_state(log)
    change = Told(str(kind), "panel" if kind == REVISED else "Kim", before.shown, "z", {"persona": "skeptic"})
    after = apply_event(before, change, len(log))
    assert after.state not in {State.APPROVED, State.PUBLISHED}
    if before.state in {State.APPROVED, State.PUBLISHED}:
        assert (after.state, after.approval) == (State.IN_REVIEW, None)
        assert after.live == before.live


@given(logs(), st.sampled_from(list(Action)))
def test_an_undo_restores_what_was_before(log: list[Told], action: Action) -> None:
    """An action that can be undone, and then is, leaves a draft as it was."""
    before = derive_state(log)
    after_hash = "z" if action in {Action.EDIT, Action.RERUN_SEAT} else before.shown
    done = apply_event(
        before, Told(action, "Kim", before.shown, after_hash, PAYLOADS.get(action, {})), len(log)
    )
    if len(done.undoable) <= len(before.undoable):
        return
    undone = apply_event(done, Told("undo", "Ada", done.shown, before.shown), len(log) + 1)
    assert undone == before


@given(logs(), st.sampled_from(list(Role)))
def test_what_is_allowed_has_an_effect(log: list[Told], role: Role) -> None:
    """What the rules allow somebody leads where the table says, and what the derive_state accepts the rules allow a publisher."""
    before = derive_state(log)
    for action in allowed_actions(before, role):
        last = before.next_undo
        after_hash = last.before.shown if action is Action.UNDO and last else before.shown
        event = Told(action, "Kim", before.shown, after_hash, PAYLOADS.get(action, {}))
        after = apply_event(before, event, len(log))
        if action is not Action.UNDO:
            assert after.state is next_state(action, before.state)
        assert action in allowed_actions(before, Role.PUBLISHER)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state: State) -> None:
    """Each state is reached by actions that the rules allow."""
    assert standing(*PATHS[state]).state is state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", sorted(set(RULES) - {Action.UNDO}))
def test_the_fold_keeps_the_table(state: State, action: Action) -> None:
    """An event that the table does not allow in a state changes nothing."""
    before = standing(*PATHS[state])
    after = apply_event(before, Told(action, payload=PAYLOADS.get(action, {})), 9)
    if why_refused(before, action, Role.PUBLISHER, "why") is None:
        assert after.state is next_state(action, state)
    else:
        assert after == before


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.DRAFTER, "edit tick rerun_seat undo take_over"),
        (Role.EDITOR, "edit tick rerun_seat approve request_changes reject undo take_over"),
        (Role.PUBLISHER, "edit tick rerun_seat approve request_changes reject undo take_over"),
    ],
)
def test_roles_decide_who_approves(role: Role, may: str) -> None:
    """A drafter prepares a draft, and an editor decides about it."""
    assert set(allowed_actions(standing("open", "tick"), role)) == set(may.split())


@pytest.mark.parametrize(
    ("kinds", "action", "role", "reason", "words"),
    [
        ((), "approve", "editor", None, "is drafted; to approve, open it first"),
        (
            ("open",),
            "approve",
            "drafter",
            None,
            "waits for an editor or a publisher; a drafter may not approve",
        ),
        (("open", "approve"), "publish", "editor", None, "waits for a publisher; an editor may not publish"),
        (("open",), "publish", "publisher", None, "is in review; approve it first"),
        (("open",), "reject", "editor", " ", "stays in review: to reject, give a reason"),
        (("open",), "reject", "editor", "thin", None),
        (
            ("open",),
            "request_changes",
            "editor",
            None,
            "stays in review: to request changes, give a reason",
        ),
        (
            ("open", "approve", "publish"),
            "retract",
            "publisher",
            None,
            "stays published: to retract, give a reason",
        ),
        (("open",), "retract", "publisher", "wrong", "is not published, so that there is nothing to retract"),
        (
            ("open", "approve", "publish", "edit"),
            "reject",
            "editor",
            "wrong",
            "is published; retract it instead",
        ),
        (("open", "approve", "publish", "edit"), "retract", "publisher", "wrong", None),
        (("open",), "undo", "editor", None, "has nothing that can be undone"),
        (
            ("open", "approve", "publish"),
            "undo",
            "publisher",
            None,
            "is published, and readers have seen it; retract it instead",
        ),
        (
            ("open", "approve", "publish", "retract"),
            "undo",
            "publisher",
            None,
            "is retracted, and readers have seen that; reopen it instead",
        ),
        (
            ("open", "approve"),
            "undo",
            "drafter",
            None,
            "waits for an editor or a publisher; a drafter may not undo: approve",
        ),
        (("reject",), "edit", "editor", None, "is rejected; to edit, reopen it first"),
    ],
)
def test_a_refusal_says_why(
    kinds: tuple[str, ...], action: str, role: str, reason: str | None, words: str | None
) -> None:
    """What the rules refuse is refused with what there is to do about it."""
    assert why_refused(standing(*kinds), Action(action), Role(role), reason) == words


def test_publication_cannot_be_undone() -> None:
    """What has been on the site is retracted, with a reason, and not undone."""
    assert standing("open", "tick", "approve", "publish").undoable == ()
    assert standing("open", "approve", "publish", "retract").undoable == ()


def test_an_edit_of_what_is_published_can_be_undone() -> None:
    """A correction that is taken back leaves the page published as it was."""
    published = derive_state(told("open", "approve", "publish"))
    edited = apply_event(published, Told("edit", hash_after="b"), 4)
    assert edited.state is State.IN_REVIEW
    assert apply_event(edited, Told("undo", hash_before="b"), 5) == published


def test_a_tick_takes_the_place_of_an_earlier_one() -> None:
    """A finding has one tick, with the name of whoever ticked it last."""
    sourced = {"finding": "f", "kind": "supported", "source": "https://example.com/a"}
    log = [*told("tick"), Told("tick", "Ada", payload={"tick": sourced})]
    (given,) = derive_state(log).resolutions
    assert (given.by, given.source) == ("Ada", "https://example.com/a")


def test_a_draft_has_a_beginning() -> None:
    """A log that does not begin with the making of a draft is none."""
    for log in ([], told("open")[1:]):
        with pytest.raises(ValueError, match="the first event of a draft must be drafted"):
            derive_state(log)


def test_what_the_panel_revises_cannot_be_undone() -> None:
    """Seats that were filled since a draft was edited stay, so that what came before cannot be restored."""
    revised = apply_event(standing("open", "tick"), Told(REVISED, "panel", "a", "b"), 3)
    assert (revised.state, revised.shown, revised.undoable) == (State.IN_REVIEW, "b", ())
    rejected = apply_event(standing("reject"), Told(REVISED, "panel", "a", "b"), 2)
    assert rejected.state is State.REJECTED


@pytest.mark.parametrize("name", ["", " \t", "panel", "PANEL", "\u200b", "K" * 121, "K\udcff", 7])
def test_people_have_names(name: object) -> None:
    """Nobody acts without a name, or under the program's."""
    with pytest.raises(
        ValidationError,
        match="a person's name has 1 to 120 characters, all of them readable, and is not panel",
    ):
        Actor.model_validate({"name": name, "role": "editor"})


def test_names_are_tidied() -> None:
    """A name is kept on one line, as it is printed under what was approved."""
    assert Actor(name=" Kim \n Doe ", role=Role.EDITOR).name == "Kim Doe"


def test_an_undo_says_what_it_restores() -> None:
    """What an undo restores is all that an action may change."""
    assert set(DraftState.model_fields) - set(DraftSnapshot.model_fields) == {"live", "undoable"}
