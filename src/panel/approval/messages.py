"""Sentences that both front ends print after an action, or in place of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.draft_state import Action, State
from panel.core.text import one_line
from panel.report.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.approval.view import DraftView
    from panel.store import DraftLock

_DONE: Mapping[str, str] = {
    Action.OPEN: "Reopened",
    Action.EDIT: "Edited",
    Action.RESOLVE: "Resolved a finding in",
    Action.RERUN_SEAT: "Asked a seat again about",
    Action.APPROVE: "Approved",
    Action.REQUEST_CHANGES: "Requested changes to",
    Action.REJECT: "Rejected",
    Action.PUBLISH: "Published",
    Action.RETRACT: "Retracted",
    Action.UNDO: "Undid the last step of",
    Action.TAKE_OVER: "Took over",
}
_ON_THE_SITE = " Readers see it after the next panel site build."


def outcome_message(view: DraftView, action: Action) -> str:
    """Return the sentence about an action that was taken last: `Approved Lantern (draft 12): approved.`."""
    return f"{_done(view, action)} {state_message(view)}"


def state_message(view: DraftView) -> str:
    """Return the sentence about the state of a draft: `Lantern (draft 12): in review, 2 findings to resolve.`."""
    count = len(view.unresolved)
    findings = f", {counted(count, 'finding')} to resolve" if count else ""
    build = _ON_THE_SITE if view.state in {State.PUBLISHED, State.RETRACTED} else ""
    return f"{view.tool_name} (draft {view.id}): {view.state.label}{findings}.{build}"


def unresolved_message(view: DraftView) -> str:
    """Return the refusal of an approval, which lists the findings that must be resolved first."""
    lines = [f"draft {view.id} has {counted(len(view.unresolved), 'finding')} to resolve before approval:"]
    lines += [f"[{each.number}] {each.place_name}: {each.title}" for each in view.unresolved]
    return "\n".join([*lines, "Resolve each of them, or cut it with an edit."])


def locked_message(draft: int, lock: DraftLock) -> str:
    """Return the refusal of an action on a draft that another person has locked."""
    minutes = counted(lock.minutes, "more minute")
    return f"draft {draft} is reserved for {lock.holder} for {minutes}; wait, or take it over"


def _done(view: DraftView, action: Action) -> str:
    last = view.history[-1]
    if last.kind != action:
        return _DONE[action]
    if action is Action.RESOLVE:
        texts = (found.text for found in view.findings if found.id == last.payload["tick"]["finding"])
        text = next(texts, None)
        return f"Resolved “{one_line(text)}” in" if text else _DONE[action]
    if action is Action.RERUN_SEAT:
        seat = view.shown.review.seat_of(last.payload["persona"])
        return f"Asked {one_line(seat.name)} again about" if seat else _DONE[action]
    return _DONE[action]
