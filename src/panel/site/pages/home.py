"""The home page: latest verdicts and comparisons, search, categories and critics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.report.json_ld import item_list
from panel.report.wording import counted
from panel.site.catalog import latest
from panel.site.page import INDEX, PICTURE, Page, SiteFile, SitemapEntry, picture_file, versions_of
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.site.renderer import Renderer

SHOWN = 12
"""Tools and comparisons on the page."""


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    catalog, options = renderer.catalog, renderer.options
    total = len(catalog.live)
    tools, pairs = latest(catalog.live, SHOWN), catalog.latest_pairs(SHOWN)
    head = Head(
        path="",
        title=options.name,
        description=f"{counted(total, 'tool')} reviewed by a panel of AI critics; an editor approved each review.",
        trail=((options.name, ""),),
        kind="CollectionPage",
        data={
            "mainEntity": item_list({"name": tool.name, "url": options.address(tool.path)} for tool in tools)
        },
        picture=PICTURE,
        caption=options.name,
    )
    inputs = (
        versions_of(tools),
        tuple((pair.slug, *versions_of(pair)) for pair in pairs),
        tuple((one.slug, one.name, len(one.tools)) for one in catalog.categories),
        total,
    )
    render = partial(
        renderer.page, "home.html.j2", head, tools=tools, pairs=pairs, categories=catalog.categories
    )
    yield SiteFile(INDEX, inputs, render)
    about = "Which new tools should you ship with? AI critics judge them, and an editor approves."
    yield picture_file(renderer, "", options.name, about)


def _sitemap(renderer: Renderer) -> Iterator[SitemapEntry]:
    yield SitemapEntry("", renderer.catalog.changed)


PAGES = (Page(order=10, reserves=frozenset({INDEX, PICTURE}), files=_files, sitemap=_sitemap),)
