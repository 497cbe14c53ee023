"""Web pages of tools, fetched or saved, and the tool files drafted from them. They need the extra `ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.tool_files.records import Record
    from panel.web_pages.snapshot import Snapshot

_MISSING = "pages are read with an extra that is not installed; run: pip install 'panel-review[ingest]'"


def read_page(snapshot: Snapshot, source: str | None = None) -> Record:
    """Return the tool of a page, for an editor to check; equal pages give equal tools.

    The notes of the record name the hidden and the shortened texts of the page. The source is the name of the page in
    messages, by default its address.

    Raises:
        SettingsError: the extra is not installed.
    """
    return _reader()(snapshot, source or snapshot.url or "page")


def require_extra() -> None:
    """Check that pages can be fetched and parsed.

    Raises:
        SettingsError: the extra is not installed.
    """
    _reader()


def _reader() -> Callable[[Snapshot, str], Record]:
    try:
        import protego  # noqa: F401, PLC0415 - part of the extra, for robots.txt

        from panel.web_pages.extract import extract_tool  # noqa: PLC0415 - its parsers are part of the extra
    except ImportError as error:
        raise SettingsError(_MISSING) from error
    return extract_tool
