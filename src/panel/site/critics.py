"""A page for each critic: what it looks for, how it judges, and all that it said."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import one_line
from panel.report.wording import counted
from panel.site.json_ld import web_page
from panel.site.lists import FULL, latest, picture_file
from panel.site.renderer import File
from panel.site.reviews import INDEX, PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.core.persona import Persona
    from panel.site.renderer import Renderer
    from panel.site.tool_summary import TakeExcerpt, ToolSummary

STEP = 10
"""Width of a column of the distribution, in points of the score."""


class Column(NamedTuple):
    """A column of a distribution.

    Attributes:
        low: its lowest score.
        high: its highest.
        ships: takes with such a score that would ship.
        skips: and that would skip.
    """

    low: int
    high: int
    ships: int
    skips: int


class Figures(NamedTuple):
    """How a critic judges.

    Attributes:
        takes: how many takes it gave.
        ships: how many of them would ship.
        mean: of the scores, with one decimal.
        median: likewise.
        lowest: the lowest score.
        highest: the highest.
        columns: how many takes have which scores.
    """

    takes: int
    ships: int
    mean: float
    median: float
    lowest: int
    highest: int
    columns: tuple[Column, ...]

    @property
    def rate(self) -> int:
        """Ship rate in percent, halves rounded up."""
        return (200 * self.ships + self.takes) // (2 * self.takes)

    @property
    def most(self) -> int:
        """Takes in the fullest column."""
        return max(column.ships + column.skips for column in self.columns)


def figures_of(critic: str, cards: Sequence[ToolSummary]) -> Figures | None:
    """Return how a critic judges, or None if it gave no take on any of the tools."""
    marks = [mark for card in cards for mark in card.marks if mark.critic == critic]
    if not marks:
        return None
    scores = [mark.score for mark in marks]
    return Figures(
        takes=len(marks),
        ships=sum(mark.verdict == "ship" for mark in marks),
        mean=round(statistics.fmean(scores), 1),
        median=statistics.median(scores),
        lowest=min(scores),
        highest=max(scores),
        columns=tuple(
            _column([(mark.score, mark.verdict) for mark in marks], low) for low in range(0, 100, STEP)
        ),
    )


def critic_files(press: Renderer) -> Iterator[File]:
    """Yield the files about critics."""
    for critic in press.options.critics:
        cards = [card for card in press.shelf.live if any(mark.critic == critic.id for mark in card.marks)]
        chunks = [cards[place : place + FULL] for place in range(0, len(cards), FULL)]
        yield _page(press, critic, cards, len(chunks))
        yield picture_file(press, f"critics/{critic.id}/", f"The {critic.name}", one_line(critic.motto))
        if len(chunks) > 1:
            for number, chunk in enumerate(chunks, start=1):
                yield _takes_page(press, critic, chunk, number, last=number == len(chunks))
    yield _overview(press)
    yield picture_file(
        press, "critics/", "The critics", "AI personas, what each looks for, and how it judges."
    )


def _column(marks: Sequence[tuple[int, str]], low: int) -> Column:
    high = 100 if low == 100 - STEP else low + STEP - 1
    inside = [verdict for score, verdict in marks if low <= score <= high]
    ships = sum(verdict == "ship" for verdict in inside)
    return Column(low, high, ships, len(inside) - ships)


def _takes(
    press: Renderer, critic: Persona, cards: Sequence[ToolSummary]
) -> list[tuple[ToolSummary, TakeExcerpt]]:
    records = ((card, press.shelf.record(card)) for card in cards)
    return [(card, said) for card, record in records for said in record.said if said.critic == critic.id]


def _page(press: Renderer, critic: Persona, cards: Sequence[ToolSummary], pages: int) -> File:
    path, title = f"critics/{critic.id}/", f"The {critic.name}"
    figures = figures_of(critic.id, cards)
    last = latest(cards, FULL)
    description = f"{critic.motto} An AI persona of the panel, with {counted(len(cards), 'take')}."

    def made() -> bytes:
        steps = [("Critics", "critics/"), (title, path)]
        return press.page(
            "critic.html.j2",
            path,
            title=title,
            description=description,
            linked_data=web_page(press.options, "WebPage", steps, description),
            picture=(press.options.address(path + PICTURE), title),
            trail=steps,
            critic=critic,
            figures=figures,
            takes=_takes(press, critic, last),
            pages=pages,
        )

    return File(path + INDEX, (figures, pages, tuple((card.slug, card.digest) for card in last)), made)


def _takes_page(
    press: Renderer, critic: Persona, cards: Sequence[ToolSummary], number: int, *, last: bool
) -> File:
    path, title = f"critics/{critic.id}/{number}/", f"The {critic.name}, page {number}"
    home = f"critics/{critic.id}/"
    description = f"Takes of the {critic.name}, an AI persona of the panel."

    def made() -> bytes:
        steps = [("Critics", "critics/"), (f"The {critic.name}", home), (title, path)]
        return press.page(
            "takes.html.j2",
            path,
            title=title,
            description=description,
            linked_data=web_page(press.options, "WebPage", steps, description),
            picture=(press.options.address(home + PICTURE), f"The {critic.name}"),
            trail=steps,
            critic=critic,
            takes=_takes(press, critic, cards),
            number=number,
            last=last,
        )

    return File(path + INDEX, (last, tuple((card.slug, card.digest) for card in cards)), made)


def _overview(press: Renderer) -> File:
    path = "critics/"
    description = "The AI personas of the panel: what each looks for, and how each judges."
    figures = tuple((critic, figures_of(critic.id, press.shelf.live)) for critic in press.options.critics)
    make = partial(
        press.page,
        "critics.html.j2",
        path,
        title="The critics",
        description=description,
        linked_data=web_page(press.options, "WebPage", [("Critics", path)], description),
        picture=(press.options.address(path + PICTURE), "The critics"),
        trail=[("Critics", path)],
        figures=figures,
    )
    return File(path + INDEX, tuple(each for _, each in figures), make)
