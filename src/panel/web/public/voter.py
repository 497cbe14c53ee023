"""What tells one reader from another: a random number that their browser keeps, and nothing about who they are."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from panel.web.origins import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "panel_voter"
YEAR_SECONDS = 365 * 24 * 3600
_BYTES = 16


def voter_of(request: Request, secret: bytes) -> str | None:
    """Return a reader's number, or None if their browser keeps none that this server signed."""
    number, _, signature = request.cookies.get(COOKIE, "").partition(".")
    known = hmac.compare_digest(signature.encode(), _signature(number, secret).encode())
    return number if number and known else None


def new_voter() -> str:
    """Return the number of a reader who votes for the first time."""
    return secrets.token_hex(_BYTES)


def keep_voter(request: Request, response: Response, number: str, secret: bytes) -> None:
    """Have a reader's browser keep their number; nobody's script can read it."""
    secure = request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
    response.set_cookie(
        COOKIE,
        f"{number}.{_signature(number, secret)}",
        max_age=YEAR_SECONDS,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def hashed(number: str) -> str:
    """Return what the store knows a reader by."""
    return hashlib.sha256(number.encode()).hexdigest()


def _signature(number: str, secret: bytes) -> str:
    return hmac.new(secret, b"voter " + number.encode(), hashlib.sha256).hexdigest()
