"""The corrections log: corrections and retractions, by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.site.pages import Entries, Files, Page
from panel.site.renderer import Head, Renderer

if TYPE_CHECKING:
    from panel.site.tool_summary import Correction

PATH = "corrections/"


def _files(renderer: Renderer) -> Files:
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
        values = {"entries": entries, "year": year, "years": years, "live": live}
        yield renderer.file("corrections.html.j2", head, inputs, **values)


def _head(year: int | None) -> Head:
    path = f"{PATH}{year}/" if year else PATH
    return Head(
        path=path,
        title=f"Corrections of {year}" if year else "Corrections",
        description="What was corrected or retracted after it was published.",
        trail=(("Corrections", PATH), *([(str(year), path)] if year else [])),
    )


def _sitemap(_renderer: Renderer) -> Entries:
    yield PATH, None


PAGES = (Page(order=60, reserves=frozenset({"corrections"}), files=_files, sitemap=_sitemap),)
