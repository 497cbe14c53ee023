"""Web pages of tools, fetched or saved, and the tool files drafted from them. They need the extra `ingest`."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from datetime import datetime

    from panel.tool_files.records import Record

HTML = "text/html"
PLAIN = "text/plain"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The bytes of a page without transport compression, and what its server said about them.

    The charset is from the server's content type, the address the one after all redirects. A saved page has neither address
    nor time of receipt nor HTTP status.
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


def read_page(snapshot: Snapshot, source: str | None = None) -> Record:
    """Return the tool of a page, for an editor to check; equal pages give equal tools.

    The notes of the record name the hidden and the shortened texts of the page. The source is the name of the page in
    messages, by default its address.
    """
    require_extra()
    from panel.web_pages.extract import extract_tool  # noqa: PLC0415 - its parsers are part of the extra

    return extract_tool(snapshot, source or snapshot.url or "page")


def require_extra() -> None:
    """Raise SettingsError if the extra that fetches and parses pages is not installed."""
    try:
        import protego  # noqa: F401, PLC0415 - for robots.txt

        import panel.web_pages.extract  # noqa: F401, PLC0415 - its parsers are part of the extra
    except ImportError as error:
        message = (
            "pages are read with an extra that is not installed; run: pip install 'panel-review[ingest]'"
        )
        raise SettingsError(message) from error
