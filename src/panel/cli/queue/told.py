"""What is told of a draft once something was done with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panel.cli.console import plain_result, result, result_json
from panel.core.draft_state import State
from panel.core.text import one_line
from panel.report.wording import counted

if TYPE_CHECKING:
    from panel.approval import DraftView
    from panel.cli.queue.desk import Desk

_NEXT = {
    State.APPROVED: "next: panel queue publish {draft}",
    State.PUBLISHED: "readers see it after panel site build",
    State.RETRACTED: "readers see that after panel site build",
}


def tell_outcome(desk: Desk, draft: int, done: str, *, as_json: bool) -> None:
    """Print where a draft stands: a line, or JSON `{draft, state, missing, hash}`.

    Args:
        desk: what the command works with.
        draft: the draft.
        done: what was done, before the name of the tool.
        as_json: whether a program reads it.
    """
    view = desk.view(draft)
    if as_json:
        result_json(_data(view))
        return
    plain_result(f"{done} {outcome(view)}")


def outcome(view: DraftView) -> str:
    """Return where a draft stands, and what comes next: `Lantern (draft 12): in review, 2 findings to deal with.`."""
    missing = len(view.unresolved)
    left = f", {counted(missing, 'finding')} to deal with" if missing else ""
    state = view.current.state
    following = f"; {_NEXT[state].format(draft=view.id)}" if state in _NEXT else ""
    return f"{one_line(view.shown.review.tool.name)} (draft {view.id}): {state.label}{left}{following}."


def tell_line(desk: Desk, draft: int) -> None:
    """Print where a draft stands as one line of JSON, as `tell_outcome` has it."""
    result(json.dumps(_data(desk.view(draft)), ensure_ascii=False))


def _data(view: DraftView) -> dict[str, Any]:
    return {
        "draft": view.id,
        "state": view.current.state.value,
        "missing": len(view.unresolved),
        "hash": view.hash,
    }
