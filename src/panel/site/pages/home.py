"""The home page: latest verdicts and comparisons, search, categories and critics."""

from __future__ import annotations

from panel.report.json_ld import item_list
from panel.report.wording import counted
from panel.site.catalog import latest, versions
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, PICTURE, Head, Renderer

SHOWN = 12
"""Tools and comparisons on the page."""


def _files(renderer: Renderer) -> Files:
    catalog, options = renderer.catalog, renderer.options
    total, categories = len(catalog.live), catalog.categories
    tools, pairs = latest(catalog.live, SHOWN), catalog.latest_pairs(SHOWN)
    items = item_list({"name": tool.name, "url": options.address(tool.path)} for tool in tools)
    head = Head(
        path="",
        title=options.name,
        description=f"{counted(total, 'tool')} reviewed by a panel of AI critics; an editor approved each review.",
        trail=((options.name, ""),),
        kind="CollectionPage",
        data={"mainEntity": items},
        picture="",
    )
    counts = tuple((one.slug, one.name, len(one.tools)) for one in categories)
    inputs = (versions(tools), tuple(pair.version for pair in pairs), counts, total)
    yield renderer.file("home.html.j2", head, inputs, tools=tools, pairs=pairs, categories=categories)
    about = "Which new tools should you ship with? AI critics judge them, and an editor approves."
    yield renderer.picture("", options.name, about)


def _sitemap(renderer: Renderer) -> Entries:
    yield "", renderer.catalog.changed


PAGES = (Page(order=10, reserves=frozenset({INDEX, PICTURE}), files=_files, sitemap=_sitemap),)
