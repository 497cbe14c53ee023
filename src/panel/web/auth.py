"""Access to the queue: the user behind a request, found by session, by proxy header, or as the machine's only user."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from panel.web.errors import FormRejected, error_page
from panel.web.rendering import STATIC
from panel.web.requests import CSRF_FIELD, CurrentUser, read_form
from panel.web.security import SAFE_METHODS, check_source, client_address, host_of, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from panel.core.actor import Actor
    from panel.store import Store
    from panel.web.requests import Form

LOGIN = "/login"
SESSION_COOKIE, BROWSER_COOKIE = "panel_session", "panel_browser"
SECRET_BYTES = 32
_TOKEN = re.compile("[A-Za-z0-9_-]{43}")
"""A token of `SECRET_BYTES` random bytes in URL-safe base64."""


@dataclass(frozen=True, slots=True)
class SingleUser:
    """Every request on this machine is this user's."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users sign in with a name and a password from the store."""


@dataclass(frozen=True, slots=True)
class TrustedProxy:
    """A proxy at one of these IP addresses sends the name of an account, in UTF-8, in this header."""

    header: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """How users are told apart, and which host names the server answers to.

    Attributes:
        hosts: allowed host names beside those of loopback; lower case, without ports.
        secret: key of the form tokens, 32 bytes; with the same secret, open forms survive a restart.
    """

    mode: SingleUser | Accounts | TrustedProxy
    hosts: frozenset[str] = frozenset()
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)


def access_control(app: ASGIApp, access: AccessPolicy, store: Store) -> ASGIApp:
    """Return middleware that lets known users through, under the server's own name, and forms that carry their token.

    It leaves `user`, `csrf_token` and `form` in the request's state.
    """
    has_accounts = isinstance(access.mode, Accounts)

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        request, answer = Request(scope, receive), app
        check_source(request, access.hosts)
        # The path that routes match; `request.url` is put together from headers and could be read differently.
        safe, path = request.method in SAFE_METHODS, scope["path"]
        if not (safe and path.startswith(STATIC)):
            new_browser = await _identify(request, access, store)
            if request.state.user is None and not (has_accounts and path == LOGIN):
                answer = await _refusal(request, has_accounts=has_accounts)
            elif not safe:
                request.state.form = await _read_own_form(request)
            elif new_browser:
                send = _with_browser_cookie(request, new_browser, send)
        await answer(scope, receive, send)

    return respond


async def _read_own_form(request: Request) -> Form:
    form = await read_form(request)
    sent, token = form.getlist(CSRF_FIELD), request.state.csrf_token
    if len(sent) != 1 or not hmac.compare_digest(sent[0].encode(), token.encode()):
        raise FormRejected(form.sentences())
    return form


async def _identify(request: Request, access: AccessPolicy, store: Store) -> str | None:
    """Find the user and the form token; return the id for a browser that has neither a session nor an id."""
    state = request.state
    if isinstance(access.mode, Accounts) and (session := read_cookie(request, SESSION_COOKIE)):
        account = await store.users.session_user(hash_token(session))
        if account:
            state.csrf_token = _form_token(access.secret, SESSION_COOKIE, session)
            state.user = CurrentUser(account.actor, state.csrf_token, can_sign_out=True)
            return None
    actor = await _actor_without_session(request, access, store)
    stored = read_cookie(request, BROWSER_COOKIE)
    browser = stored or new_token()
    state.csrf_token = _form_token(access.secret, BROWSER_COOKIE, browser, actor.name if actor else "")
    state.user = CurrentUser(actor, state.csrf_token) if actor else None
    return None if stored else browser


async def _actor_without_session(request: Request, access: AccessPolicy, store: Store) -> Actor | None:
    match access.mode:
        case SingleUser(actor):
            return actor
        case TrustedProxy(header, addresses) if client_address(request) in addresses:
            names = request.headers.getlist(header)
            if len(names) != 1:
                return None
            try:
                user = await store.users.get(names[0].encode("latin-1").decode())
            except UnicodeDecodeError:
                return None
            return user.actor if user and user.disabled_at is None else None
    return None


async def _refusal(request: Request, *, has_accounts: bool) -> Response:
    """Redirect page loads to the sign-in form, and refuse everything else with 401."""
    if not has_accounts:
        message = "The proxy in front of this server named no user who has an account here."
        return error_page(request, 401, message)
    headers, path = request.headers, quote(request.scope["path"])
    from_script = "hx-request" in headers
    is_document = headers.get("sec-fetch-dest", "document") == "document" and not from_script
    if request.method == "GET" and is_document and "text/html" in headers.get("accept", ""):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{LOGIN}?next={quote(path + query, safe='')}", 303)
    unsaved = ""
    if request.method not in SAFE_METHODS:
        with suppress(HTTPException):
            unsaved = (await read_form(request)).sentences()
    message = "You are signed out. Sign in and try again."
    redirect = {"hx-redirect": LOGIN} if from_script else None
    return error_page(request, 401, message, unsaved=unsaved, headers=redirect)


def _with_browser_cookie(request: Request, browser: str, send: Send) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            response = Response()
            set_cookie(request, response, BROWSER_COOKIE, browser)
            MutableHeaders(scope=message).append("set-cookie", response.headers["set-cookie"])
        await send(message)

    return send_with_cookie


def new_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a session token, as the store keeps it; the token is random, so it needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def _form_token(secret: bytes, *parts: str) -> str:
    return hmac.new(secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def read_cookie(request: Request, name: str) -> str | None:
    """Return the token in a cookie; None if it is missing or has another form."""
    value = request.cookies.get(_cookie_name(request, name), "")
    return value if _TOKEN.fullmatch(value) else None


def set_cookie(
    request: Request, response: Response, name: str, value: str, max_age: int | None = None
) -> None:
    """Set a session or browser cookie for some seconds: HttpOnly, and Secure except on loopback; 0 seconds delete it.

    The browser id is SameSite=Lax: without it, following a link from another site would create a new id, and open
    forms would stop working.
    """
    response.set_cookie(
        _cookie_name(request, name),
        value,
        max_age=max_age,
        secure=not is_loopback(host_of(request)),
        httponly=True,
        samesite="lax" if name == BROWSER_COOKIE else "strict",
    )


def _cookie_name(request: Request, name: str) -> str:
    # With this prefix, no other host of the domain and no plain page can set the cookie (RFC 6265bis, section 4.1.3.2).
    return name if is_loopback(host_of(request)) else f"__Host-{name}"
