"""The reviews of a site: all of them as cards, and each of them whole when its page is made."""

from __future__ import annotations

from collections import OrderedDict
from itertools import groupby
from typing import TYPE_CHECKING

from panel.errors import StorageError
from panel.site.tool_summary import record_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.votes import Votes
    from panel.site.build_cache import Memory
    from panel.site.tool_summary import Record, ToolSummary
    from panel.store import ListedDraft, Publication, Store

HELD = 64
"""Reviews that are held at a time: comparisons are made in an order in which the same ones soon return."""


class Catalog:
    """The reviews of a site.

    Args:
        store: where they are.
        memory: what the last build left.
        cards: all tools that were ever published, those seen first before others.
        compared: numbers of tools that an editor put side by side.
        votes: what readers made of tools, by slug.
    """

    def __init__(
        self,
        store: Store,
        memory: Memory,
        cards: Sequence[ToolSummary],
        compared: Sequence[tuple[int, ...]],
        votes: dict[str, Votes],
    ) -> None:
        self._store = store
        self._memory = memory
        self._held: OrderedDict[int, Publication] = OrderedDict()
        self.cards, self.made_up = _distinct(cards)
        self.compared = compared
        self.votes = votes

    @property
    def live(self) -> list[ToolSummary]:
        """The tools that have a page."""
        return [card for card in self.cards if not card.retracted]

    def record(self, card: ToolSummary) -> Record:
        """Return all that lists and logs know of a tool."""
        return self._memory.record(card.tool)

    def words(self, card: ToolSummary) -> str:
        """Return the words that a tool is found by, with a blank between them."""
        return self._memory.words(card.tool)

    async def publication(self, card: ToolSummary) -> Publication:
        """Return the review that is on the site, whole.

        Raises:
            StorageError: it was altered, or retracted meanwhile.
        """
        if card.draft in self._held:
            self._held.move_to_end(card.draft)
            return self._held[card.draft]
        found = await self._store.publications.history(card.draft)
        if found is None or found.live is None:
            raise StorageError(f"draft {card.draft} was retracted meanwhile; build the site again")
        self._held[card.draft] = found.live
        if len(self._held) > HELD:
            self._held.popitem(last=False)
        return found.live


async def read_shelf(store: Store, memory: Memory, code: str, votes: dict[str, Votes]) -> Catalog:
    """Return the reviews of a site; only those to which something happened since the last build are read.

    Args:
        store: where they are.
        memory: what the last build left.
        code: digest of what makes records of them.
        votes: what readers made of tools, by slug.

    Raises:
        StorageError: one of them was altered.
    """
    cards: list[ToolSummary] = []
    for tool, rows in groupby(await store.publications.listed(), key=lambda row: row.tool):
        cards.append(await _card(store, memory, tool, list(rows), code))
    memory.keep_records(card.tool for card in cards)
    return Catalog(store, memory, cards, await store.publications.compared_tools(), votes)


async def _card(store: Store, memory: Memory, tool: int, rows: list[ListedDraft], code: str) -> ToolSummary:
    key = " ".join([code, *(f"{row.draft}:{row.version}" for row in rows)])
    if card := memory.card(tool, key):
        return card
    past = [await store.publications.history(row.draft) for row in rows]
    return memory.put_record(tool, key, record_of(tool, [one for one in past if one]))


def _distinct(cards: Sequence[ToolSummary]) -> tuple[list[ToolSummary], set[str]]:
    """Tell tools apart whose names end in the same address: the one that was seen first keeps it.

    Returns:
        the tools, and the slugs that were made up.
    """
    natural = {slug for card in cards for slug in (card.slug, *card.former)}
    taken: set[str] = set()
    made: set[str] = set()
    distinct = []
    for card in cards:
        slug, number = card.slug, 1
        while slug in taken or (number > 1 and slug in natural):
            number += 1
            slug = f"{card.slug}-{number}"
        taken.add(slug)
        made |= {slug} - {card.slug}
        distinct.append(card._replace(slug=slug))
    return distinct, made
