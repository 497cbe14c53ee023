"""Where a request comes from: by which name the server was called, and by which site."""

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
    """Whether a name or an IP address is of the machine itself, and no name server is asked for it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_of(request: Request) -> str:
    """Return the name that the server was called by, lower case and without a port; blank if that cannot be told."""
    return _split(request.headers.get("host", ""))[0]


def check_host(request: Request, allowed: frozenset[str]) -> None:
    """Refuse names that are not the server's, which is how a page elsewhere reaches into this machine (DNS rebinding).

    Raises:
        HTTPException: 400.
    """
    host = host_of(request)
    if len(request.headers.getlist("host")) != 1 or not (is_loopback(host) or host in allowed):
        raise HTTPException(
            400, "This server is not called by that name. Start it with --allow-host NAME to add one."
        )


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends.

    Raises:
        HTTPException: 403.
    """
    sites = request.headers.getlist("sec-fetch-site")
    origins = request.headers.getlist("origin")
    if not (_OWN_SITES.issuperset(sites) and all(_is_own(request, origin) for origin in origins)):
        raise HTTPException(
            403, "That was sent from another site. Open the page here, and send it from there."
        )


def address_of(request: Request) -> str:
    """Return the IP address that a request came from; blank if there is none."""
    host = request.client.host if request.client else ""
    try:
        return plain_address(host)
    except ValueError:
        return ""


def plain_address(text: str) -> str:
    """Return an IP address in its one spelling; one of IPv4 within IPv6 as what it is.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _is_own(request: Request, origin: str) -> bool:
    scheme, _, rest = origin.partition("://")
    if scheme not in _PORTS:
        return False
    host, port = _split(rest)
    own_host, own_port = _split(request.headers["host"])
    # A proxy may speak HTTPS for the server, so that the browser's scheme decides what a missing port means.
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
