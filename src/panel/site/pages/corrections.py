"""The corrections log: corrections and retractions, by year."""

from __future__ import annotations

from itertools import groupby
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
    log.sort(key=lambda one: (one.at, one.slug), reverse=True)
    by_year = {year: list(entries) for year, entries in groupby(log, key=lambda one: one.at.year)}
    years = tuple(by_year)
    latest: list[Correction] = by_year[years[0]] if years else []
    about = "What was corrected or retracted after it was published."
    heads = {None: Head(PATH, "Corrections", about)}
    for year in years:
        title, parents = f"Corrections of {year}", (("Corrections", PATH),)
        heads[year] = Head(f"{PATH}{year}/", title, about, parents, crumb=str(year))
    for year, head in heads.items():
        entries = by_year.get(year, latest)
        inputs = (tuple(entries), years, tuple(entry.slug in live for entry in entries))
        values = {"entries": entries, "year": year, "years": years, "live": live}
        yield renderer.file("corrections.html.j2", head, inputs, **values)


def _sitemap(_renderer: Renderer) -> Entries:
    yield PATH, None


PAGES = (Page(order=60, reserves=frozenset({"corrections"}), files=_files, sitemap=_sitemap),)
