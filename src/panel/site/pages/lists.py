"""Lists: the home page, all tools, the tools of each category, and comparisons.

A long list of tools shows its latest entries on its first page, and all entries, oldest first, on numbered full pages: a new tool
changes only the first page and the last one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.text import counted
from panel.report.json_ld import item_list
from panel.site import catalog
from panel.site.catalog import full_pages, latest, versions
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, PICTURE, Head, Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from panel.site.tool_summary import ToolSummary

ON_HOME_PAGE = 12
"""Tools and comparisons on the home page."""


class ToolList(NamedTuple):
    """A list of tools, in the order in which they were added; `about` is the sentence on its preview picture."""

    path: str
    title: str
    description: str
    about: str
    tools: Sequence[ToolSummary]


def _home(renderer: Renderer) -> Files:
    site, total = renderer.catalog, len(renderer.catalog.live)
    tools, pairs = latest(site.live, ON_HOME_PAGE), site.latest_pairs(ON_HOME_PAGE)
    about = f"{counted(total, 'tool')} reviewed by a panel of AI critics; an editor approved each review."
    head = Head("", renderer.options.name, about, kind="CollectionPage", data=_items(renderer, tools))
    counts = tuple((one.slug, one.name, len(one.tools)) for one in site.categories)
    inputs = (versions(tools), tuple(pair.version for pair in pairs), counts, total)
    question = "Which new tools should you ship with? AI critics judge them, and an editor approves."
    shown = {"tools": tools, "pairs": pairs, "categories": site.categories}
    yield from renderer.files("home.html.j2", head, inputs, question, **shown)


def _all_tools(renderer: Renderer) -> Files:
    about = "Every tool that the panel reviewed."
    yield from _tool_list(renderer, ToolList("tools/", "All tools", about, about, renderer.catalog.live))


def _categories(renderer: Renderer) -> Files:
    for one in renderer.catalog.categories:
        # Without the number of tools: it would change full pages whenever a tool is added.
        description = f"Every tool of the category {one.name} that the panel reviewed."
        about = "What the panel would ship, and what it would skip."
        yield from _tool_list(renderer, ToolList(one.path, one.name, description, about, one.tools))


def _tool_list(renderer: Renderer, listing: ToolList) -> Files:
    pages, first, title = full_pages(listing.tools), latest(listing.tools), listing.title
    data = _items(renderer, first)
    head = Head(listing.path, title, listing.description, kind="CollectionPage", data=data)
    shown: dict[str, Any] = {"listing": listing, "tools": first, "number": None, "pages": len(pages)}
    inputs = (versions(first), title, len(pages), listing.description)
    yield from renderer.files("list.html.j2", head, inputs, listing.about, **shown)
    for number, tools in enumerate(pages, start=1) if len(pages) > 1 else ():
        own_head = replace(head.numbered(number), data=_items(renderer, tools))
        last = number == len(pages)
        shown = {"listing": listing, "tools": tools, "number": number, "last": last}
        yield renderer.file("list.html.j2", own_head, (versions(tools), title, last), **shown)


def _comparisons(renderer: Renderer) -> Files:
    pairs = renderer.catalog.latest_pairs(catalog.PAGE_SIZE)
    about = "The latest comparisons of two tools, critic by critic."
    head = Head("compare/", "Comparisons", about, crumb="Compare", kind="CollectionPage")
    inputs = tuple(pair.version for pair in pairs)
    about = "Two tools side by side, critic by critic."
    yield from renderer.files("comparisons.html.j2", head, inputs, about, pairs=pairs)


def _items(renderer: Renderer, tools: Iterable[ToolSummary]) -> dict[str, Any]:
    address = renderer.options.address
    return {"mainEntity": item_list({"name": tool.name, "url": address(tool.path)} for tool in tools)}


def _category_entries(renderer: Renderer) -> Entries:
    for one in renderer.catalog.categories:
        yield one.path, max(tool.changed for tool in one.tools).isoformat()


def _entry_of(path: str) -> Callable[[Renderer], Entries]:
    return lambda renderer: [(path, renderer.catalog.changed)]


# The folders tools and compare are reserved by the pages of reviews, which are below them.
PAGES = (
    Page(10, frozenset({INDEX, PICTURE}), _home, _entry_of("")),
    Page(20, frozenset(), _all_tools, _entry_of("tools/"), menu=("tools/", "Tools")),
    Page(30, frozenset(), _comparisons, _entry_of("compare/"), menu=("compare/", "Compare")),
    Page(70, frozenset({"category"}), _categories, _category_entries),
)
