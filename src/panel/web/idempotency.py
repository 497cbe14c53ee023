"""What was done already: a form that is sent twice, or again from a page that the back button brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.draft_changes import current
from panel.core.draft_rules import Action
from panel.core.text import canonical, prose
from panel.errors import InputError
from panel.web.fields import wanted

if TYPE_CHECKING:
    from panel.core.draft_rules import Actor
    from panel.store import DraftView, RecordedEvent
    from panel.web.fields import Sent


def repeated(view: DraftView, action: Action, actor: Actor, sent: Sent) -> RecordedEvent | None:
    """Return the event of what somebody wants to do, if it is the last that happened, and was done by them; else None.

    Args:
        view: the draft as it is now.
        action: what they want to do.
        actor: who they are.
        sent: what their form holds.
    """
    last = view.history[-1]
    if last.kind != action or canonical(last.actor) != canonical(actor.name):
        return None
    return last if _same(view, last, action, sent) else None


def _same(view: DraftView, last: RecordedEvent, action: Action, sent: Sent) -> bool:
    if action is Action.UNDO:
        place = sent.number("undoes")
        known = place is not None and place < len(view.history)
        return known and view.history[place or 0].id == last.payload.get("undone")
    if last.hash_before != sent.text("seen") or (last.reason or "") != prose(sent.text("reason")):
        return False
    match action:
        case Action.EDIT:
            return _same_edit(view, last, sent)
        case Action.TICK:
            tick = {
                "finding": sent.text("finding"),
                "kind": sent.text("kind"),
                "source": sent.text("source") or None,
            }
            return bool(last.payload.get("tick") == tick)
        case Action.RERUN_SEAT:
            return last.payload.get("persona") == sent.text("persona") and last.hash_after != last.hash_before
    return True


def _same_edit(view: DraftView, last: RecordedEvent, sent: Sent) -> bool:
    review = view.shown.review
    try:
        sent_again = wanted(sent, review)
    except InputError:
        return False
    made = [edit["change"] for edit in last.payload.get("edits", [])]
    sought = [change.model_dump(mode="json") for change in sent_again]
    # What the form holds beside the edit must be what is shown anyway.
    others = [change for change, data in zip(sent_again, sought, strict=True) if data not in made]
    return all(change in sought for change in made) and all(
        change == current(review, change) for change in others
    )
