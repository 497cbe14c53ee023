"""The notice on top of a page: the last action of the user, with a button to undo it or to publish next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from panel.approval import outcome_message
from panel.core.draft_state import Action
from panel.errors import NotFound
from panel.web.auth import current_user
from panel.web.forms import parse_number
from panel.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from panel.approval import DraftView

LIST = "list"
"""Name of the field with the list from which a draft was opened, as `Filters.list`."""


class Notice(NamedTuple):
    """The last action of the user.

    Attributes:
        view: the draft after it.
        undoes: index of the event that can be undone; None if it cannot.
        can_publish: whether the user may publish the draft now.
    """

    view: DraftView
    text: str
    undoes: int | None
    can_publish: bool


def with_notice(path: str, action: Action, draft: int, fragment: str = "", *, list_: str = "") -> str:
    """Return the URL of a page with a notice of an action; `list_` is `Filters.list`."""
    query = urlencode({"done": action.value, "was": draft, **({LIST: list_} if list_ else {})})
    return f"{path}?{query}{f'#{fragment}' if fragment else ''}"


async def read_notice(request: Request) -> Notice | None:
    """Return the notice that a URL asks for, if that action is still the draft's last event and was the user's own."""
    done, draft = request.query_params.get("done", ""), parse_number(request.query_params.get("was", ""))
    if done not in set(Action) or draft is None:
        return None
    try:
        view = await services_of(request).approval.view(draft)
    except NotFound:
        return None
    actor, last, step = current_user(request).actor, view.history[-1], view.current.next_undo
    if last.kind != done or not actor.is_named(last.actor):
        return None
    actions = view.allowed(actor)
    can_undo = step and step.place == len(view.history) - 1 and Action.UNDO in actions
    return Notice(
        view=view,
        text=outcome_message(view, Action(done)),
        undoes=step.place if step and can_undo else None,
        can_publish=Action.PUBLISH in actions,
    )
