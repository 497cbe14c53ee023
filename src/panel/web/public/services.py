"""Services of the public server: the store, its settings, rate limits, and readers' addresses as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from panel.web.origins import address_of, plain_address
from panel.web.rate_limits import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from panel.store import Store

NETWORK_BITS = 64
"""Bits of an IPv6 address that name a network (RFC 4291, section 2.5.4); its owner chooses the rest."""


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
        return self.hasher.hash(network_of(self._address(request)))

    def _address(self, request: Request) -> str:
        peer = address_of(request)
        # A proxy may add a line of its own below one that the reader made up.
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        if peer not in self.proxies or not forwarded:
            return peer
        try:
            return plain_address(forwarded)
        except ValueError:
            return peer


def network_of(address: str) -> str:
    """Return the network of an IPv6 address, whose owner has 2^64 addresses; any other address as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, NETWORK_BITS), strict=False))
    return address
