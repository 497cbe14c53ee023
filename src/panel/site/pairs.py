"""Which tools are put side by side."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.site.tool_summary import ToolSummary

NEIGHBOURS = 2
"""Tools of its category, published before it, that each tool is compared with: a new tool touches the pages of these alone."""


class Pair(NamedTuple):
    """Two tools side by side, by slug in alphabetical order."""

    a: ToolSummary
    b: ToolSummary

    @property
    def slug(self) -> str:
        """The end of the page's address: `skillclaw-vs-smollm3`."""
        return f"{self.a.slug}-vs-{self.b.slug}"

    @property
    def turned(self) -> str:
        """The end of the address that leads there: `smollm3-vs-skillclaw`."""
        return f"{self.b.slug}-vs-{self.a.slug}"

    @property
    def title(self) -> str:
        """The page's title."""
        return f"{self.a.name} vs {self.b.name}"

    @property
    def retracted(self) -> bool:
        """Whether one of the two is no longer on the site."""
        return self.a.retracted or self.b.retracted

    @property
    def thin(self) -> bool:
        """Whether a panel gave too few takes to compare."""
        return self.a.thin or self.b.thin


def pairs_of(cards: Sequence[ToolSummary], compared: Iterable[tuple[int, ...]]) -> list[Pair]:
    """Return the comparisons of a site: what editors put side by side, and each tool with those before it in its category.

    A tool that was retracted keeps its place, so that other tools' comparisons stay what they were.

    Args:
        cards: all tools, those seen first before others.
        compared: numbers of tools that were put side by side.
    """
    by_tool = {card.tool: card for card in cards}
    chosen = (
        (by_tool[one], by_tool[other])
        for tools in compared
        for one, other in combinations([tool for tool in tools if tool in by_tool], 2)
    )
    pairs = (_pair(one, other) for one, other in (*_neighbours(cards), *chosen))
    found = {pair.slug: pair for pair in pairs}
    return list(found.values())


def partners(pairs: Iterable[Pair]) -> dict[int, list[Pair]]:
    """Return the comparisons of each tool by its number; those that are on the site alone."""
    found: dict[int, list[Pair]] = {}
    for pair in pairs:
        if not pair.retracted:
            found.setdefault(pair.a.tool, []).append(pair)
            found.setdefault(pair.b.tool, []).append(pair)
    return found


def _neighbours(cards: Iterable[ToolSummary]) -> Iterator[tuple[ToolSummary, ToolSummary]]:
    """Yield each tool with those before it, one category after the other, so that the same reviews soon return."""
    categories: dict[str, list[ToolSummary]] = {}
    for card in cards:
        if card.category:
            categories.setdefault(canonical(card.category), []).append(card)
    for members in categories.values():
        for place, card in enumerate(members):
            for other in members[max(0, place - NEIGHBOURS) : place]:
                yield other, card


def _pair(one: ToolSummary, other: ToolSummary) -> Pair:
    a, b = sorted((one, other), key=lambda card: card.slug)
    return Pair(a, b)
