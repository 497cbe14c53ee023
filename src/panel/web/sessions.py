"""Cookies, the tokens in them, and the tokens in forms that are bound to them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Literal

from panel.web.origins import host_of, is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SESSION, BROWSER = "panel_session", "panel_browser"
SESSION_SECONDS = 12 * 60 * 60
TOKEN_BYTES = 32
"""256 bits."""
_TOKEN = re.compile("[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what the store keeps of a session's token; it is random, so that a plain hash says nothing about it."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(secret: bytes, *parts: str) -> str:
    """Return the token that forms must send: HMAC-SHA256 of whom they were shown to.

    Args:
        secret: the server's.
        parts: the session or the browser, and the person if the browser does not tell.
    """
    return hmac.new(secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def cookie(request: Request, name: str) -> str | None:
    """Return the token that a browser keeps under a name; None if there is none, or it is not one of ours."""
    kept = request.cookies.get(_name(request, name), "")
    return kept if _TOKEN.fullmatch(kept) else None


def keep(request: Request, response: Response, name: str, value: str) -> None:
    """Have a browser keep a session, or, under `BROWSER`, what tells it from others.

    Neither can be read by scripts, nor goes over plain HTTP, except on loopback, nor comes with requests that other sites make. A link
    on another site brings the latter along, because without it a new one would be made, and forms that are open would no longer fit.
    """
    same_site: Literal["lax", "strict"] = "lax" if name == BROWSER else "strict"
    response.set_cookie(
        _name(request, name),
        value,
        max_age=SESSION_SECONDS if name == SESSION else None,
        secure=is_secure(request),
        httponly=True,
        samesite=same_site,
    )


def forget(request: Request, response: Response, name: str) -> None:
    """Have a browser forget what it keeps under a name."""
    response.delete_cookie(_name(request, name), secure=is_secure(request), httponly=True, samesite="strict")


def is_secure(request: Request) -> bool:
    """Whether a browser must have come by HTTPS: everywhere but on loopback."""
    return not is_loopback(host_of(request))


def _name(request: Request, name: str) -> str:
    # The prefix lets no other host of the domain, and no plain page, set the cookie (RFC 6265bis, section 4.1.3.2).
    return f"__Host-{name}" if is_secure(request) else name
