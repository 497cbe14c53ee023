"""The methodology page: rules, scales, prompts and models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP
from panel.core.tally import MIN_TAKES
from panel.site.page import INDEX, PICTURE, Page, SiteFile, SitemapEntry, picture_file
from panel.site.renderer import Head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from panel.site.renderer import Renderer

PATH, TITLE = "methodology/", "How the panel works"


class Version(NamedTuple):
    """Models and prompts (by digest), with the number of published reviews made with them and the first and last day."""

    models: tuple[str, ...]
    prompts: str
    reviews: int
    first: date
    last: date


def _files(renderer: Renderer) -> Iterator[SiteFile]:
    versions = _versions(renderer)
    head = Head(
        path=PATH,
        title=TITLE,
        description="The rules, the critics, the prompts and the models: what AI did, and what people did.",
        trail=((TITLE, PATH),),
        picture=PATH + PICTURE,
        caption=TITLE,
    )
    render = partial(
        renderer.page,
        "methodology.html.j2",
        head,
        versions=versions,
        min_takes=MIN_TAKES,
        lowest_ship=LOWEST_SHIP,
        highest_skip=HIGHEST_SKIP,
    )
    yield SiteFile(PATH + INDEX, versions, render)
    yield picture_file(renderer, PATH, TITLE, "What AI did, what people did, and by which rules.")


def _versions(renderer: Renderer) -> tuple[Version, ...]:
    """Return the models and prompts of published reviews, the latest first."""
    days: dict[tuple[tuple[str, ...], str], list[date]] = {}
    for tool in renderer.catalog.live:
        days.setdefault((tool.models, tool.prompts), []).append(tool.reviewed_on)
    versions = [
        Version(models, prompts, len(each), min(each), max(each)) for (models, prompts), each in days.items()
    ]
    return tuple(sorted(versions, key=lambda one: (one.last, one.models, one.prompts), reverse=True))


def _sitemap(_renderer: Renderer) -> Iterator[SitemapEntry]:
    yield SitemapEntry(PATH, None)


PAGES = (
    Page(
        order=50,
        reserves=frozenset({"methodology"}),
        files=_files,
        sitemap=_sitemap,
        menu=(PATH, "Methodology"),
    ),
)
