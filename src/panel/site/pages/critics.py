"""Pages of the critics: an overview, and for each critic its persona, its figures and all of its takes."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import counted, one_line
from panel.site.catalog import full_pages, latest, versions
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import Head, Renderer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.core.persona import Persona
    from panel.site.tool_summary import CriticScore, ToolSummary

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


def _figures(critic: Persona, tools: Iterable[ToolSummary]) -> Figures | None:
    takes = [(one.score, one.verdict) for tool in tools for one in tool.scores if one.critic == critic.id]
    if not takes:
        return None
    scores = [score for score, _ in takes]
    columns = []
    for low in range(0, 100, COLUMN_WIDTH):
        high = 100 if low == 100 - COLUMN_WIDTH else low + COLUMN_WIDTH - 1
        verdicts = [verdict for score, verdict in takes if low <= score <= high]
        columns.append(Column(low, high, verdicts.count("ship"), verdicts.count("skip")))
    return Figures(
        takes=len(takes),
        ships=sum(column.ships for column in columns),
        mean=round(statistics.fmean(scores), 1),
        median=statistics.median(scores),
        lowest=min(scores),
        highest=max(scores),
        columns=tuple(columns),
    )


def _files(renderer: Renderer) -> Files:
    live = renderer.catalog.live
    figures = tuple((critic, _figures(critic, live)) for critic in renderer.options.critics)
    description = "The AI personas of the panel: what each looks for, and how each judges."
    about = "AI personas, what each looks for, and how it judges."
    head = Head(PATH, "The critics", description, crumb="Critics")
    inputs = tuple(each for _, each in figures)
    yield from renderer.files("critics.html.j2", head, inputs, about, figures=figures)
    for critic, own in figures:
        yield from _critic_pages(renderer, critic, own)


def _critic_pages(renderer: Renderer, critic: Persona, figures: Figures | None) -> Files:
    tools = [tool for tool in renderer.catalog.live if any(one.critic == critic.id for one in tool.scores)]
    last_tools, pages = latest(tools), full_pages(tools)
    about = f"{critic.motto} An AI persona of the panel, with {counted(len(tools), 'take')}."
    head = Head(f"{PATH}{critic.id}/", f"The {critic.name}", about, (("Critics", PATH),))
    yield from renderer.files(
        "critic.html.j2",
        head,
        (figures, len(pages), versions(last_tools)),
        one_line(critic.motto),
        critic=critic,
        figures=figures,
        excerpts=partial(_excerpts, renderer, critic, last_tools),
        pages=len(pages),
    )
    head = replace(head, description=f"Takes of the {critic.name}, an AI persona of the panel.")
    for number, page in enumerate(pages, start=1) if len(pages) > 1 else ():
        last = number == len(pages)
        excerpts = partial(_excerpts, renderer, critic, page)
        shown = {"critic": critic, "excerpts": excerpts, "number": number, "last": last}
        yield renderer.file("takes.html.j2", head.numbered(number), (last, versions(page)), **shown)


def _excerpts(
    renderer: Renderer, critic: Persona, tools: Iterable[ToolSummary]
) -> list[tuple[ToolSummary, CriticScore, str]]:
    """Return the beginnings of a critic's takes; a template calls this, so that those of all pages are not in memory at once."""
    records = ((tool, renderer.catalog.record(tool)) for tool in tools)
    return [
        (tool, score, text)
        for tool, record in records
        for score, text in record.excerpts
        if score.critic == critic.id
    ]


def _sitemap(renderer: Renderer) -> Entries:
    for path in (PATH, *(f"{PATH}{critic.id}/" for critic in renderer.options.critics)):
        yield path, renderer.catalog.changed


PAGES = (Page(40, frozenset({"critics"}), _files, _sitemap, menu=(PATH, "Critics")),)
