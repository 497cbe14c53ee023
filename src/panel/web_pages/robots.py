"""What sites ask robots to leave alone (RFC 9309): under which agent's name panel asks, and whether it may."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from panel import __version__
from panel.web_pages.ssrf_guard import PageFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Reader = Callable[[str], Awaitable[tuple[int, bytes]]]

AGENT = f"panel-review/{__version__}"
MAX_ROBOTS_BYTES = 512_000
"""RFC 9309, section 2.5, asks for 500 KiB at least; what follows is not read."""

_CLIENT_ERROR = 400
_SERVER_ERROR = 500


class Robots:
    """The rules of the sites that are asked during one fetch, each read once.

    Args:
        read: gives the status and the body of an address, after redirects.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._rules: dict[str, RobotFileParser] = {}

    async def check(self, url: str) -> None:
        """Return if a page may be fetched.

        Raises:
            PageFault: if its site asks robots not to, or its rules cannot be read.
        """
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            self._rules[site] = await self._read_rules(f"{site}/robots.txt")
        if not self._rules[site].can_fetch(AGENT, url):
            raise PageFault(
                "its site asks robots to leave this page alone (robots.txt); save the page yourself"
            )

    async def _read_rules(self, url: str) -> RobotFileParser:
        status, body = await self._read(url)
        rules = RobotFileParser(url)
        if _CLIENT_ERROR <= status < _SERVER_ERROR:
            rules.parse([])
        elif status < _CLIENT_ERROR:
            rules.parse(body.decode("utf-8-sig", "replace").splitlines())
        else:
            raise PageFault(f"its site's robots.txt cannot be read (status {status}); try again later")
        return rules
