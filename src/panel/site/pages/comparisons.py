"""The list of the latest comparisons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.site import catalog
from panel.site.page import INDEX, PICTURE, Page, SiteFile, SitemapEntry, picture_file, versions_of
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.site.renderer import Renderer

PATH = "compare/"


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    pairs = renderer.catalog.latest_pairs(catalog.PAGE_SIZE)
    head = Head(
        path=PATH,
        title="Comparisons",
        description="The latest comparisons of two tools, critic by critic.",
        trail=(("Compare", PATH),),
        kind="CollectionPage",
        picture=PATH + PICTURE,
        caption="Comparisons",
    )
    inputs = tuple((pair.slug, *versions_of(pair)) for pair in pairs)
    yield SiteFile(PATH + INDEX, inputs, partial(renderer.page, "comparisons.html.j2", head, pairs=pairs))
    yield picture_file(renderer, PATH, "Comparisons", "Two tools side by side, critic by critic.")


def _sitemap(renderer: Renderer) -> Iterator[SitemapEntry]:
    yield SitemapEntry(PATH, renderer.catalog.changed)


PAGES = (
    # Its folder is that of the comparisons' own pages, which reserve it.
    Page(order=30, reserves=frozenset(), files=_files, sitemap=_sitemap, menu=(PATH, "Compare")),
)
