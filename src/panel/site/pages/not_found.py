"""The page for addresses that lead nowhere."""

from __future__ import annotations

from panel.site.pages import Files, Page
from panel.site.renderer import NOT_FOUND, Head, Renderer


def _files(renderer: Renderer) -> Files:
    head = Head(NOT_FOUND, "Page not found", "There is no page at this address.", kind="", noindex=True)
    yield renderer.file("not_found.html.j2", head, inputs=())


PAGES = (Page(order=110, reserves=frozenset({NOT_FOUND}), files=_files),)
