"""Web pages of tools, fetched or saved, and the tool files drafted from them. Parsing them needs the extra `ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.web_pages.snapshot import PageDraft, Snapshot

_MISSING_EXTRA = "pages are read with an extra that is not installed; run: pip install 'panel-review[ingest]'"


def draft_from_page(snapshot: Snapshot, source: str | None = None) -> PageDraft:
    """Return the draft of a tool from a page, for an editor to check; equal pages give equal drafts.

    Args:
        snapshot: the page.
        source: name of the page in messages; by default its address.

    Raises:
        SettingsError: the extra is not installed.
    """
    return _extractor()(snapshot, source or snapshot.url or "page")


def require_parsers() -> None:
    """Check that pages can be parsed.

    Raises:
        SettingsError: the extra is not installed.
    """
    _extractor()


def _extractor() -> Callable[[Snapshot, str], PageDraft]:
    try:
        from panel.web_pages.extract import extract_draft  # noqa: PLC0415 - its parsers are an extra
    except ImportError as error:
        raise SettingsError(_MISSING_EXTRA) from error
    return extract_draft
