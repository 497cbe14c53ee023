"""Pages as received."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

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
