"""Pages of the critics: an overview, and for each critic its persona, its figures and all of its takes."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import one_line
from panel.report.wording import counted
from panel.site.catalog import full_pages, latest, versions
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, Head, Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.persona import Persona
    from panel.site.tool_summary import TakeExcerpt, ToolSummary

PATH = "critics/"
COLUMN_WIDTH = 10
"""Points of the score in a column of the distribution."""


class Column(NamedTuple):
    """A column of the distribution: how many takes with a score from `low` to `high` would ship, and would skip."""

    low: int
    high: int
    ships: int
    skips: int


class Figures(NamedTuple):
    """Figures about the takes of a critic; mean and median have one decimal."""

    takes: int
    ships: int
    mean: float
    median: float
    lowest: int
    highest: int
    columns: tuple[Column, ...]

    @property
    def ship_percent(self) -> int:
        """Share of takes that would ship, halves rounded up."""
        return (200 * self.ships + self.takes) // (2 * self.takes)

    @property
    def highest_column(self) -> int:
        """Number of takes in the highest column."""
        return max(column.ships + column.skips for column in self.columns)


def _figures(critic: Persona, tools: Sequence[ToolSummary]) -> Figures | None:
    given = [one for tool in tools for one in tool.scores if one.critic == critic.id]
    if not given:
        return None
    scores = [one.score for one in given]
    return Figures(
        takes=len(given),
        ships=sum(one.verdict == "ship" for one in given),
        mean=round(statistics.fmean(scores), 1),
        median=statistics.median(scores),
        lowest=min(scores),
        highest=max(scores),
        columns=tuple(
            _column([(one.score, one.verdict) for one in given], low) for low in range(0, 100, COLUMN_WIDTH)
        ),
    )


def _column(takes: Sequence[tuple[int, str]], low: int) -> Column:
    high = 100 if low == 100 - COLUMN_WIDTH else low + COLUMN_WIDTH - 1
    inside = [verdict for score, verdict in takes if low <= score <= high]
    ships = sum(verdict == "ship" for verdict in inside)
    return Column(low, high, ships, len(inside) - ships)


def _files(renderer: Renderer) -> Files:
    yield from _overview(renderer)
    for critic in renderer.options.critics:
        tools = [
            tool for tool in renderer.catalog.live if any(one.critic == critic.id for one in tool.scores)
        ]
        yield from _critic_pages(renderer, critic, tools)


def _overview(renderer: Renderer) -> Files:
    figures = tuple((critic, _figures(critic, renderer.catalog.live)) for critic in renderer.options.critics)
    head = Head(
        path=PATH,
        title="The critics",
        description="The AI personas of the panel: what each looks for, and how each judges.",
        trail=(("Critics", PATH),),
        picture=PATH,
    )
    inputs = tuple(each for _, each in figures)
    yield renderer.file("critics.html.j2", head, inputs, figures=figures)
    about = "AI personas, what each looks for, and how it judges."
    yield renderer.picture(PATH, "The critics", about)


def _critic_pages(renderer: Renderer, critic: Persona, tools: Sequence[ToolSummary]) -> Files:
    home, name = f"{PATH}{critic.id}/", f"The {critic.name}"
    chunks, last_tools = full_pages(tools), latest(tools)
    figures = _figures(critic, tools)
    head = Head(
        path=home,
        title=name,
        description=f"{critic.motto} An AI persona of the panel, with {counted(len(tools), 'take')}.",
        trail=(("Critics", PATH), (name, home)),
        picture=home,
    )

    def render() -> bytes:
        takes = _excerpts(renderer, critic, last_tools)
        return renderer.page(
            "critic.html.j2", head, critic=critic, figures=figures, takes=takes, pages=len(chunks)
        )

    yield SiteFile(home + INDEX, (figures, len(chunks), versions(last_tools)), render)
    yield renderer.picture(home, name, one_line(critic.motto))
    for number, chunk in enumerate(chunks, start=1) if len(chunks) > 1 else ():
        yield _takes_file(renderer, critic, chunk, number, last=number == len(chunks))


def _takes_file(
    renderer: Renderer, critic: Persona, tools: Sequence[ToolSummary], number: int, *, last: bool
) -> SiteFile:
    home, name = f"{PATH}{critic.id}/", f"The {critic.name}"
    path, title = f"{home}{number}/", f"{name}, page {number}"
    head = Head(
        path=path,
        title=title,
        description=f"Takes of the {critic.name}, an AI persona of the panel.",
        trail=(("Critics", PATH), (name, home), (title, path)),
        picture=home,
        caption=name,
    )

    def render() -> bytes:
        takes = _excerpts(renderer, critic, tools)
        return renderer.page("takes.html.j2", head, critic=critic, takes=takes, number=number, last=last)

    return SiteFile(path + INDEX, (last, versions(tools)), render)


def _excerpts(
    renderer: Renderer, critic: Persona, tools: Sequence[ToolSummary]
) -> list[tuple[ToolSummary, TakeExcerpt]]:
    records = ((tool, renderer.catalog.record(tool)) for tool in tools)
    return [(tool, one) for tool, record in records for one in record.excerpts if one.critic == critic.id]


def _sitemap(renderer: Renderer) -> Entries:
    for path in (PATH, *(f"{PATH}{critic.id}/" for critic in renderer.options.critics)):
        yield path, renderer.catalog.changed


PAGES = (Page(40, frozenset({"critics"}), _files, _sitemap, menu=(PATH, "Critics")),)
