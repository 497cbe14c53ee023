"""The page of each tool: its review, or the notice of its retraction; former addresses redirect to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.core.comparison import Comparison
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, Renderer, SiteFile
from panel.site.review_page import Reviews, redirect_file, render_reviews, retraction_file, score_picture

if TYPE_CHECKING:
    from panel.site.catalog import Pair
    from panel.site.tool_summary import ToolSummary


def _files(renderer: Renderer) -> Files:
    catalog = renderer.catalog
    taken = {tool.slug for tool in catalog.tools}
    for tool in catalog.tools:
        for slug in set(tool.former_slugs) - taken:
            yield redirect_file(renderer, f"tools/{slug}/", tool.path, tool.name)
        if tool.retracted:
            yield retraction_file(renderer, tool.path, tool.name, (tool,))
            continue
        pairs = catalog.pairs_of(tool)
        links = tuple((pair.slug, pair.title, pair.other(tool).verdict_line) for pair in pairs)
        inputs = (tool.digest, renderer.community(tool.slug), links)
        yield SiteFile(tool.path + INDEX, inputs, partial(_page, renderer, tool, pairs))
        yield score_picture(renderer, tool.path, "AI tool review", (tool,), tool.tagline)


async def _page(renderer: Renderer, tool: ToolSummary, pairs: list[Pair]) -> bytes:
    publication = await renderer.catalog.publication(tool)
    reviews = Reviews(Comparison.of_one(publication.shown.review), (tool,), (publication,))
    return render_reviews(renderer, "tool.html.j2", tool.path, reviews, pairs=pairs)


def _sitemap(renderer: Renderer) -> Entries:
    for tool in renderer.catalog.live:
        yield tool.path, tool.changed.isoformat()


PAGES = (Page(order=80, reserves=frozenset({"tools"}), files=_files, sitemap=_sitemap),)
