"""The public application: the site's files and readers' votes on one origin, without anybody's account."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route

from panel.errors import GateError, NotFound, PanelError
from panel.web.middleware import SAFE_METHODS, SecurityHeaders
from panel.web.origins import check_host, check_origin
from panel.web.public import votes
from panel.web.public.files import SiteFiles
from panel.web.rendering import asset_route

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from panel.web.public.services import PublicServices

HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""On every response; what a page may load, it says itself."""

TROUBLE = "The server cannot reach its data at the moment. Try again in a few minutes."
log = logging.getLogger("panel.web")


class Door:
    """Refuses requests by another name, and what other sites' pages send.

    Args:
        app: what is guarded.
        hosts: names of the server beside those of loopback.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may be asked."""
        if scope["type"] == "http":
            request = Request(scope)
            try:
                check_host(request, self._hosts)
                if request.method not in SAFE_METHODS:
                    check_origin(request)
            except HTTPException as error:
                await told(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def create_public_app(services: PublicServices, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the application.

    Args:
        services: what its pages work with.
        routes: what else it answers.
    """
    places = [asset_route, *votes.routes(services), *routes, Mount("/", SiteFiles(services.site))]
    return _app(places, [Middleware(Door, hosts=services.hosts)])


def create_preview(folder: Path) -> Starlette:
    """Return an application that serves a site's files to this machine, and nothing else."""
    places = [Route("/{path:path}", _nothing_is_taken, methods=["POST"]), Mount("/", SiteFiles(folder))]
    return _app(places, [Middleware(Door, hosts=frozenset())])


async def _nothing_is_taken(_request: Request) -> Response:
    raise HTTPException(405, "This server shows files alone; panel serve --public takes votes and sign-ups.")


def told(request: Request, error: Exception) -> Response:
    """Return why something was not done, for a script as JSON and for people as a line."""
    headers: dict[str, str] = {}
    match error:
        case HTTPException():
            status, words, headers = error.status_code, error.detail, dict(error.headers or {})
        case NotFound():
            status, words = 404, str(error)
        case GateError():
            status, words = 429, str(error)
        case _:
            log.error("%s %s: %s", request.method, request.url.path, error)
            status, words = 503, TROUBLE
    words = f"{words[:1].upper()}{words[1:]}"
    if votes.is_script(request):
        return JSONResponse({"error": words}, status, headers)
    return PlainTextResponse(f"{words}\n", status, headers)


def _app(routes: Sequence[BaseRoute], middleware: Sequence[Middleware]) -> Starlette:
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders, headers=HEADERS), *middleware],
        exception_handlers={HTTPException: told, PanelError: told},
    )
