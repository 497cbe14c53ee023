"""The pages of single tools and of comparisons, what is left of those that were retracted, and their pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.comparison import Comparison
from panel.core.urls import safe_href
from panel.report import Editorial, ReportContext
from panel.report.wording import EMBEDDED_MARK, answer_sentence
from panel.site.json_ld import reviewed, web_page
from panel.site.og_image import Bar, Picture, png
from panel.site.pairs import Pair, partners
from panel.site.reasons import reasons_for
from panel.site.renderer import File
from panel.site.score_lines import duel_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from panel.core.review import PanelReview
    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary
    from panel.store import Publication

NOTE = "Scores by AI personas; approved by an editor"
INDEX = "index.html"
PICTURE = "card.png"


class Source(NamedTuple):
    """Where something on a page comes from.

    Attributes:
        what: what stands there.
        href: its address.
        checked_on: the day on which somebody read it there; None if it is not known.
    """

    what: str
    href: str
    checked_on: date | None


def review_files(press: Renderer, pairs: Sequence[Pair]) -> Iterator[File]:
    """Yield the files about tools and comparisons.

    Args:
        press: what prints them.
        pairs: the comparisons of the site.
    """
    compared = partners(pairs)
    taken = {card.slug for card in press.shelf.cards}
    for card in press.shelf.cards:
        for slug in set(card.former) - taken:
            yield _redirect(press, f"tools/{slug}/", f"tools/{card.slug}/", card.name)
        yield from _of_tool(press, card, compared.get(card.tool, []))
    for pair in pairs:
        yield from _of_pair(press, pair)
    yield from _moved_pairs(press, pairs)


def _of_tool(press: Renderer, card: ToolSummary, compared: list[Pair]) -> Iterator[File]:
    path = f"tools/{card.slug}/"
    if card.retracted:
        yield _notice(press, path, card.name, (card,))
        return
    others = [pair.b if pair.a is card else pair.a for pair in compared]
    links = tuple((pair.slug, pair.title, other.line) for pair, other in zip(compared, others, strict=True))
    shows = (card.digest, press.community(card.slug), links)
    yield File(path + INDEX, shows, partial(_tool_page, press, card, compared))
    picture = Picture(
        site=press.options.name,
        kicker="AI tool review" + f" · {EMBEDDED_MARK}" * card.embedded,
        title=card.name,
        about=card.tagline,
        bars=(_bar(press, card),),
        note=NOTE,
    )
    yield File(path + PICTURE, (picture,), partial(png, picture))


def _of_pair(press: Renderer, pair: Pair) -> Iterator[File]:
    path = f"compare/{pair.slug}/"
    yield _redirect(press, f"compare/{pair.turned}/", path, pair.title)
    if pair.retracted:
        yield _notice(press, path, pair.title, tuple(card for card in pair if card.retracted))
        return
    communities = tuple(press.community(card.slug) for card in pair)
    shows = (pair.a.digest, pair.b.digest, communities)
    yield File(path + INDEX, shows, partial(_pair_page, press, pair))
    bars = tuple(_bar(press, card) for card in pair)
    kicker = "AI tool comparison" + f" · {EMBEDDED_MARK}" * any(card.embedded for card in pair)
    picture = Picture(site=press.options.name, kicker=kicker, title=pair.title, bars=bars, note=NOTE)
    yield File(path + PICTURE, (picture,), partial(png, picture))


def _moved_pairs(press: Renderer, pairs: Sequence[Pair]) -> Iterator[File]:
    """Yield the way to comparisons from the addresses that they had under former slugs of their tools."""
    moved: dict[str, Pair] = {}
    for pair in pairs:
        for card, other in ((pair.a, pair.b), (pair.b, pair.a)):
            for former in card.former:
                for slug in f"{former}-vs-{other.slug}", f"{other.slug}-vs-{former}":
                    moved.setdefault(slug, pair)
    for pair in pairs:
        moved.pop(pair.slug, None)
        moved.pop(pair.turned, None)
    for slug, pair in moved.items():
        yield _redirect(press, f"compare/{slug}/", f"compare/{pair.slug}/", pair.title)


def _redirect(press: Renderer, path: str, to: str, title: str) -> File:
    make = partial(press.page, "moved.html.j2", path, to=to, title=title, description="", linked_data=None)
    return File(path + INDEX, (to, title), partial(make, noindex=True))


def _notice(press: Renderer, path: str, title: str, gone: tuple[ToolSummary, ...]) -> File:
    def made() -> bytes:
        taken = [log[0] for card in gone if (log := press.shelf.record(card).log)]
        return press.page(
            "retracted.html.j2",
            path,
            title=title,
            taken=taken,
            description="This review was retracted.",
            linked_data=None,
            noindex=True,
        )

    return File(path + INDEX, (title, *(card.digest for card in gone)), made)


async def _tool_page(press: Renderer, card: ToolSummary, compared: list[Pair]) -> bytes:
    publication = await press.shelf.publication(card)
    page = Comparison.of_one(publication.shown.review)
    path = f"tools/{card.slug}/"
    steps = [("Tools", "tools/"), (card.name, path)]
    return press.page(
        "tool.html.j2",
        path,
        trail=steps,
        compared=compared,
        **_common(press, page, (publication,), (card,), steps),
    )


async def _pair_page(press: Renderer, pair: Pair) -> bytes:
    publications = [await press.shelf.publication(card) for card in pair]
    page = Comparison(reviews=tuple(map(_filed, publications, pair)))
    path = f"compare/{pair.slug}/"
    steps = [("Compare", "compare/"), (pair.title, path)]
    one, other = page.reviews
    return press.page(
        "compare.html.j2",
        path,
        trail=steps,
        tool_pages=tuple(f"../../tools/{card.slug}/" for card in pair),
        picks=tuple(zip(page.headings, (reasons_for(one, other), reasons_for(other, one)), strict=True)),
        duel=duel_of(page),
        noindex=pair.thin,
        **_common(press, page, publications, pair, steps),
    )


def _filed(publication: Publication, card: ToolSummary) -> PanelReview:
    """Return a review with its tool filed where its page is, which tells tools of one slug apart."""
    review = publication.shown.review
    tool = review.tool.model_copy(update={"slug": card.slug})
    return review if review.tool == tool else review.model_copy(update={"tool": tool})


def _common(
    press: Renderer,
    page: Comparison,
    publications: Sequence[Publication],
    cards: Sequence[ToolSummary],
    steps: list[tuple[str, str]],
) -> dict[str, Any]:
    options, description = press.options, answer_sentence(page)
    return {
        "title": cards[0].name if len(cards) == 1 else page.title,
        "description": description,
        "page": page,
        "cards": cards,
        "editorials": tuple(_editorial(one) for one in publications),
        "histories": [press.shelf.record(card).history for card in cards],
        "sources": [tuple(_sources(one)) for one in publications],
        "context": ReportContext(
            generator=options.generator, mottos={critic.id: critic.motto for critic in options.critics}
        ),
        "community": tuple(press.community(card.slug) for card in cards),
        "picture": (options.address(steps[-1][1] + PICTURE), description),
        "linked_data": web_page(
            options, "WebPage", steps, description, **reviewed(options, publications, cards)
        ),
    }


def _editorial(publication: Publication) -> Editorial:
    return Editorial(
        marks=publication.shown.marks,
        approved_by=publication.approved_by,
        approved_at=publication.approved_at,
    )


def _sources(publication: Publication) -> Iterator[Source]:
    tool = publication.shown.review.tool
    if href := safe_href(tool.url):
        yield Source("The tool's own pages, as its listing names them", href, None)
    for fact in tool.facts:
        if href := safe_href(fact.source):
            yield Source(fact.claim, href, fact.checked_on)
    for href in dict.fromkeys(tick.source for tick in publication.ticks if tick.source):
        yield Source(
            "Supports a claim of a take, by the word of the editor", href, publication.approved_at.date()
        )


def _bar(press: Renderer, card: ToolSummary) -> Bar:
    scores = tuple(
        (press.critic_names.get(mark.critic, mark.critic.title())[:2], mark.score, str(mark.verdict))
        for mark in card.marks
    )
    share = "" if card.percent is None else f"{card.percent}% panel ship"
    return Bar(card.name, card.slug, card.verdict, card.line, share, scores)
