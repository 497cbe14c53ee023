"""Lists of tools: all of them, and those of each category.

A long list shows its latest entries on its first page, and all entries, oldest first, on numbered full pages: a new tool changes
only the first page and the last one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.report.json_ld import item_list
from panel.site import catalog
from panel.site.page import INDEX, PICTURE, Page, SiteFile, SitemapEntry, picture_file, versions_of
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary


class ToolList(NamedTuple):
    """A list of tools, in the order in which they were added, with pages of its own."""

    path: str
    title: str
    description: str
    tools: Sequence[ToolSummary]


def _all_tools(renderer: Renderer) -> Iterator[SiteFile]:
    about = "Every tool that the panel reviewed."
    yield from _list_pages(renderer, ToolList("tools/", "All tools", about, renderer.catalog.live))
    yield picture_file(renderer, "tools/", "All tools", about)


def _categories(renderer: Renderer) -> Iterator[SiteFile]:
    for one in renderer.catalog.categories:
        # Without the number of tools: it would change full pages whenever a tool is added.
        description = f"Every tool of the category {one.name} that the panel reviewed."
        yield from _list_pages(renderer, ToolList(one.path, one.name, description, one.tools))
        about = "What the panel would ship, and what it would skip."
        yield picture_file(renderer, one.path, one.name, about)


def _list_pages(renderer: Renderer, listing: ToolList) -> Iterator[SiteFile]:
    chunks = catalog.full_pages(listing.tools)
    first = catalog.latest(listing.tools)
    head = _head(renderer, listing, listing.path, listing.title, first)
    render = partial(
        renderer.page, "list.html.j2", head, listing=listing, tools=first, number=None, pages=len(chunks)
    )
    inputs = (versions_of(first), listing.title, len(chunks), listing.description)
    yield SiteFile(listing.path + INDEX, inputs, render)
    for number, tools in enumerate(chunks, start=1) if len(chunks) > 1 else ():
        last = number == len(chunks)
        path, title = f"{listing.path}{number}/", f"{listing.title}, page {number}"
        head = _head(renderer, listing, path, title, tools)
        render = partial(
            renderer.page, "list.html.j2", head, listing=listing, tools=tools, number=number, last=last
        )
        yield SiteFile(path + INDEX, (versions_of(tools), listing.title, last), render)


def _head(renderer: Renderer, listing: ToolList, path: str, title: str, tools: Sequence[ToolSummary]) -> Head:
    address = renderer.options.address
    home = (listing.title, listing.path)
    return Head(
        path=path,
        title=title,
        description=listing.description,
        trail=(home,) if path == listing.path else (home, (title, path)),
        kind="CollectionPage",
        data={"mainEntity": item_list({"name": tool.name, "url": address(tool.path)} for tool in tools)},
        picture=listing.path + PICTURE,
        caption=listing.title,
    )


def _all_tools_entry(renderer: Renderer) -> Iterator[SitemapEntry]:
    yield SitemapEntry("tools/", renderer.catalog.changed)


def _category_entries(renderer: Renderer) -> Iterator[SitemapEntry]:
    for one in renderer.catalog.categories:
        yield SitemapEntry(one.path, max(tool.changed for tool in one.tools).isoformat())


PAGES = (
    # Its folder is that of the tools' own pages, which reserve it.
    Page(
        order=20,
        reserves=frozenset(),
        files=_all_tools,
        sitemap=_all_tools_entry,
        menu=("tools/", "Tools"),
    ),
    Page(order=70, reserves=frozenset({"category"}), files=_categories, sitemap=_category_entries),
)
