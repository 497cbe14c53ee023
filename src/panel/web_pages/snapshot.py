"""A page as received, and the draft of a tool made from it."""

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
    """The bytes of a page, and what its server said about them.

    Attributes:
        body: without transport compression, otherwise unchanged.
        media_type: `text/html` or `text/plain`.
        charset: from the server's content type.
        url: after all redirects; None for a saved page, like `fetched_at` and `status`.
        fetched_at: time of receipt.
        status: HTTP status.
    """

    body: bytes
    media_type: str = HTML
    charset: str | None = None
    url: str | None = None
    fetched_at: datetime | None = None
    status: int | None = None

    @property
    def sha256(self) -> str:
        """Hexadecimal sha256 of the body."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class PageDraft:
    """The tool that a page describes.

    Attributes:
        tool: None if and only if there are problems.
        removed: a line for each hidden or shortened text that is not in the tool.
        problems: why the page gives no tool.
    """

    tool: Tool | None
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
