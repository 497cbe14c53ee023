"""Pages about the site: methodology, the corrections log, a reader's bookmarks, and the page for missing addresses."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP
from panel.core.tally import MIN_TAKES
from panel.site.pages import Files, Page
from panel.site.renderer import NOT_FOUND, Head, Renderer

if TYPE_CHECKING:
    from datetime import date

    from panel.site.tool_summary import Correction

METHODOLOGY, CORRECTIONS = "methodology/", "corrections/"


class Version(NamedTuple):
    """Models and prompts (by digest), with the number of published reviews made with them and the first and last day."""

    models: tuple[str, ...]
    prompts: str
    reviews: int
    first: date
    last: date


def _methodology(renderer: Renderer) -> Files:
    days: dict[tuple[tuple[str, ...], str], list[date]] = {}
    for tool in renderer.catalog.live:
        days.setdefault((tool.models, tool.prompts), []).append(tool.reviewed_on)
    versions = [Version(*made_with, len(each), min(each), max(each)) for made_with, each in days.items()]
    versions.sort(key=lambda one: (one.last, one.models, one.prompts), reverse=True)
    description = "The rules, the critics, the prompts and the models: what AI did, and what people did."
    head = Head(METHODOLOGY, "How the panel works", description)
    about = "What AI did, what people did, and by which rules."
    limits = {"min_takes": MIN_TAKES, "lowest_ship": LOWEST_SHIP, "highest_skip": HIGHEST_SKIP}
    inputs = tuple(versions)
    yield from renderer.files("methodology.html.j2", head, inputs, about, versions=inputs, **limits)


def _corrections(renderer: Renderer) -> Files:
    """Yield the log of the latest year at its main address, and the log of each year at its own."""
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
    heads = {None: Head(CORRECTIONS, "Corrections", about)}
    for year in years:
        path, title, parents = (
            f"{CORRECTIONS}{year}/",
            f"Corrections of {year}",
            (("Corrections", CORRECTIONS),),
        )
        heads[year] = Head(path, title, about, parents, crumb=str(year))
    for year, head in heads.items():
        entries = by_year.get(year, latest)
        inputs = (tuple(entries), years, tuple(entry.slug in live for entry in entries))
        values = {"entries": entries, "year": year, "years": years, "live": live}
        yield renderer.file("corrections.html.j2", head, inputs, **values)


def _bookmarks(renderer: Renderer) -> Files:
    about = "The tools that you keep for later."
    head = Head("bookmarks/", "Bookmarks", about, kind="", noindex=True)
    yield renderer.file("bookmarks.html.j2", head, inputs=())


def _not_found(renderer: Renderer) -> Files:
    about = "There is no page at this address."
    head = Head(NOT_FOUND, "Page not found", about, kind="", noindex=True)
    yield renderer.file("not_found.html.j2", head, inputs=())


PAGES = (
    Page(
        50,
        frozenset({"methodology"}),
        _methodology,
        lambda _: [(METHODOLOGY, None)],
        (METHODOLOGY, "Methodology"),
    ),
    Page(60, frozenset({"corrections"}), _corrections, lambda _: [(CORRECTIONS, None)]),
    Page(100, frozenset({"bookmarks"}), _bookmarks),
    Page(110, frozenset({NOT_FOUND}), _not_found),
)
