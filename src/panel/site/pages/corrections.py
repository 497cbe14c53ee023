"""The corrections log: corrections and retractions, by year."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from panel.site.page import INDEX, Page, SiteFile, SitemapEntry
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.site.renderer import Renderer
    from panel.site.tool_summary import Correction

PATH = "corrections/"


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    catalog = renderer.catalog
    live = {tool.slug for tool in catalog.live}
    log = [
        entry.model_copy(update={"slug": tool.slug})
        for tool in catalog.tools
        if tool.corrected
        for entry in catalog.record(tool).corrections
    ]
    by_year: dict[int, list[Correction]] = {}
    for entry in sorted(log, key=lambda one: (one.at, one.slug), reverse=True):
        by_year.setdefault(entry.at.year, []).append(entry)
    years = tuple(by_year)
    for year in (None, *years):
        entries = by_year[year or years[0]] if years else []
        head = _head(year)
        inputs = (tuple(entries), years, tuple(entry.slug in live for entry in entries))
        render = partial(
            renderer.page, "corrections.html.j2", head, entries=entries, year=year, years=years, live=live
        )
        yield SiteFile(head.path + INDEX, inputs, render)


def _head(year: int | None) -> Head:
    path = f"{PATH}{year}/" if year else PATH
    return Head(
        path=path,
        title=f"Corrections of {year}" if year else "Corrections",
        description="What was corrected or retracted after it was published.",
        trail=(("Corrections", PATH), *([(str(year), path)] if year else [])),
    )


def _sitemap(_renderer: Renderer) -> Iterator[SitemapEntry]:
    yield SitemapEntry(PATH, None)


PAGES = (Page(order=60, reserves=frozenset({"corrections"}), files=_files, sitemap=_sitemap),)
