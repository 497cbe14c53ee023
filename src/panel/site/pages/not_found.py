"""The page for addresses that lead nowhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.site.page import Page, SiteFile
from panel.site.renderer import NOT_FOUND, Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.site.renderer import Renderer


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    head = Head(NOT_FOUND, "Page not found", "There is no page at this address.", kind="", noindex=True)
    yield SiteFile(NOT_FOUND, (), partial(renderer.page, "not_found.html.j2", head))


PAGES = (Page(order=110, reserves=frozenset({NOT_FOUND}), files=_files),)
