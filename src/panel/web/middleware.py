"""Middleware of every request: security headers, errors as pages, and access control."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from panel.web.auth import BROWSER_COOKIE, Accounts, identify, set_cookie
from panel.web.errors import error_page, error_response
from panel.web.forms import check_csrf, unsaved_text
from panel.web.origins import check_host, check_origin
from panel.web.rendering import STATIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from panel.store import Store
    from panel.web.auth import AccessPolicy

LOGIN = "/login"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class SecurityHeaders:
    """Adds security headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = HEADERS) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class ErrorPages:
    """Answers with a page when the application raises before its response has started."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except (Exception, asyncio.CancelledError) as error:
            # A request is cancelled only if the server ends before it is answered.
            if started or scope["type"] != "http":
                raise
            page = await error_response(Request(scope), error)
            await page(scope, receive, send)


class AccessControl:
    """Lets through requests of known users under the server's own name, and forms that carry the user's token."""

    def __init__(self, app: ASGIApp, access: AccessPolicy, store: Store) -> None:
        self._app = app
        self._access = access
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        check_host(request, self._access.hosts)
        if request.method not in SAFE_METHODS:
            check_origin(request)
        elif _path(request).startswith(STATIC):
            await self._app(scope, receive, send)
            return
        await self._with_user(request, receive, send)

    async def _with_user(self, request: Request, receive: Receive, send: Send) -> None:
        identity = await identify(request, self._access, self._store)
        state = {"user": identity.user, "csrf_token": identity.csrf_token}
        request.scope["state"] = {**request.scope.get("state", {}), **state}
        has_accounts = isinstance(self._access.mode, Accounts)
        app = self._app
        if identity.user is None and not (has_accounts and _path(request) == LOGIN):
            app = await _unknown_user(request, has_accounts=has_accounts)
        elif request.method not in SAFE_METHODS:
            receive = await check_csrf(request, identity.csrf_token)
        elif identity.new_browser_id:
            send = _send_with_cookie(request, identity.new_browser_id, send)
        await app(request.scope, receive, send)


async def _unknown_user(request: Request, *, has_accounts: bool) -> Response:
    """Redirect pages to the sign-in form, and refuse everything else with 401."""
    if not has_accounts:
        return error_page(
            request, 401, "The proxy in front of this server named no user who has an account here."
        )
    if _is_page_load(request):
        return RedirectResponse(f"{LOGIN}?next={quote(_path_and_query(request), safe='')}", 303)
    headers = {"hx-redirect": LOGIN} if "hx-request" in request.headers else {}
    unsaved = "" if request.method in SAFE_METHODS else await unsaved_text(request)
    return error_page(
        request, 401, "You are signed out. Sign in and try again.", unsaved=unsaved, headers=headers
    )


def _is_page_load(request: Request) -> bool:
    headers = request.headers
    document = headers.get("sec-fetch-dest", "document") == "document" and "hx-request" not in headers
    return request.method == "GET" and document and "text/html" in headers.get("accept", "")


def _path(request: Request) -> str:
    # The path that routes match; `request.url` is put together from headers and could be read differently.
    path: str = request.scope["path"]
    return path


def _path_and_query(request: Request) -> str:
    query = request.url.query
    return f"{quote(_path(request))}?{query}" if query else quote(_path(request))


def _send_with_cookie(request: Request, browser_id: str, send: Send) -> Send:
    async def send_and_set(message: Message) -> None:
        if message["type"] == "http.response.start":
            response = Response()
            set_cookie(request, response, BROWSER_COOKIE, browser_id)
            MutableHeaders(scope=message).append("set-cookie", response.headers["set-cookie"])
        await send(message)

    return send_and_set
