"""What the public pages work with."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from panel.web.origins import address_of, plain_address
from panel.web.public.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from panel.store import Store

HOME_PREFIX = 64
"""Bits of an IPv6 address that name a network (RFC 4291, section 2.5.4); the rest is its own to change."""


@dataclass(frozen=True, slots=True)
class PublicServices:
    """What the public pages work with.

    Attributes:
        store: where votes are.
        site: the folder that `panel site build` made.
        secret: what cookies and hashes are derived from, 32 bytes.
        hosts: names that browsers may call the server by, beside those of loopback; lower case, without ports.
        proxies: IP addresses of proxies that name the address they answer for in X-Forwarded-For.
        voting: whether readers may vote.
        shown_from: votes from which a tool's are split into ship and skip.
        limits: how often readers may do something.
    """

    store: Store
    site: Path
    secret: bytes = field(repr=False)
    hosts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    voting: bool = True
    shown_from: int = 5
    limits: Limits = field(default_factory=Limits)

    def address(self, request: Request) -> str:
        """Return a keyed hash of the address that a request came from; the key changes daily, so that it leads nowhere later."""
        today = f"{datetime.now(UTC):%Y-%m-%d}".encode()
        key = hmac.new(self.secret, b"addresses of " + today, hashlib.sha256).digest()
        return hmac.new(key, home_of(self._address(request)).encode(), hashlib.sha256).hexdigest()

    def _address(self, request: Request) -> str:
        own = address_of(request)
        named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if own not in self.proxies or not named:
            return own
        try:
            return plain_address(named)
        except ValueError:
            return own


def home_of(address: str) -> str:
    """Return what stands for one home: an IPv4 address, or the network of an IPv6 one, which has 2^64 addresses to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return (
        str(ip_network((parsed, HOME_PREFIX), strict=False)) if isinstance(parsed, IPv6Address) else address
    )
