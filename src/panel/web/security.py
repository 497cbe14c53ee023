"""Protection of both servers: security headers, host and origin checks, client addresses and rate limits."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NETWORK_BITS = 64
"""Bits of an IPv6 address that name a network (RFC 4291, section 2.5.4); its owner chooses the rest."""
MAX_KEYS = 20_000
_PORTS = {"http": 80, "https": 443}


def security_headers(app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
    """Return middleware that adds headers to every response that does not set them itself."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in headers.items():
                    sent.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    return respond


def check_source(request: Request, hosts: frozenset[str]) -> None:
    """Refuse other host names, so that DNS rebinding does not reach the server, and forms of other sites' pages.

    Raises:
        HTTPException: 400 for the host name, 403 for the origin.
    """
    host = host_of(request)
    if len(request.headers.getlist("host")) != 1 or not (is_loopback(host) or host in hosts):
        message = "The server does not answer to this host name. Start it with --allow-host NAME to add one."
        raise HTTPException(400, message)
    sites, origins = request.headers.getlist("sec-fetch-site"), request.headers.getlist("origin")
    own = {"same-origin", "none"}.issuperset(sites) and all(_is_own(request, origin) for origin in origins)
    if request.method not in SAFE_METHODS and not own:
        raise HTTPException(
            403, "This was sent from another site. Open the page here and send the form from there."
        )


def _is_own(request: Request, origin: str) -> bool:
    scheme, _, rest = origin.partition("://")
    if scheme not in _PORTS:
        return False
    host, port = _split(rest)
    own_host, own_port = _split(request.headers["host"])
    # A proxy may speak HTTPS for the server, so a missing port means that of the browser's scheme.
    return host == own_host and (port or _PORTS[scheme]) == (own_port or _PORTS[scheme])


def _split(netloc: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{netloc}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "", None
    if host is None or parts.netloc != netloc or "@" in netloc:
        return "", None
    return host, port


def host_of(request: Request) -> str:
    """Return the host name of a request, lower case and without a port; empty if it has none."""
    return _split(request.headers.get("host", ""))[0]


def is_loopback(host: str) -> bool:
    """Return whether a name or IP address is this machine's own, without a DNS lookup."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def client_address(request: Request, proxies: frozenset[str] = frozenset()) -> str:
    """Return the client's IP address, named by X-Forwarded-For if a trusted proxy sent it; empty if there is none."""
    peer = _address(request.client.host if request.client else "")
    if peer not in proxies:
        return peer
    # A proxy may add a line of its own below one that the reader made up.
    return _address(",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()) or peer


def _address(text: str) -> str:
    try:
        return plain_address(text)
    except ValueError:
        return ""


def plain_address(text: str) -> str:
    """Return the normal spelling of an IP address; ValueError if it is none. An IPv4 address in IPv6 becomes IPv4."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """Return the network of an IPv6 address, whose owner has 2^64 addresses; any other address unchanged."""
    return str(ip_network((IPv6Address(address), NETWORK_BITS), strict=False)) if ":" in address else address


class RateLimiter:
    """Counts attempts by key in moving windows; of more than `MAX_KEYS` keys, the one idle for longest is forgotten.

    A limit is written as `30 per minute`; a key may have several parts.
    """

    def __init__(self) -> None:
        # The storage drops old attempts, but never a key.
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)

    def __len__(self) -> int:
        return len(self._storage.events)

    def hit(self, limit: str, *key: str) -> int:
        """Count an attempt and return 0; beyond the limit, count nothing and return the seconds to wait."""
        wait = 0 if self._windows.hit(parse(limit), *key) else self.wait(limit, *key)
        events, stored = self._storage.events, parse(limit).key_for(*key)
        with self._storage.locks[stored]:
            events[stored] = events.pop(stored, [])
        while len(events) > MAX_KEYS:
            self._forget(next(iter(events)))
        return wait

    def wait(self, limit: str, *key: str) -> int:
        """Return the seconds until the next attempt is allowed, rounded up; 0 if it is allowed now."""
        window = self._windows.get_window_stats(parse(limit), *key)
        return 0 if window.remaining > 0 else max(1, math.ceil(window.reset_time - time.time()))

    def refund(self, limit: str, *key: str) -> None:
        """Uncount the last attempt of a key."""
        stored = parse(limit).key_for(*key)
        with self._storage.locks[stored]:
            attempts = self._storage.events.get(stored, [])
            del attempts[:1]  # the newest is first
        if not attempts:
            self._forget(stored)

    def _forget(self, stored: str) -> None:
        # The lock keeps out the storage's own thread, which drops old attempts.
        with self._storage.locks[stored]:
            self._storage.events.pop(stored, None)
        self._storage.locks.pop(stored, None)
