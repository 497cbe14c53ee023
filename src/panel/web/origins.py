"""Host and origin checks of a request, and the client's IP address."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

_PORTS = {"http": 80, "https": 443}
_OWN_SITES = {"same-origin", "none"}


def is_loopback(host: str) -> bool:
    """Return whether a name or IP address is this machine's own, without a DNS lookup."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_of(request: Request) -> str:
    """Return the host name of a request, lower case and without a port; empty if it has none."""
    return _split(request.headers.get("host", ""))[0]


def check_host(request: Request, allowed: frozenset[str]) -> None:
    """Refuse host names that are not the server's, so that DNS rebinding does not reach it.

    Raises:
        HTTPException: 400.
    """
    host = host_of(request)
    if len(request.headers.getlist("host")) != 1 or not (is_loopback(host) or host in allowed):
        raise HTTPException(
            400, "The server does not answer to this host name. Start it with --allow-host NAME to add one."
        )


def check_origin(request: Request) -> None:
    """Refuse requests that another site's page sends.

    Raises:
        HTTPException: 403.
    """
    sites = request.headers.getlist("sec-fetch-site")
    origins = request.headers.getlist("origin")
    if not (_OWN_SITES.issuperset(sites) and all(_is_own(request, origin) for origin in origins)):
        raise HTTPException(
            403, "This was sent from another site. Open the page here and send the form from there."
        )


def address_of(request: Request) -> str:
    """Return the client's IP address; empty if there is none."""
    try:
        return plain_address(request.client.host if request.client else "")
    except ValueError:
        return ""


def plain_address(text: str) -> str:
    """Return the normal spelling of an IP address; ValueError if it is none. An IPv4 address in IPv6 becomes IPv4."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


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
