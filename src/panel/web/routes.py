"""The pages of the queue, by their addresses."""

from __future__ import annotations

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import Response  # noqa: TC002 - likewise
from starlette.routing import Route

from panel.web import actions, draft, queue, runs
from panel.web.numbers import MOST_DIGITS
from panel.web.render import render


class _Number(IntegerConvertor):
    regex = f"[0-9]{{1,{MOST_DIGITS}}}"


register_url_convertor("number", _Number())


def routes() -> list[Route]:
    """Return every page of the queue."""
    return [
        Route("/", queue.queue, methods=["GET"]),
        Route("/drafts/{draft:number}", draft.draft, methods=["GET"]),
        Route("/drafts/{draft:number}/page", draft.page, methods=["GET"]),
        Route("/drafts/{draft:number}/history", draft.history, methods=["GET"]),
        Route("/drafts/{draft:number}/{action}", actions.act, methods=["POST"]),
        Route("/runs", runs.runs, methods=["GET"]),
        Route("/help", _help, methods=["GET"]),
    ]


async def _help(request: Request) -> Response:
    return render(request, "help.html.j2")
