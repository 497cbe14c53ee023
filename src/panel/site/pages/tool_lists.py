"""Lists of tools: all of them, and those of each category.

A long list shows its latest entries on its first page, and all entries, oldest first, on numbered full pages: a new tool changes
only the first page and the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.report.json_ld import item_list
from panel.site.catalog import full_pages, latest, versions
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import Head, Renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.site.tool_summary import ToolSummary

TEMPLATE = "list.html.j2"


class ToolList(NamedTuple):
    """A list of tools, in the order in which they were added, with pages of its own."""

    path: str
    title: str
    description: str
    tools: Sequence[ToolSummary]


def _all_tools(renderer: Renderer) -> Files:
    about = "Every tool that the panel reviewed."
    yield from _list_files(renderer, ToolList("tools/", "All tools", about, renderer.catalog.live))
    yield renderer.picture("tools/", "All tools", about)


def _categories(renderer: Renderer) -> Files:
    for one in renderer.catalog.categories:
        # Without the number of tools: it would change full pages whenever a tool is added.
        description = f"Every tool of the category {one.name} that the panel reviewed."
        yield from _list_files(renderer, ToolList(one.path, one.name, description, one.tools))
        yield renderer.picture(one.path, one.name, "What the panel would ship, and what it would skip.")


def _list_files(renderer: Renderer, listing: ToolList) -> Files:
    pages = full_pages(listing.tools)
    first, count = latest(listing.tools), len(pages)
    home = (listing.title, listing.path)
    head = _head(renderer, listing, (home,), first)
    inputs = (versions(first), listing.title, count, listing.description)
    yield renderer.file(TEMPLATE, head, inputs, listing=listing, tools=first, number=None, pages=count)
    for number, tools in enumerate(pages, start=1) if count > 1 else ():
        last = number == count
        trail = (home, (f"{listing.title}, page {number}", f"{listing.path}{number}/"))
        head = _head(renderer, listing, trail, tools)
        shown = {"tools": tools, "number": number, "last": last}
        yield renderer.file(TEMPLATE, head, (versions(tools), listing.title, last), listing=listing, **shown)


def _head(
    renderer: Renderer,
    listing: ToolList,
    trail: tuple[tuple[str, str], ...],
    tools: Sequence[ToolSummary],
) -> Head:
    title, path = trail[-1]
    items = item_list({"name": tool.name, "url": renderer.options.address(tool.path)} for tool in tools)
    return Head(
        path=path,
        title=title,
        description=listing.description,
        trail=trail,
        kind="CollectionPage",
        data={"mainEntity": items},
        picture=listing.path,
        caption=listing.title,
    )


def _all_tools_entry(renderer: Renderer) -> Entries:
    yield "tools/", renderer.catalog.changed


def _category_entries(renderer: Renderer) -> Entries:
    for one in renderer.catalog.categories:
        yield one.path, max(tool.changed for tool in one.tools).isoformat()


# The folder of all tools is reserved by their own pages, which are below it.
ALL_TOOLS = Page(20, frozenset(), _all_tools, _all_tools_entry, menu=("tools/", "Tools"))
CATEGORIES = Page(70, frozenset({"category"}), _categories, _category_entries)
PAGES = (ALL_TOOLS, CATEGORIES)
