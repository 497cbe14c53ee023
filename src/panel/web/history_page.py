"""The page of a draft's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.approval import history_entries
from panel.web import wording
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from starlette.responses import Response


async def show_history(request: Request) -> Response:
    """Show all events of a draft, the latest first."""
    view = await services_of(request).approval.view(request.path_params["draft"])
    entries = reversed(history_entries(view))
    return render(request, "history.html.j2", view=view, entries=entries, wording=wording)
