"""Requests of readers: services, form and limits for handlers, and the pages that answer them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from panel.web.rendering import environment
from panel.web.requests import Form, read_form
from panel.web.security import RateLimiter, client_address, network_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from panel.store import Store

MAX_FORM_BYTES, MAX_FORM_FIELDS = 4_096, 10
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class AddressHasher:
    """Hashes IP addresses with a key of the day that is kept in memory alone, so that no hash leads back to an address."""

    def __init__(self, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._today = today
        self._key = (today(), secrets.token_bytes())

    def hash(self, address: str) -> str:
        """Return the hash of an address, which differs from day to day."""
        if self._key[0] != self._today():
            self._key = (self._today(), secrets.token_bytes())
        return hmac.new(self._key[1], address.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class PublicServices:
    """Services of the public server.

    Attributes:
        site: the folder that `panel site build` made.
        secret: 32 bytes that cookies are signed with.
        hosts: names of the server beside those of loopback; lower case, without ports.
        proxies: IP addresses of proxies whose X-Forwarded-For is trusted.
        shown_from: number of votes on a tool from which ships and skips are shown apart.
    """

    store: Store
    site: Path
    secret: bytes = field(repr=False)
    hosts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    voting: bool = True
    shown_from: int = 5
    limiter: RateLimiter = field(default_factory=RateLimiter)
    hasher: AddressHasher = field(default_factory=AddressHasher, repr=False)

    def check_limit(self, limit: str, *key: str) -> None:
        """Count an attempt of a key, such as one of `30 per minute`.

        Raises:
            HTTPException: 429, with the seconds to wait.
        """
        if wait := self.limiter.hit(limit, *key):
            message = f"Too many requests; try again in {wait} seconds."
            raise HTTPException(429, message, {"retry-after": str(wait)})

    def address_hash(self, request: Request) -> str:
        """Return a hash of the network that a request came from."""
        return self.hasher.hash(network_of(client_address(request, self.proxies)))


def services_of(request: Request) -> PublicServices:
    """Return the services of the application that handles a request."""
    services: PublicServices = request.app.state.services
    return services


async def read_reader_form(request: Request) -> Form:
    """Read the short form of a reader; a refusal is an HTTPException."""
    return await read_form(request, max_bytes=MAX_FORM_BYTES, max_fields=MAX_FORM_FIELDS)


def wants_json(request: Request) -> bool:
    """Return whether the site's script sent a request."""
    return "application/json" in request.headers.get("accept", "")


class Link(NamedTuple):
    """A link."""

    href: str
    label: str


class Button(NamedTuple):
    """A button that sends a form with at most one field to an address."""

    label: str
    action: str
    name: str = ""
    value: str = ""


def message_page(
    title: str, text: str, back: Link, *, status: int = 200, button: Button | None = None
) -> HTMLResponse:
    """Return a page with a message to a reader, which nobody caches."""
    template = environment().get_template("reader.html.j2")
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        # Without a referrer browsers send no origin, and the button's request would be refused as another site's.
        "referrer-policy": "same-origin",
    }
    return HTMLResponse(template.render(title=title, text=text, back=back, button=button), status, headers)
