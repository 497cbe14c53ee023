"""Rules of robots.txt (RFC 9309) for panel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.version import __version__

if TYPE_CHECKING:
    from protego import Protego

PRODUCT = "panel-review"
AGENT = f"{PRODUCT}/{__version__}"
MAX_ROBOTS_BYTES = 512_000
"""RFC 9309, section 2.5, requires 500 KiB at least; the rest is not read."""

_AGENT_LINE = re.compile(r"\s*user(?:-|\s+)?agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)


def parse_rules(text: str) -> Protego:
    """Return the rules of a robots.txt, in time and memory linear in its length.

    Protego stores each rule once per agent of its group: thousands of agents times thousands of rules would take minutes.
    So all agents but ours and `*` become one, which also restricts the match to the whole product name.
    """
    from protego import Protego  # noqa: PLC0415 - part of an extra

    return Protego.parse("\n".join(map(_merge_other_agents, text.splitlines())))


def _merge_other_agents(line: str) -> str:
    match = _AGENT_LINE.match(line)
    if not match:
        return line
    agent = match[1].partition("/")[0].strip().casefold()
    return f"User-agent: {agent if agent in {'*', PRODUCT} else 'another'}"
