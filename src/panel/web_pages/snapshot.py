"""A page as it was received, and the tool that is drafted from it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from panel.core.tool import Tool
    from panel.errors import Problem

HTML = "text/html"
PLAIN = "text/plain"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The bytes of a page.

    Attributes:
        body: as they were before any parsing, without compression.
        media_type: `text/html` or `text/plain`.
        charset: what the server says the encoding is, if it does.
        url: where it was, after all redirects; None for a saved page.
        fetched_at: when it was received; None for a saved page.
        status: of the answer that it came with; None for a saved page.
    """

    body: bytes
    media_type: str = HTML
    charset: str | None = None
    url: str | None = None
    fetched_at: datetime | None = None
    status: int | None = None

    @property
    def sha256(self) -> str:
        """The sha256 of the body in hexadecimal digits."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class PageDraft:
    """What a page says of a tool.

    Attributes:
        tool: None if and only if there are problems.
        removed: what a visitor of the page cannot see and was left out, and what was cut; one line each.
        problems: why the page gives no tool, by field.
    """

    tool: Tool | None
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
