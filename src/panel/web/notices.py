"""The notice on top of a page: the last action of the user, with a button to undo it or to publish next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from panel.core.draft_state import Action, allowed_actions
from panel.core.text import canonical, one_line
from panel.errors import NotFound
from panel.web.auth import current_user
from panel.web.forms import parse_number
from panel.web.services import services_of
from panel.web.wording import DONE

if TYPE_CHECKING:
    from starlette.requests import Request

LIST = "list"
"""Name of the field with the list from which a draft was opened, as `Filters.list`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The last action of the user.

    Attributes:
        draft: number of the draft.
        text: `Approved`, before the tool's name.
        tool: the tool's name.
        seen: hash of the draft as it is shown.
        undoes: place of the event that an undo would retract; None if it cannot be undone.
        can_publish: whether the user may publish the draft now.
    """

    draft: int
    text: str
    tool: str
    seen: str
    undoes: int | None
    can_publish: bool


def with_notice(path: str, action: Action, draft: int, fragment: str = "", *, list_: str = "") -> str:
    """Return the URL of a page that shows what was done with a draft; `list_` is `Filters.list`."""
    query = urlencode({"done": action.value, "was": draft, **({LIST: list_} if list_ else {})})
    return f"{path}?{query}{f'#{fragment}' if fragment else ''}"


async def read_notice(request: Request) -> Notice | None:
    """Return the notice that a URL asks for, if that action is still the draft's last event and was the user's own."""
    done, draft = request.query_params.get("done", ""), parse_number(request.query_params.get("was", ""))
    if done not in DONE or draft is None:
        return None
    services = services_of(request)
    try:
        view = await services.approval.view(draft)
    except NotFound:
        return None
    actor, last, undoable = current_user(request).actor, view.history[-1], view.current.next_undo
    if last.kind != done or canonical(last.actor) != canonical(actor.name):
        return None
    actions = allowed_actions(view.current, actor.role)
    can_undo = undoable and undoable.place == len(view.history) - 1 and Action.UNDO in actions
    return Notice(
        draft=view.id,
        text=DONE[done],
        tool=one_line(view.shown.review.tool.name),
        seen=view.shown.hash,
        undoes=undoable.place if undoable and can_undo else None,
        can_publish=Action.PUBLISH in actions,
    )
