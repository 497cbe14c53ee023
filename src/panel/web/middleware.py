"""What every request passes: safe headers, errors as pages, and the guard at the door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from panel.web.access import Accounts
from panel.web.assets import PREFIX
from panel.web.forms import check_form, lost_words
from panel.web.origins import check_host, check_origin
from panel.web.refusals import explained, refused
from panel.web.sessions import BROWSER, keep
from panel.web.visitors import caller_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from panel.store import Store
    from panel.web.access import Access
    from panel.web.visitors import Caller

LOGIN = "/login"
SAFE = {"GET", "HEAD", "OPTIONS"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every response, unless a page says otherwise."""


class Hardened:
    """Puts the safe headers on every response.

    Args:
        app: what answers.
        headers: those that it does not set itself.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = HEADERS) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, under safe headers."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent)


class Explained:
    """Turns what is raised within into a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with a page where something is raised before there is another."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            return
        except (Exception, asyncio.CancelledError) as error:
            # A request is cancelled only when the server ends before it is answered.
            if begun or scope["type"] != "http":
                raise
            page = await explained(Request(scope), error)
            await page(scope, receive, send)


class Guarded:
    """Lets in who may come in, and what they may send.

    Args:
        app: what is guarded.
        access: who may come in.
        store: who signed in.
    """

    def __init__(self, app: ASGIApp, access: Access, store: Store) -> None:
        self._app = app
        self._access = access
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer who may ask, and tell all others why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        check_host(request, self._access.hosts)
        if request.method not in SAFE:
            check_origin(request)
        elif _path(request).startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        await self._let_in(request, receive, send)

    async def _let_in(self, request: Request, receive: Receive, send: Send) -> None:
        caller = await caller_of(request, self._access, self._store)
        state = request.scope.get("state", {})
        request.scope["state"] = {**state, "visitor": caller.visitor, "token": caller.token}
        app = self._app
        if caller.visitor is None and not self._may_be_anybody(request):
            app = await self._stranger(request)
        elif request.method in SAFE:
            send = _introduced(request, caller, send)
        else:
            receive = await check_form(request, caller.token)
        await app(request.scope, receive, send)

    def _may_be_anybody(self, request: Request) -> bool:
        return isinstance(self._access.way, Accounts) and _path(request) == LOGIN

    async def _stranger(self, request: Request) -> Response:
        """Answer somebody who is not known: pages lead to the form, scripts are told, the rest is refused."""
        if not isinstance(self._access.way, Accounts):
            return refused(request, 401, "The proxy before this server named nobody who has an account here.")
        if _is_navigation(request):
            return RedirectResponse(f"{LOGIN}?next={quote(_place(request), safe='')}", 303)
        headers = {"hx-redirect": LOGIN} if "hx-request" in request.headers else {}
        lost = "" if request.method in SAFE else await lost_words(request)
        words = "You are signed out. Sign in, and try again."
        return refused(request, 401, words, lost=lost, headers=headers)


def _is_navigation(request: Request) -> bool:
    headers = request.headers
    shown = headers.get("sec-fetch-dest", "document") == "document" and "hx-request" not in headers
    return request.method == "GET" and shown and "text/html" in headers.get("accept", "")


def _path(request: Request) -> str:
    # What routes go by; an address that was put together from it could be read in another way.
    path: str = request.scope["path"]
    return path


def _place(request: Request) -> str:
    query = request.url.query
    return f"{quote(_path(request))}?{query}" if query else quote(_path(request))


def _introduced(request: Request, caller: Caller, send: Send) -> Send:
    """Have a browser that came for the first time keep what tells it from others."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and caller.browser:
            cookie = Response()
            keep(request, cookie, BROWSER, caller.browser)
            MutableHeaders(scope=message).append("set-cookie", cookie.headers["set-cookie"])
        await send(message)

    return sent
