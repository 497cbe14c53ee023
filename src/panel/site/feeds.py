"""What other programs read: feeds, the sitemap, and what crawlers and language models may do."""

from __future__ import annotations

import json
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from panel.report.wording import EMBEDDED_LINE, EMBEDDED_MARK
from panel.site.lists import FULL, categories_of, latest
from panel.site.renderer import File
from panel.site.reviews import PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.site.options import SiteOptions
    from panel.site.pairs import Pair
    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST_URLS = 10_000
"""Addresses of a sitemap: 50,000 are allowed (sitemaps.org), and a smaller one is made anew sooner."""

Place = tuple[str, str | None]
"""A page of the sitemap: its path, and when it was changed last, by ISO 8601."""


def feed_files(press: Renderer, pairs: Sequence[Pair]) -> Iterator[File]:
    """Yield the files that other programs read.

    Args:
        press: what prints the pages.
        pairs: the comparisons of the site.
    """
    options, cards = press.options, latest(press.shelf.live, FULL)
    shows = tuple((card.slug, card.digest) for card in cards)
    yield File("feed.xml", shows, partial(_atom, press, cards))
    yield File("feed.json", shows, partial(_json_feed, press, cards))
    yield from _sitemaps(options, _places(press, pairs))
    yield File("robots.txt", (), partial(_robots, options))
    counts = tuple((one.name, one.path, len(one.cards)) for one in categories_of(press.shelf.live))
    yield File("llms.txt", (counts, shows), partial(_llms, press, cards, counts))


def _atom(press: Renderer, cards: Sequence[ToolSummary]) -> bytes:
    options = press.options
    feed = Element("feed", xmlns=ATOM, attrib={"xml:lang": "en"})
    _texts(feed, id=options.address(""), title=options.name, updated=_updated(cards))
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=options.address("feed.xml"))
    SubElement(feed, "link", rel="alternate", type="text/html", href=options.address(""))
    _texts(feed, generator=options.generator)
    for card in cards:
        url = options.address(f"tools/{card.slug}/")
        entry = SubElement(feed, "entry")
        _texts(
            entry,
            id=url,
            title=f"{card.name}: {card.line}",
            published=card.first.isoformat(),
            updated=card.at.isoformat(),
        )
        SubElement(entry, "link", rel="alternate", type="text/html", href=url)
        _texts(SubElement(entry, "author"), name=card.by)
        if card.category:
            SubElement(entry, "category", term=card.category)
        _texts(entry, summary=_summary(press, card))
    return _xml(feed)


def _json_feed(press: Renderer, cards: Sequence[ToolSummary]) -> bytes:
    options = press.options
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": options.name,
        "home_page_url": options.address(""),
        "feed_url": options.address("feed.json"),
        "language": "en",
        "items": [
            {
                "id": (url := options.address(f"tools/{card.slug}/")),
                "url": url,
                "title": f"{card.name}: {card.line}",
                "content_text": _summary(press, card),
                "image": url + PICTURE,
                "date_published": card.first.isoformat(),
                "date_modified": card.at.isoformat(),
                "authors": [{"name": card.by}],
                "tags": [card.category] if card.category else [],
            }
            for card in cards
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _summary(press: Renderer, card: ToolSummary) -> str:
    names = press.critic_names
    said = press.shelf.record(card).said
    takes = [
        f"{names.get(one.critic, one.critic)} (AI persona), {one.score}/100: {one.sentence}" for one in said
    ]
    made = EMBEDDED_LINE if card.embedded else ""
    return "\n\n".join([part for part in (card.tagline, *takes, made) if part])


def _updated(cards: Iterable[ToolSummary]) -> str:
    # An empty feed must say a time, too, and no clock is asked, so that equal sites have equal bytes.
    return max((card.at.isoformat() for card in cards), default="1970-01-01T00:00:00+00:00")


def _places(press: Renderer, pairs: Iterable[Pair]) -> Iterator[Place]:
    live = press.shelf.live
    newest = max((card.at for card in live), default=None)
    latest_day = newest.isoformat() if newest else None
    yield "", latest_day
    for path in ("tools/", "compare/", "critics/"):
        yield path, latest_day
    for path in ("methodology/", "corrections/"):
        yield path, None
    for critic in press.options.critics:
        yield f"critics/{critic.id}/", latest_day
    for one in categories_of(live):
        yield one.path, max(card.at for card in one.cards).isoformat()
    for card in live:
        yield f"tools/{card.slug}/", card.at.isoformat()
    for pair in pairs:
        if not pair.retracted and not pair.thin:
            yield f"compare/{pair.slug}/", max(pair.a.at, pair.b.at).isoformat()


def _sitemaps(options: SiteOptions, places: Iterator[Place]) -> Iterator[File]:
    """Yield one sitemap, or several and what leads to them; no more than one is held at a time."""
    number, chunk, ends = 0, list(islice(places, MOST_URLS)), list[str | None]()
    while rest := list(islice(places, MOST_URLS)):
        number += 1
        ends.append(_latest(chunk))
        yield File(f"sitemap-{number}.xml", tuple(chunk), partial(_sitemap, options, chunk))
        chunk = rest
    if not number:
        yield File("sitemap.xml", tuple(chunk), partial(_sitemap, options, chunk))
        return
    ends.append(_latest(chunk))
    yield File(f"sitemap-{number + 1}.xml", tuple(chunk), partial(_sitemap, options, chunk))
    yield File("sitemap.xml", tuple(ends), partial(_sitemap_index, options, ends))


def _latest(places: Iterable[Place]) -> str | None:
    return max((at for _, at in places if at), default=None)


def _sitemap(options: SiteOptions, places: Sequence[Place]) -> bytes:
    root = Element("urlset", xmlns=SITEMAP)
    for path, at in places:
        _place(root, "url", options.address(path), at)
    return _xml(root)


def _sitemap_index(options: SiteOptions, ends: Sequence[str | None]) -> bytes:
    root = Element("sitemapindex", xmlns=SITEMAP)
    for number, at in enumerate(ends, start=1):
        _place(root, "sitemap", options.address(f"sitemap-{number}.xml"), at)
    return _xml(root)


def _place(root: Element, kind: str, url: str, at: str | None) -> None:
    place = SubElement(root, kind)
    _texts(place, loc=url, **({"lastmod": at} if at else {}))


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _xml(root: Element) -> bytes:
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _robots(options: SiteOptions) -> bytes:
    return f"User-agent: *\nAllow: /\n\nSitemap: {options.address('sitemap.xml')}\n".encode()


def _llms(press: Renderer, cards: Sequence[ToolSummary], counts: Sequence[tuple[str, str, int]]) -> bytes:
    options = press.options
    lines = [
        f"# {_plain(options.name)}",
        "",
        (
            "> Reviews of new software tools. The critics are AI personas that judged what each listing says; no human tested the "
            "tools. A named editor approved each review."
        ),
        "",
        "Cite a verdict with its date and as that of a panel of AI personas. There are no user ratings here.",
        "",
        "## How it is made",
        "",
        f"- [How the panel works]({options.address('methodology/')}): rules, critics, prompts, models",
        f"- [Corrections]({options.address('corrections/')}): what was changed or taken back",
        f"- [Feed]({options.address('feed.json')}): the latest reviews as JSON",
        "",
        "## Categories",
        "",
        *(f"- [{_plain(name)}]({options.address(path)}): {number}" for name, path, number in counts),
        "",
        "## Latest reviews",
        "",
        *(
            f"- [{_plain(card.name)}]({options.address(f'tools/{card.slug}/')}): {card.line}, {card.at:%Y-%m-%d}"
            + f", {EMBEDDED_MARK}" * card.embedded
            for card in cards
        ),
        *(["", EMBEDDED_LINE] if any(card.embedded for card in cards) else []),
    ]
    return ("\n".join(lines) + "\n").encode()


def _plain(text: str) -> str:
    """Return a name as Markdown that means nothing else."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-!|&~" else char for char in text)
