"""The page of a reader's bookmarks, which are kept in their browser alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.site.page import INDEX, Page, SiteFile
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.site.renderer import Renderer

PATH, TITLE = "bookmarks/", "Bookmarks"


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    head = Head(PATH, TITLE, "The tools that you keep for later.", ((TITLE, PATH),), kind="", noindex=True)
    yield SiteFile(PATH + INDEX, (), partial(renderer.page, "bookmarks.html.j2", head))


PAGES = (Page(order=100, reserves=frozenset({"bookmarks"}), files=_files),)
