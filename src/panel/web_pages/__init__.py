"""Pages of tools, fetched or saved, as drafts of tools. What parses them is the extra `ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.web_pages.snapshot import PageDraft, Snapshot

_ABSENT = "pages are read with an extra that is not installed; run: pip install 'panel-review[ingest]'"


def page_to_tool(snapshot: Snapshot, source: str | None = None) -> PageDraft:
    """Return what a page says of a tool, for an editor to check; the same page always gives the same draft.

    Args:
        snapshot: the page.
        source: what messages call it; by default its address.

    Raises:
        SettingsError: if the extra is not installed.
    """
    return _reader()(snapshot, source or snapshot.url or "page")


def check_installed() -> None:
    """Return if pages can be read.

    Raises:
        SettingsError: if the extra is not installed.
    """
    _reader()


def _reader() -> Callable[[Snapshot, str], PageDraft]:
    try:
        from panel.web_pages.draft import draft_of  # noqa: PLC0415 - its parsers are an extra
    except ImportError as error:
        raise SettingsError(_ABSENT) from error
    return draft_of
