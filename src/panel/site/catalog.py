"""The tools of a site: summaries of all of them in memory, and one whole review at a time when its page is made."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from itertools import combinations, groupby
from typing import TYPE_CHECKING, NamedTuple

from panel.core.tally import Votes
from panel.core.text import canonical, slugify
from panel.errors import StorageError
from panel.site.tool_summary import record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from panel.site.build_cache import BuildCache
    from panel.site.tool_summary import ToolRecord, ToolSummary
    from panel.store import Publication, Store

PAGE_SIZE = 50
"""Entries on a page of a list."""
HELD_REVIEWS = 64
"""Reviews in memory at once: comparisons are made in an order in which the same ones are soon needed again."""
NEIGHBOURS = 2
"""Earlier tools of its category that each tool is compared with: a new tool changes the pages of these alone."""


class Category(NamedTuple):
    """A category with its published tools; it is spelled like in the tool that was added first."""

    slug: str
    name: str
    tools: list[ToolSummary]

    @property
    def path(self) -> str:
        """Path of its page."""
        return f"category/{self.slug}/"


class Pair(NamedTuple):
    """A comparison of two tools, in alphabetical order of their slugs."""

    a: ToolSummary
    b: ToolSummary

    @property
    def slug(self) -> str:
        """End of the page's address: `skillclaw-vs-smollm3`."""
        return f"{self.a.slug}-vs-{self.b.slug}"

    @property
    def reversed_slug(self) -> str:
        """End of the address that redirects to the page: `smollm3-vs-skillclaw`."""
        return f"{self.b.slug}-vs-{self.a.slug}"

    @property
    def path(self) -> str:
        """Path of the page."""
        return f"compare/{self.slug}/"

    @property
    def title(self) -> str:
        """Title of the page."""
        return f"{self.a.name} vs {self.b.name}"

    @property
    def version(self) -> tuple[object, ...]:
        """Values whose change renders a page that lists it anew."""
        return self.slug, self.a.digest, self.b.digest

    @property
    def changed(self) -> datetime:
        """Time of the later change of the two reviews."""
        return max(self.a.changed, self.b.changed)

    @property
    def retracted(self) -> bool:
        """Whether one of the two reviews was retracted."""
        return self.a.retracted or self.b.retracted

    @property
    def listed(self) -> bool:
        """Whether lists and search engines may show it: both reviews are published, with enough takes to compare."""
        return not any(tool.retracted or tool.thin for tool in self)

    def other(self, tool: ToolSummary) -> ToolSummary:
        """Return the tool that one of the two is compared with."""
        return self.b if tool is self.a else self.a


class Catalog:
    """All tools that were ever published, in the order in which they were added, and their comparisons.

    Args:
        store: has the reviews.
        cache: has a record of each tool.
        tools: their summaries.
        compared: numbers of tools that an editor put side by side.
        votes: readers' votes by the slug in the listing.
    """

    def __init__(
        self,
        store: Store,
        cache: BuildCache,
        tools: Sequence[ToolSummary],
        compared: Iterable[tuple[int, ...]],
        votes: dict[str, Votes],
    ) -> None:
        self._store = store
        self._cache = cache
        self._held: OrderedDict[int, Publication] = OrderedDict()
        self._votes = votes
        self.tools, self._changed_slugs = _with_distinct_slugs(tools)
        self.pairs = _pairs(self.tools, compared)

    @cached_property
    def live(self) -> list[ToolSummary]:
        """The tools with a published review."""
        return [tool for tool in self.tools if not tool.retracted]

    @cached_property
    def changed(self) -> str | None:
        """Time of the latest change of a published tool, by ISO 8601; None without any."""
        return max(tool.changed for tool in self.live).isoformat() if self.live else None

    @cached_property
    def categories(self) -> list[Category]:
        """The categories of published tools, by name."""
        found: dict[str, Category] = {}
        for tool in self.live:
            if tool.category:
                slug = slugify(tool.category)
                found.setdefault(slug, Category(slug, tool.category, [])).tools.append(tool)
        return sorted(found.values(), key=lambda one: (one.name.casefold(), one.slug))

    def latest_pairs(self, most: int) -> list[Pair]:
        """Return the listed comparisons with the latest reviews, the latest first."""
        listed = (pair for pair in self.pairs if pair.listed)
        return sorted(listed, key=lambda pair: (pair.changed, pair.slug), reverse=True)[:most]

    @cached_property
    def pairs_by_tool(self) -> dict[int, list[Pair]]:
        """The comparisons of each tool, by its number, with other published ones."""
        found: dict[int, list[Pair]] = {tool.tool: [] for tool in self.live}
        for pair in self.pairs:
            for tool in () if pair.retracted else pair:
                found[tool.tool].append(pair)
        return found

    def record(self, tool: ToolSummary) -> ToolRecord:
        """Return everything that lists and logs show of a tool."""
        return self._cache.record(tool.tool)

    def search_words(self, tool: ToolSummary) -> str:
        """Return the search words of a tool, separated by blanks."""
        return self._cache.search_words(tool.tool)

    def votes(self, slug: str) -> Votes | None:
        """Return the votes on the tool with a page of this slug; None if it takes none, since votes go by the slug in the listing."""
        return None if slug in self._changed_slugs else self._votes.get(slug, Votes())

    async def publication(self, tool: ToolSummary) -> Publication:
        """Return the published review of a tool.

        Raises:
            StorageError: it was altered, or retracted since the build began.
        """
        if tool.draft in self._held:
            self._held.move_to_end(tool.draft)
            return self._held[tool.draft]
        found = await self._store.publications.history(tool.draft)
        if found is None or found.live is None:
            raise StorageError(f"draft {tool.draft} was retracted meanwhile; build the site again")
        self._held[tool.draft] = found.live
        if len(self._held) > HELD_REVIEWS:
            self._held.popitem(last=False)
        return found.live


def latest(tools: Iterable[ToolSummary], most: int | None = None) -> list[ToolSummary]:
    """Return the tools that were published last, the latest first; a page of a list by default."""
    return sorted(tools, key=lambda tool: (tool.changed, tool.tool), reverse=True)[: most or PAGE_SIZE]


def versions(tools: Iterable[ToolSummary]) -> tuple[object, ...]:
    """Return the values whose change renders a list of tools anew."""
    return tuple((tool.slug, tool.digest) for tool in tools)


def full_pages(tools: Sequence[ToolSummary]) -> list[Sequence[ToolSummary]]:
    """Return the tools in pages of a list, in the order in which they were added."""
    return [tools[start : start + PAGE_SIZE] for start in range(0, len(tools), PAGE_SIZE)]


async def read_catalog(store: Store, cache: BuildCache, code: str) -> Catalog:
    """Return the tools of a site. Only those that changed since the last build, or whose records other `code` made, are read anew.

    Raises:
        StorageError: a review was altered.
    """
    votes = await store.votes.all_counts()
    tools = []
    for tool, group in groupby(await store.publications.listed(), key=lambda row: row.tool):
        drafts = list(group)
        key = " ".join([code, *(f"{draft.draft}:{draft.version}" for draft in drafts)])
        summary = cache.summary(tool, key)
        if summary is None:
            histories = [await store.publications.history(draft.draft) for draft in drafts]
            summary = cache.put_record(tool, key, record_of(tool, [one for one in histories if one]))
        tools.append(summary)
    cache.keep_tools(tool.tool for tool in tools)
    return Catalog(store, cache, tools, await store.publications.compared_tools(), votes)


def _with_distinct_slugs(tools: Sequence[ToolSummary]) -> tuple[list[ToolSummary], set[str]]:
    """Return the tools, each with a slug of its own, and the slugs that differ from those in the listings.

    Of tools with equal slugs, the one that was added first keeps it.
    """
    natural = {slug for tool in tools for slug in (tool.slug, *tool.former_slugs)}
    pages = -(-sum(not tool.retracted for tool in tools) // PAGE_SIZE)
    # The list of all tools has its pages at tools/1/, tools/2/ and so on.
    taken = {str(number) for number in range(1, pages + 1)} if pages > 1 else set()
    changed: set[str] = set()
    distinct = []
    for tool in tools:
        slug, number = tool.slug, 1
        while slug in taken or (number > 1 and slug in natural):
            number += 1
            slug = f"{tool.slug}-{number}"
        taken.add(slug)
        changed |= {slug} - {tool.slug}
        distinct.append(tool._replace(slug=slug))
    return distinct, changed


def _pairs(tools: Sequence[ToolSummary], compared: Iterable[tuple[int, ...]]) -> list[Pair]:
    """Return the comparisons of a site: each tool with earlier ones of its category, and tools that editors put side by side.

    A retracted tool keeps its place, so that other tools' comparisons stay the same.
    """
    by_number = {tool.tool: tool for tool in tools}
    chosen = (
        (by_number[one], by_number[other])
        for numbers in compared
        for one, other in combinations([number for number in numbers if number in by_number], 2)
    )
    pairs = (Pair(*sorted(both, key=lambda tool: tool.slug)) for both in (*_neighbours(tools), *chosen))
    return list({pair.slug: pair for pair in pairs}.values())


def _neighbours(tools: Iterable[ToolSummary]) -> Iterator[tuple[ToolSummary, ToolSummary]]:
    """Yield each tool with those before it, category by category, so that the same reviews are soon needed again."""
    categories: dict[str, list[ToolSummary]] = {}
    for tool in tools:
        if tool.category:
            categories.setdefault(canonical(tool.category), []).append(tool)
    for members in categories.values():
        for place, tool in enumerate(members):
            for other in members[max(0, place - NEIGHBOURS) : place]:
                yield other, tool
