"""The pages of the queue, by their addresses."""

from __future__ import annotations

from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import Response  # noqa: TC002 - likewise
from starlette.routing import Route

from panel.web import acts, draft, queue, runs
from panel.web.render import render


def routes() -> list[Route]:
    """Return every page of the queue."""
    return [
        Route("/", queue.queue, methods=["GET"]),
        Route("/drafts/{draft:int}", draft.draft, methods=["GET"]),
        Route("/drafts/{draft:int}/page", draft.page, methods=["GET"]),
        Route("/drafts/{draft:int}/history", draft.history, methods=["GET"]),
        Route("/drafts/{draft:int}/{action}", acts.act, methods=["POST"]),
        Route("/runs", runs.runs, methods=["GET"]),
        Route("/help", _help, methods=["GET"]),
    ]


async def _help(request: Request) -> Response:
    return render(request, "help.html.j2")
