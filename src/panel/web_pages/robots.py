"""Rules for robots (RFC 9309): whether a site lets panel fetch a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel import __version__
from panel.web_pages.ssrf_guard import PageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from protego import Protego

    Reader = Callable[[str], Awaitable[tuple[int, bytes]]]

PRODUCT = "panel-review"
AGENT = f"{PRODUCT}/{__version__}"
MAX_ROBOTS_BYTES = 512_000
"""RFC 9309, section 2.5, requires 500 KiB at least; the rest is not read."""

_AGENT_LINE = re.compile(r"\s*user[ -]?agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


class Robots:
    """The rules of the sites visited during one fetch; each robots.txt is read once.

    Args:
        read: returns the status and the body of an address, after redirects.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._rules: dict[str, Protego] = {}

    async def check(self, url: str) -> None:
        """Check that a page may be fetched.

        Raises:
            PageError: its site disallows it, or its robots.txt cannot be read.
        """
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            self._rules[site] = await self._read_rules(f"{site}/robots.txt")
        if not self._rules[site].can_fetch(url, PRODUCT):
            raise PageError(
                "its site asks robots to leave this page alone (robots.txt); save the page yourself"
            )

    async def _read_rules(self, url: str) -> Protego:
        status, body = await self._read(url)
        if status >= _SERVER_ERROR:
            raise PageError(f"its site's robots.txt cannot be read (status {status}); try again later")
        text = "" if status >= _CLIENT_ERROR else body.decode("utf-8-sig", "replace")
        return parse_rules(text)


def parse_rules(text: str) -> Protego:
    """Return the rules of a robots.txt, in time and memory linear in its length.

    Protego stores each rule once per agent of its group: thousands of agents times thousands of rules would take minutes.
    So all agents but ours and `*` become one. This also restricts the match to the whole product name.
    """
    from protego import Protego  # noqa: PLC0415 - part of an extra

    return Protego.parse("\n".join(map(_without_other_agents, text.splitlines())))


def _without_other_agents(line: str) -> str:
    match = _AGENT_LINE.match(line)
    if not match:
        return line
    agent = match[1].partition("/")[0].strip().casefold()
    return f"User-agent: {agent if agent in {'*', PRODUCT} else 'another'}"
