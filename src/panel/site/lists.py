"""Lists of tools: the home page, all tools, each category, all comparisons.

A long list has its latest entries on its first page, and all of them, oldest first, on pages that are full: a new tool changes the first
page and the last one alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import slugify
from panel.report.wording import counted
from panel.site.json_ld import items, web_page
from panel.site.og_image import Picture, png
from panel.site.renderer import File
from panel.site.reviews import INDEX, PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.site.pairs import Pair
    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary

LATEST = 12
FULL = 50
"""Entries of a page of a list."""


class Category(NamedTuple):
    """Tools that compete.

    Attributes:
        slug: the end of its page's address.
        name: as the tool that was seen first has it.
        cards: its tools.
    """

    slug: str
    name: str
    cards: list[ToolSummary]

    @property
    def path(self) -> str:
        """Where its page lies."""
        return f"category/{self.slug}/"


class Listing(NamedTuple):
    """A list of tools with pages of its own.

    Attributes:
        path: where it lies.
        title: what it is called.
        description: what it lists, in a sentence.
        cards: its tools, those seen first before others.
    """

    path: str
    title: str
    description: str
    cards: Sequence[ToolSummary]

    @property
    def chunks(self) -> list[Sequence[ToolSummary]]:
        """The tools by full pages, the oldest first."""
        return [self.cards[place : place + FULL] for place in range(0, len(self.cards), FULL)]


def categories_of(cards: Sequence[ToolSummary]) -> list[Category]:
    """Return the categories of tools by name."""
    found: dict[str, Category] = {}
    for card in cards:
        if card.category:
            slug = slugify(card.category)
            found.setdefault(slug, Category(slug, card.category, [])).cards.append(card)
    return sorted(found.values(), key=lambda one: (one.name.casefold(), one.slug))


def list_files(press: Renderer, pairs: Sequence[Pair]) -> Iterator[File]:
    """Yield the files of lists.

    Args:
        press: what prints them.
        pairs: the comparisons of the site.
    """
    live = press.shelf.live
    categories = categories_of(live)
    shown = [pair for pair in pairs if not pair.retracted and not pair.thin]
    yield _home(press, categories, latest(live), newest(shown))
    yield from _pages(press, Listing("tools/", "All tools", "Every tool that the panel reviewed.", live))
    for one in categories:
        # Not how many there are: pages that are full stay as they are when a tool is added.
        description = f"Every tool of the category {one.name} that the panel reviewed."
        yield from _pages(press, Listing(one.path, one.name, description, one.cards))
    yield _comparisons(press, newest(shown, FULL))
    for path, title, about in (
        (
            "",
            press.options.name,
            "Which new tools should you ship with? AI critics judge them, and an editor approves.",
        ),
        ("tools/", "All tools", "Every tool that the panel reviewed."),
        ("compare/", "Comparisons", "Two tools side by side, critic by critic."),
        *((one.path, one.name, "What the panel would ship, and what it would skip.") for one in categories),
    ):
        yield picture_file(press, path, title, about)


def picture_file(press: Renderer, path: str, title: str, about: str) -> File:
    """Return the picture of a page that is about no single tool."""
    picture = Picture(site=press.options.name, kicker="AI panel reviews", title=title, about=about)
    return File(path + PICTURE, (picture,), partial(png, picture))


def latest(cards: Sequence[ToolSummary], most: int = LATEST) -> list[ToolSummary]:
    """Return the tools that were published last, the last one first."""
    return sorted(cards, key=lambda card: (card.at, card.tool), reverse=True)[:most]


def newest(pairs: Sequence[Pair], most: int = LATEST) -> list[Pair]:
    """Return the comparisons with the latest reviews, the latest first."""
    return sorted(pairs, key=lambda pair: (max(pair.a.at, pair.b.at), pair.slug), reverse=True)[:most]


def _shown(cards: Sequence[ToolSummary]) -> tuple[object, ...]:
    return tuple((card.slug, card.digest) for card in cards)


def _home(press: Renderer, categories: list[Category], cards: list[ToolSummary], pairs: list[Pair]) -> File:
    options, live = press.options, len(press.shelf.live)
    counts = tuple((one.slug, one.name, len(one.cards)) for one in categories)
    description = (
        f"{counted(live, 'tool')} reviewed by a panel of AI critics; an editor approved each review."
    )

    def made() -> bytes:
        return press.page(
            "home.html.j2",
            "",
            title=options.name,
            description=description,
            linked_data=web_page(
                options, "CollectionPage", [(options.name, "")], description, **items(options, cards)
            ),
            picture=(options.address(PICTURE), options.name),
            cards=cards,
            pairs=pairs,
            categories=categories,
            total=live,
        )

    shows = (_shown(cards), tuple((pair.slug, pair.a.digest, pair.b.digest) for pair in pairs), counts, live)
    return File(INDEX, shows, made)


def _pages(press: Renderer, listing: Listing) -> Iterator[File]:
    chunks = listing.chunks
    first = latest(listing.cards, FULL)
    yield _list_page(press, listing, None, first, len(chunks))
    if len(chunks) > 1:
        for number, chunk in enumerate(chunks, start=1):
            yield _list_page(press, listing, number, chunk, len(chunks))


def _list_page(
    press: Renderer, listing: Listing, number: int | None, cards: Sequence[ToolSummary], of: int
) -> File:
    path = listing.path if number is None else f"{listing.path}{number}/"
    last = None if number is None else number == of

    def made() -> bytes:
        title = listing.title if number is None else f"{listing.title}, page {number}"
        steps = [(listing.title, listing.path), *([(title, path)] if number else [])]
        return press.page(
            "list.html.j2",
            path,
            title=title,
            description=listing.description,
            linked_data=web_page(
                press.options, "CollectionPage", steps, listing.description, **items(press.options, cards)
            ),
            picture=(press.options.address(listing.path + PICTURE), listing.title),
            trail=steps,
            listing=listing,
            cards=cards,
            number=number,
            last=last,
            pages=of if number is None else number,
        )

    told = (of, listing.description) if number is None else (last,)
    return File(path + INDEX, (_shown(cards), listing.title, *told), made)


def _comparisons(press: Renderer, pairs: list[Pair]) -> File:
    options, path = press.options, "compare/"
    description = "The latest comparisons of two tools, critic by critic."

    def made() -> bytes:
        return press.page(
            "comparisons.html.j2",
            path,
            title="Comparisons",
            description=description,
            linked_data=web_page(options, "CollectionPage", [("Compare", path)], description),
            picture=(options.address(path + PICTURE), "Comparisons"),
            trail=[("Compare", path)],
            pairs=pairs,
        )

    shows = tuple((pair.slug, pair.a.digest, pair.b.digest) for pair in pairs)
    return File(path + INDEX, shows, made)
