"""HTTP connections to public addresses only (a guard against server-side request forgery, SSRF).

A host name is resolved once per request, all its addresses must be public, and the connection is made to one of these
addresses. So a name that resolves differently after the check (DNS rebinding) has no effect. Certificates are still
verified against the name.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv6Address, ip_address

import anyio
import httpx2

from panel.core.addresses import public_address

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host and port as text; raises OSError if there are none."""

MAX_ADDRESSES = 4


class PageError(Exception):
    """The reason why a page cannot be fetched; messages print it after the address."""


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host from the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(address: str) -> bool:
    """Return whether an IPv4 or IPv6 address is public, by `ipaddress` and by the networks in `panel.core.addresses`.

    Addresses that embed another one (mapped, NAT64, 6to4, Teredo) are not.
    """
    try:
        parsed = ip_address(address)
        public_address(f"http://[{parsed}]/" if isinstance(parsed, IPv6Address) else f"http://{parsed}/")
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


class GuardedTransport(httpx2.AsyncBaseTransport):
    """A transport that resolves host names itself, refuses addresses that are not public, and uses no proxy.

    Tests allow addresses that are not public.
    """

    def __init__(self, resolver: Resolver = system_resolver, allowed: Collection[str] = frozenset()) -> None:
        self._resolver = resolver
        self._allowed = allowed
        # Connections are not reused: one to the same address could have been made for another name.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address of its host that accepts a connection.

        Raises:
            PageError: the host cannot be found, or one of its addresses is not public.
            httpx2.TransportError: no address answers.
        """
        host = request.url.raw_host.decode("ascii")
        *others, last = await self._addresses(host, request.url.port or 0)
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_pinned(request, host, last))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolver(host, port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise PageError(f"the host {host} cannot be found; check its spelling")
        if not all(address in self._allowed or is_public(address) for address in addresses):
            raise PageError(f"the host {host} is not open to the public, and is not asked")
        return addresses[:MAX_ADDRESSES]


def _pinned(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # the host's name stays in them
        extensions={**request.extensions, "sni_hostname": host},
    )
