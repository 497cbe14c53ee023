"""The page of a reader's bookmarks, which are kept in their browser alone."""

from __future__ import annotations

from panel.site.pages import Files, Page
from panel.site.renderer import Head, Renderer

PATH, TITLE = "bookmarks/", "Bookmarks"


def _files(renderer: Renderer) -> Files:
    head = Head(PATH, TITLE, "The tools that you keep for later.", ((TITLE, PATH),), kind="", noindex=True)
    yield renderer.file("bookmarks.html.j2", head, inputs=())


PAGES = (Page(order=100, reserves=frozenset({"bookmarks"}), files=_files),)
