"""Authentication: the user behind a request, found by session, by proxy header, or as the machine's only user."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from panel.web.origins import address_of, host_of, is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from panel.core.actor import Actor
    from panel.store import Store

SESSION_COOKIE, BROWSER_COOKIE = "panel_session", "panel_browser"
SESSION_SECONDS = 12 * 60 * 60
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
    """A proxy signs users in and sends their name; each name must have an account.

    Attributes:
        header: name of the header, whose value is UTF-8.
        addresses: IP addresses of the proxy; the header is ignored from any other.
    """

    header: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """How users are told apart, and which host names the server answers to.

    Attributes:
        mode: how users are told apart.
        hosts: allowed host names beside those of loopback; lower case, without ports.
        secret: key of the form tokens, 32 bytes; with the same secret, open forms survive a restart.
    """

    mode: SingleUser | Accounts | TrustedProxy
    hosts: frozenset[str] = frozenset()
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user who makes a request.

    Attributes:
        actor: name and role.
        csrf_token: the value that each of their forms must send as `csrf`.
        can_sign_out: whether they signed in here.
    """

    actor: Actor
    csrf_token: str
    can_sign_out: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a request, if known, and the form token of their session or browser.

    Attributes:
        new_browser_id: cookie to set in a browser that has neither a session nor an id.
    """

    user: CurrentUser | None
    csrf_token: str
    new_browser_id: str | None = None


def current_user(request: Request) -> CurrentUser:
    """Return the user of a request, which the middleware has identified."""
    user: CurrentUser = request.state.user
    return user


async def identify(request: Request, access: AccessPolicy, store: Store) -> Identity:
    """Find the user of a request by its session, its proxy or its browser."""
    if isinstance(access.mode, Accounts) and (session := read_cookie(request, SESSION_COOKIE)):
        account = await store.users.session_user(hash_token(session))
        if account:
            token = _form_token(access.secret, SESSION_COOKIE, session)
            return Identity(CurrentUser(account.actor, token, can_sign_out=True), token)
    actor = await _actor(request, access, store)
    stored = read_cookie(request, BROWSER_COOKIE)
    browser = stored or new_token()
    token = _form_token(access.secret, BROWSER_COOKIE, browser, actor.name if actor else "")
    return Identity(CurrentUser(actor, token) if actor else None, token, None if stored else browser)


async def _actor(request: Request, access: AccessPolicy, store: Store) -> Actor | None:
    match access.mode:
        case SingleUser(actor):
            return actor
        case TrustedProxy(header, addresses) if address_of(request) in addresses:
            return await _proxy_user(store, request.headers.getlist(header))
    return None


async def _proxy_user(store: Store, names: list[str]) -> Actor | None:
    """Return the account that the proxy names; None if the header is missing, repeated or not UTF-8."""
    if len(names) != 1:
        return None
    try:
        user = await store.users.get(names[0].encode("latin-1").decode())
    except UnicodeDecodeError:
        return None
    return user.actor if user and user.disabled_at is None else None


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


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a session or browser cookie: HttpOnly, Secure except on loopback, and not sent by other sites' forms.

    The browser id is SameSite=Lax: without it, following a link from another site would create a new id, and open
    forms would stop working.
    """
    same_site: Literal["lax", "strict"] = "lax" if name == BROWSER_COOKIE else "strict"
    response.set_cookie(
        _cookie_name(request, name),
        value,
        max_age=SESSION_SECONDS if name == SESSION_COOKIE else None,
        secure=_is_secure(request),
        httponly=True,
        samesite=same_site,
    )


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(
        _cookie_name(request, name), secure=_is_secure(request), httponly=True, samesite="strict"
    )


def _is_secure(request: Request) -> bool:
    return not is_loopback(host_of(request))


def _cookie_name(request: Request, name: str) -> str:
    # With this prefix, no other host of the domain and no plain page can set the cookie (RFC 6265bis, section 4.1.3.2).
    return f"__Host-{name}" if _is_secure(request) else name
