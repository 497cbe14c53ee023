"""What a page says first: that something was done, and how to take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from panel.core.draft_rules import Action
from panel.core.draft_state import allowed
from panel.core.text import canonical, one_line
from panel.errors import NotFound
from panel.web.numbers import number
from panel.web.services import services_of, visitor_of
from panel.web.wording import DONE

if TYPE_CHECKING:
    from starlette.requests import Request

    from panel.store import DraftView


LIST = "list"
"""The field that says which list a draft was opened from."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was done last, and what may follow.

    Attributes:
        draft: with which draft.
        text: what was done, such as `Approved`.
        tool: the draft's tool.
        seen: digest of what is shown of it.
        undoes: place of the event that an undo takes back; None if that may not be done.
        publish: whether it may be published next.
    """

    draft: int
    text: str
    tool: str
    seen: str
    undoes: int | None
    publish: bool


def noted(place: str, action: Action, draft: int, fragment: str = "", *, list_: str = "") -> str:
    """Return an address that says what was done.

    Args:
        place: path of the page.
        action: what was done.
        draft: with which draft.
        fragment: the part of the page that comes into view.
        list_: the list that somebody works through, as `Filters.list` has it.
    """
    query = urlencode({"done": action.value, "was": draft, **({LIST: list_} if list_ else {})})
    return f"{place}?{query}{f'#{fragment}' if fragment else ''}"


async def note_of(request: Request) -> Note | None:
    """Return what an address says was done; None unless it is the last that happened to that draft, and was done by who asks."""
    done, was = request.query_params.get("done", ""), request.query_params.get("was", "")
    draft = number(was)
    if done not in DONE or draft is None:
        return None
    services = services_of(request)
    try:
        view = await services.store.approval.view(draft, services.checks)
    except NotFound:
        return None
    actor = visitor_of(request).actor
    last = view.history[-1]
    if last.kind != done or canonical(last.actor) != canonical(actor.name):
        return None
    may = allowed(view.standing, actor.role)
    return Note(
        draft=view.id,
        text=DONE[done],
        tool=one_line(view.shown.review.tool.name),
        seen=view.shown.hash,
        undoes=_undoes(view) if Action.UNDO in may else None,
        publish=Action.PUBLISH in may,
    )


def _undoes(view: DraftView) -> int | None:
    last = view.standing.last
    return last.place if last and last.place == len(view.history) - 1 else None
