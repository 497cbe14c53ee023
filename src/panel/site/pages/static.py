"""Pages without reviews: a reader's bookmarks, which are kept in their browser alone, and the page for missing addresses."""

from __future__ import annotations

from panel.site.pages import Files, Page
from panel.site.renderer import NOT_FOUND, Head, Renderer


def _bookmarks(renderer: Renderer) -> Files:
    about = "The tools that you keep for later."
    head = Head("bookmarks/", "Bookmarks", about, kind="", noindex=True)
    yield renderer.file("bookmarks.html.j2", head, inputs=())


def _not_found(renderer: Renderer) -> Files:
    about = "There is no page at this address."
    head = Head(NOT_FOUND, "Page not found", about, kind="", noindex=True)
    yield renderer.file("not_found.html.j2", head, inputs=())


PAGES = (
    Page(order=100, reserves=frozenset({"bookmarks"}), files=_bookmarks),
    Page(order=110, reserves=frozenset({NOT_FOUND}), files=_not_found),
)
