"""The methodology page: rules, scales, prompts and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP
from panel.core.tally import MIN_TAKES
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import Head, Renderer

if TYPE_CHECKING:
    from datetime import date

PATH = "methodology/"


class Version(NamedTuple):
    """Models and prompts (by digest), with the number of published reviews made with them and the first and last day."""

    models: tuple[str, ...]
    prompts: str
    reviews: int
    first: date
    last: date


def _files(renderer: Renderer) -> Files:
    versions = _versions(renderer)
    description = "The rules, the critics, the prompts and the models: what AI did, and what people did."
    about = "What AI did, what people did, and by which rules."
    limits = {"min_takes": MIN_TAKES, "lowest_ship": LOWEST_SHIP, "highest_skip": HIGHEST_SKIP}
    head = Head(PATH, "How the panel works", description)
    yield from renderer.files("methodology.html.j2", head, versions, about, versions=versions, **limits)


def _versions(renderer: Renderer) -> tuple[Version, ...]:
    """Return the models and prompts of published reviews, the latest first."""
    days: dict[tuple[tuple[str, ...], str], list[date]] = {}
    for tool in renderer.catalog.live:
        days.setdefault((tool.models, tool.prompts), []).append(tool.reviewed_on)
    versions = [Version(*made_with, len(each), min(each), max(each)) for made_with, each in days.items()]
    return tuple(sorted(versions, key=lambda one: (one.last, one.models, one.prompts), reverse=True))


def _sitemap(_renderer: Renderer) -> Entries:
    yield PATH, None


PAGES = (Page(50, frozenset({"methodology"}), _files, _sitemap, menu=(PATH, "Methodology")),)
