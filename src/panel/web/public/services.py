"""What the public pages work with."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from panel.web.origins import address_of, plain_address
from panel.web.public.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from panel.store import Store

HOME_PREFIX = 64
"""Bits of an IPv6 address that name a network (RFC 4291, section 2.5.4); the rest is its own to change."""


class Addresses:
    """Makes hashes of addresses with a key of the day, which is kept nowhere: no hash leads back to an address.

    Args:
        today: tells the day.
    """

    def __init__(self, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._today = today
        self._key = (today(), secrets.token_bytes())

    def hashed(self, address: str) -> str:
        """Return the hash of an address; the next day it has another one."""
        if self._key[0] != self._today():
            self._key = (self._today(), secrets.token_bytes())
        return hmac.new(self._key[1], address.encode(), hashlib.sha256).hexdigest()


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
        addresses: makes hashes of addresses.
    """

    store: Store
    site: Path
    secret: bytes = field(repr=False)
    hosts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    voting: bool = True
    shown_from: int = 5
    limits: Limits = field(default_factory=Limits)
    addresses: Addresses = field(default_factory=Addresses, repr=False)

    def address(self, request: Request) -> str:
        """Return a keyed hash of the home that a request came from."""
        return self.addresses.hashed(home_of(self._address(request)))

    def _address(self, request: Request) -> str:
        own = address_of(request)
        # A proxy may add a line of its own below one that the reader made up.
        named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
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
