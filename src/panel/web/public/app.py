"""The public application: the site's files, readers' votes and sign-up on one origin, without accounts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from panel.errors import GateError, NotFound, PanelError
from panel.web.public.requests import wants_json
from panel.web.public.votes import VOTE_ROUTES
from panel.web.rendering import CACHE_FOREVER, REVALIDATE, asset_route
from panel.web.security import check_source, security_headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from panel.web.public.requests import PublicServices

HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every response; each page states itself what it may load."""

HASHED_FILES = "assets/"
UNAVAILABLE = "The server cannot read its data at the moment. Try again in a few minutes."
log = logging.getLogger("panel.web")


def create_public_app(services: PublicServices, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the public application, with further routes such as those of the newsletter."""
    files = Mount("/", SiteFiles(services.site))
    app = _app([asset_route, *VOTE_ROUTES, *routes, files], services.hosts)
    app.state.services = services
    return app


def create_preview(folder: Path) -> Starlette:
    """Return an application that serves a site's files on this machine, and takes no form."""
    refusal = Route("/{path:path}", _refuse_form, methods=["POST"])
    return _app([refusal, Mount("/", SiteFiles(folder))], frozenset())


async def _refuse_form(_request: Request) -> Response:
    raise HTTPException(405, "This server only shows files; panel serve --public takes votes and sign-ups.")


def _app(routes: Sequence[BaseRoute], hosts: frozenset[str]) -> Starlette:
    # Within the exception handlers, so that they answer a refusal.
    checked = Mount("", routes=routes, middleware=[Middleware(_same_origin_only, hosts=hosts)])
    return Starlette(
        routes=[checked],
        middleware=[Middleware(security_headers, headers=HEADERS)],
        exception_handlers={HTTPException: error_response, PanelError: error_response},
    )


def _same_origin_only(app: ASGIApp, hosts: frozenset[str]) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        check_source(Request(scope), hosts)
        await app(scope, receive, send)

    return respond


class SiteFiles(StaticFiles):
    """The files of a built site, which a build may replace at any time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, a redirect to a folder's page, or the site's page for missing addresses."""
        hidden = any(part.startswith(".") and part != "." for part in path.split("/"))
        try:
            response = await super().get_response(f"{path}/-" if hidden else path, scope)
        except (OSError, ValueError) as error:  # no file system takes the name
            raise HTTPException(404) from error
        if isinstance(response, RedirectResponse):
            response.status_code = 308  # permanent: the address of a folder always ends in a slash
            # A relative address, because only a proxy in front would know the scheme.
            response.headers["location"] = quote(f"/{path}/")
        hashed = path.startswith(HASHED_FILES) and response.status_code in {200, 304}
        response.headers["cache-control"] = CACHE_FOREVER if hashed else REVALIDATE
        return response


async def error_response(request: Request, error: Exception) -> Response:
    """Return an error as JSON to the site's script, and as a line of text to everybody else."""
    status, message, headers = 503, UNAVAILABLE, None
    match error:
        case HTTPException():
            status, message, headers = error.status_code, error.detail, error.headers
        case NotFound():
            status, message = 404, str(error)
        case GateError():
            status, message = 429, str(error)
        case _:
            log.error("%s %s: %s", request.method, request.url.path, error)
    message = f"{message[:1].upper()}{message[1:]}"
    if wants_json(request):
        return JSONResponse({"error": message}, status, headers)
    return PlainTextResponse(f"{message}\n", status, headers)
