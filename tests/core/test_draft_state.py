from __future__ import annotations

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
    DraftEvent,
    DraftState,
    State,
    apply_event,
    derive_state,
    why_refused,
)

TICK = {"finding": "f", "kind": "opinion"}
PAYLOADS: dict[str, dict[str, Any]] = {"tick": {"tick": TICK}, "rerun_seat": {"persona": "skeptic"}}
CHANGES = st.sampled_from([Action.EDIT, Action.RERUN_SEAT, REVISED])


def logged(
    kind: str,
    actor: str = "Kim",
    hash_before: str | None = "a",
    hash_after: str = "a",
    payload: dict[str, Any] | None = None,
) -> DraftEvent:
    return DraftEvent(
        draft=1,
        actor=actor,
        kind=kind,
        hash_before=hash_before,
        hash_after=hash_after,
        payload=payload or {},
    )


MADE = logged(DRAFTED, "panel", None)


def events_of(*kinds: str) -> list[DraftEvent]:
    """Return a log in which nothing but the state changes."""
    return [MADE, *(logged(kind, payload=PAYLOADS.get(kind, {})) for kind in kinds)]


def allowed_actions(now: DraftState, role: Role) -> set[Action]:
    return {action for action in Action if why_refused(now, action, role, reason="any") is None}


def state_after(*kinds: str) -> DraftState:
    return derive_state(events_of(*kinds))


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
def logs(draw: st.DrawFn) -> list[DraftEvent]:
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
        log.append(logged(str(kind), actor, before, after, PAYLOADS.get(kind, {})))
    return log


@given(logs())
def test_nothing_is_published_that_nobody_approved(log: list[DraftEvent]) -> None:
    end = derive_state(log)
    if end.state is not State.PUBLISHED:
        return
    approvals = [event for event in log if event.kind == "approve" and is_person(event.actor)]
    assert any(event.hash_before == event.hash_after == end.shown for event in approvals)
    assert any(event.kind == "publish" for event in log)


@given(logs())
def test_an_approval_is_always_of_the_shown_version(log: list[DraftEvent]) -> None:
    end = derive_state(log)
    assert (end.state in {State.APPROVED, State.PUBLISHED}) == (end.approval is not None)
    for approval in [found for found in (end.approval, end.live.approval if end.live else None) if found]:
        event = log[approval.place]
        assert (event.kind, event.actor, event.hash_after) == ("approve", approval.by, approval.hash)
    assert end.approval is None or end.approval.hash == end.shown


@given(logs())
def test_a_version_stays_live_until_it_is_retracted(log: list[DraftEvent]) -> None:
    live = None
    for place, event in enumerate(log[1:], 1):
        before, after = derive_state(log[:place]), derive_state(log[: place + 1])
        if before != after and event.kind == "publish":
            live = before.shown
        if before != after and event.kind == "retract":
            live = None
        assert (after.live and after.live.hash) == live


@given(logs(), CHANGES)
def test_a_change_after_approval_returns_a_draft_to_review(log: list[DraftEvent], kind: str) -> None:
    before = derive_state(log)
    change = logged(
        str(kind), "panel" if kind == REVISED else "Kim", before.shown, "z", {"persona": "skeptic"}
    )
    after = apply_event(before, change, len(log))
    assert after.state not in {State.APPROVED, State.PUBLISHED}
    if before.state in {State.APPROVED, State.PUBLISHED}:
        assert (after.state, after.approval) == (State.IN_REVIEW, None)
        assert after.live == before.live


@given(logs(), st.sampled_from(list(Action)))
def test_an_undo_restores_what_was_before(log: list[DraftEvent], action: Action) -> None:
    before = derive_state(log)
    after_hash = "z" if action in {Action.EDIT, Action.RERUN_SEAT} else before.shown
    done = apply_event(
        before, logged(action, "Kim", before.shown, after_hash, PAYLOADS.get(action, {})), len(log)
    )
    if done.next_undo is None or done.next_undo.place != len(log):
        return
    undone = apply_event(done, logged("undo", "Ada", done.shown, before.shown), len(log) + 1)
    assert undone == before


@given(logs(), st.sampled_from(list(Role)))
def test_every_allowed_action_has_an_effect(log: list[DraftEvent], role: Role) -> None:
    before = derive_state(log)
    for action in allowed_actions(before, role):
        last = before.next_undo
        after_hash = last.before.shown if action is Action.UNDO and last else before.shown
        event = logged(action, "Kim", before.shown, after_hash, PAYLOADS.get(action, {}))
        after = apply_event(before, event, len(log))
        if action is not Action.UNDO:
            assert after.state is RULES[action].leads[before.state]
        assert action in allowed_actions(before, Role.PUBLISHER)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state: State) -> None:
    assert state_after(*PATHS[state]).state is state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", sorted(set(RULES) - {Action.UNDO}))
def test_events_against_the_table_change_nothing(state: State, action: Action) -> None:
    before = state_after(*PATHS[state])
    after = apply_event(before, logged(action, payload=PAYLOADS.get(action, {})), 9)
    if why_refused(before, action, Role.PUBLISHER, "why") is None:
        assert after.state is RULES[action].leads[state]
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
    assert allowed_actions(state_after("open", "tick"), role) == set(may.split())


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
    assert why_refused(state_after(*kinds), Action(action), Role(role), reason) == words


def test_publication_cannot_be_undone() -> None:
    assert state_after("open", "tick", "approve", "publish").next_undo is None
    assert state_after("open", "approve", "publish", "retract").next_undo is None


def test_an_edit_of_what_is_published_can_be_undone() -> None:
    published = derive_state(events_of("open", "approve", "publish"))
    edited = apply_event(published, logged("edit", hash_after="b"), 4)
    assert edited.state is State.IN_REVIEW
    assert apply_event(edited, logged("undo", hash_before="b"), 5) == published


def test_a_resolution_replaces_an_earlier_one() -> None:
    sourced = {"finding": "f", "kind": "supported", "source": "https://example.com/a"}
    log = [*events_of("tick"), logged("tick", "Ada", payload={"tick": sourced})]
    (given,) = derive_state(log).resolutions
    assert (given.by, given.source) == ("Ada", "https://example.com/a")


def test_the_first_event_must_be_drafted() -> None:
    for log in ([], events_of("open")[1:]):
        with pytest.raises(ValueError, match="the first event of a draft must be drafted"):
            derive_state(log)


def test_a_revision_by_the_panel_cannot_be_undone() -> None:
    revised = apply_event(state_after("open", "tick"), logged(REVISED, "panel", "a", "b"), 3)
    assert (revised.state, revised.shown, revised.next_undo) == (State.IN_REVIEW, "b", None)
    rejected = apply_event(state_after("reject"), logged(REVISED, "panel", "a", "b"), 2)
    assert rejected.state is State.REJECTED


@pytest.mark.parametrize("name", ["", " \t", "panel", "PANEL", "\u200b", "K" * 121, "K\udcff", 7])
def test_names_that_cannot_be_a_persons_are_refused(name: object) -> None:
    with pytest.raises(
        ValidationError,
        match="a person's name has 1 to 120 characters, all of them readable, and is not panel",
    ):
        Actor.model_validate({"name": name, "role": "editor"})


def test_names_are_put_on_one_line() -> None:
    assert Actor(name=" Kim \n Doe ", role=Role.EDITOR).name == "Kim Doe"
