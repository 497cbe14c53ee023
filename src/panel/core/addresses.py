"""Web and mail addresses in their normal form. Web addresses of hosts that are not public are refused, without resolving names.

A fetcher must also check every address that a name resolves to. Private networks are those of the IANA IPv4 and IPv6
Special-Purpose Address Registries (RFC 6890), listed here because `ipaddress.is_global` differs between releases of Python.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import AfterValidator

from panel.core.text import is_invisible

MAX_URL_CHARS = 2_000
MAX_HOST_CHARS = 253
MAX_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_MAIL_CHARS, MAX_MAIL_USER_CHARS = 254, 64
"""By RFC 5321, section 4.5.3.1, less the brackets."""

_LOCAL = frozenset(
    ["arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private"]
)
# Services that resolve to the address in the name, or to 127.0.0.1.
_OPEN_RESOLVERS = """
1u.ms backname.io lacolhost.com localho.st localtest.me lvh.me nip.io rbndr.us sslip.io traefik.me vcap.me xip.io
yoogle.com
"""
_RESOLVERS = tuple(f".{name}" for name in _OPEN_RESOLVERS.split())
# 168.63.129.16 is a public address that Azure uses for its metadata service.
_PRIVATE_IPV4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
"""
_PRIVATE = [IPv4Network(network) for network in _PRIVATE_IPV4.split()]
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Inside global unicast: protocol assignments with Teredo, documentation, 6to4, documentation.
_PRIVATE_6 = [IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_BRACKETED = re.compile(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\](:[0-9]*)?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH_CHARS = "/%:@!$&'()*+,;=~"
_MAIL_USER = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MAIL_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_UNREADABLE = "is not a web address that can be read; check its host"


def mail_address(text: str) -> str:
    """Return a mail address that cannot break out of a mail header, its host in ASCII and lower case.

    Raises:
        ValueError: the text is no mail address.
    """
    user, _, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        host = ""
    address = f"{user}@{host}"
    usable = _MAIL_USER.fullmatch(user) and _MAIL_HOST.fullmatch(host)
    if not usable or len(user) > MAX_MAIL_USER_CHARS or len(address) > MAX_MAIL_CHARS:
        raise ValueError("expected a mail address, such as kim@example.org")
    return address


MailAddress = Annotated[str, AfterValidator(mail_address)]


def safe_href(url: str | None) -> str | None:
    """Return the normalised address if a page may link to it, else None."""
    with suppress(ValueError):
        return public_address(url) if url else None
    return None


def public_address(url: str) -> str:
    """Return the normal form of a public web address.

    Scheme and host are in lower case, the host in its ASCII form (`xn--`), a default port is dropped, and characters outside
    ASCII are percent-encoded.

    Raises:
        ValueError: the address is not valid or not public; the message says why.
    """
    if len(url) > MAX_URL_CHARS:
        raise ValueError(f"{len(url)} characters, the limit is {MAX_URL_CHARS}")
    if "\\" in url:
        raise ValueError("must not hold a backslash")
    if any(char.isspace() or is_invisible(char) for char in url):
        raise ValueError("must not hold white space, control characters or invisible characters")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    if parts.scheme not in DEFAULT_PORTS or not url[len(parts.scheme) :].startswith("://"):
        raise ValueError("must start with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password (the part before @)")
    if {"[", "]"} & set(parts.netloc) and not _BRACKETED.fullmatch(parts.netloc):
        raise ValueError(_UNREADABLE)
    host = _public_host(parts.hostname or "")
    rest = [quote(part, safe=_PATH_CHARS + "?") for part in (parts.path, parts.query, parts.fragment)]
    return SplitResult(parts.scheme, host + _port_suffix(parts), *rest).geturl()


def _port_suffix(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"must have a port from 1 to {MAX_PORT}, or none")
    return "" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}"


def _public_host(host: str) -> str:
    if len(host) > MAX_HOST_CHARS:
        raise ValueError(f"must have a host of at most {MAX_HOST_CHARS} characters")
    if ":" in host:
        return _public_ipv6(host)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", host).lower())
    labels = folded.replace("。", ".").removesuffix(".").split(".")
    if labels == [""]:
        raise ValueError("must name a host, such as https://example.com")
    if _NUMBER.fullmatch(labels[-1]):
        return _public_ipv4(".".join(labels))
    labels = [_ascii_label(label) for label in labels]
    name = ".".join(labels)
    is_local = len(labels) == 1 or labels[-1] in _LOCAL or f".{name}".endswith(_RESOLVERS)
    quads = (".".join(labels[start : start + 4]) for start in range(len(labels) - 3))
    if is_local or any(_is_private(address) for quad in quads if (address := _ipv4(quad))):
        raise _private(name)
    return name


def _ascii_label(label: str) -> str:
    ascii_label = label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
    if not _LABEL.fullmatch(ascii_label) or any(char.isspace() or is_invisible(char) for char in label):
        raise ValueError("must have a host of letters, digits, hyphens and dots")
    return ascii_label


def _public_ipv4(text: str) -> str:
    address = _ipv4(text)
    if address is None:
        raise ValueError("must write an IPv4 address as four decimal numbers, such as 8.8.8.8")
    if _is_private(address):
        raise _private(text)
    return str(address)


def _public_ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    if address not in _GLOBAL_UNICAST or any(address in network for network in _PRIVATE_6):
        raise _private(text)
    return f"[{address}]"


def _ipv4(text: str) -> IPv4Address | None:
    with suppress(ValueError):
        return IPv4Address(text)
    return None


def _is_private(address: IPv4Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _private(host: str) -> ValueError:
    return ValueError(f"{host} is not open to the public; give the address of the tool's own page")
