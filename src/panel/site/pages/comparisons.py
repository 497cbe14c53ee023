"""The list of the latest comparisons."""

from __future__ import annotations

from panel.site import catalog
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import Head, Renderer

PATH = "compare/"


def _files(renderer: Renderer) -> Files:
    pairs = renderer.catalog.latest_pairs(catalog.PAGE_SIZE)
    head = Head(
        path=PATH,
        title="Comparisons",
        description="The latest comparisons of two tools, critic by critic.",
        trail=(("Compare", PATH),),
        kind="CollectionPage",
        picture=PATH,
    )
    inputs = tuple(pair.version for pair in pairs)
    yield renderer.file("comparisons.html.j2", head, inputs, pairs=pairs)
    yield renderer.picture(PATH, "Comparisons", "Two tools side by side, critic by critic.")


def _sitemap(renderer: Renderer) -> Entries:
    yield PATH, renderer.catalog.changed


# The folder is reserved by the comparisons' own pages, which are below it.
PAGES = (Page(order=30, reserves=frozenset(), files=_files, sitemap=_sitemap, menu=(PATH, "Compare")),)
