"""Files for other programs: Atom, JSON Feed, llms.txt for language models, the sitemap and robots.txt."""

from __future__ import annotations

import json
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from panel.report.wording import EMBEDDED_LINE
from panel.site.catalog import latest, versions
from panel.site.pages import Files, Page, all_pages
from panel.site.renderer import PICTURE, Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.site.options import SiteOptions
    from panel.site.tool_summary import ToolSummary

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
FEED_ENTRIES = 50
SITEMAP_ENTRIES = 10_000
"""Entries of one sitemap: 50,000 are allowed (sitemaps.org), and a smaller one is sooner rebuilt after a change."""
EPOCH = "1970-01-01T00:00:00+00:00"
"""Time of an empty feed, which must state one; the clock would give equal sites different bytes."""


def _feeds(renderer: Renderer) -> Files:
    catalog = renderer.catalog
    tools = latest(catalog.live, FEED_ENTRIES)
    inputs = versions(tools)
    yield SiteFile("feed.xml", inputs, partial(_atom, renderer, tools))
    yield SiteFile("feed.json", inputs, partial(_json_feed, renderer, tools))
    counts = tuple((one.name, one.path, len(one.tools)) for one in catalog.categories)
    shown = {"tools": tools, "categories": catalog.categories}
    yield SiteFile("llms.txt", (counts, inputs), partial(renderer.render, "llms.txt.j2", **shown))


def _atom(renderer: Renderer, tools: Sequence[ToolSummary]) -> bytes:
    options = renderer.options
    feed = Element("feed", xmlns=ATOM, attrib={"xml:lang": "en"})
    updated = max((tool.changed.isoformat() for tool in tools), default=EPOCH)
    _add_texts(feed, id=options.address(""), title=options.name, updated=updated)
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=options.address("feed.xml"))
    SubElement(feed, "link", rel="alternate", type="text/html", href=options.address(""))
    _add_texts(feed, generator=options.generator)
    for tool in tools:
        url = options.address(tool.path)
        entry = SubElement(feed, "entry")
        _add_texts(
            entry,
            id=url,
            title=f"{tool.name}: {tool.verdict_line}",
            published=tool.first_published.isoformat(),
            updated=tool.changed.isoformat(),
        )
        SubElement(entry, "link", rel="alternate", type="text/html", href=url)
        _add_texts(SubElement(entry, "author"), name=tool.approved_by)
        if tool.category:
            SubElement(entry, "category", term=tool.category)
        _add_texts(entry, summary=_summary(renderer, tool))
    return _xml(feed)


def _xml(root: Element) -> bytes:
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add_texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _json_feed(renderer: Renderer, tools: Sequence[ToolSummary]) -> bytes:
    options = renderer.options
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": options.name,
        "home_page_url": options.address(""),
        "feed_url": options.address("feed.json"),
        "language": "en",
        "items": [
            {
                "id": (url := options.address(tool.path)),
                "url": url,
                "title": f"{tool.name}: {tool.verdict_line}",
                "content_text": _summary(renderer, tool),
                "image": url + PICTURE,
                "date_published": tool.first_published.isoformat(),
                "date_modified": tool.changed.isoformat(),
                "authors": [{"name": tool.approved_by}],
                "tags": [tool.category] if tool.category else [],
            }
            for tool in tools
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _summary(renderer: Renderer, tool: ToolSummary) -> str:
    names = renderer.options.critic_names
    takes = [
        f"{names.get(one.critic, one.critic)} (AI persona), {one.score}/100: {text}"
        for one, text in renderer.catalog.record(tool).excerpts
    ]
    embedded = EMBEDDED_LINE if tool.embedded else ""
    return "\n\n".join([part for part in (tool.tagline, *takes, embedded) if part])


def _crawlers(renderer: Renderer) -> Files:
    """Yield robots.txt and one sitemap, or several and their index; not all entries are in memory at once."""
    options, entries = renderer.options, _sitemap_entries(renderer)
    robots = f"User-agent: *\nAllow: /\n\nSitemap: {options.address('sitemap.xml')}\n"
    yield SiteFile("robots.txt", (), robots.encode)
    chunks = iter(lambda: list(islice(entries, SITEMAP_ENTRIES)), [])
    first, second = next(chunks, []), next(chunks, [])
    if not second:
        yield _sitemap("sitemap.xml", options, first)
        return
    parts: list[tuple[str, str | None]] = []
    for number, chunk in enumerate(chain((first, second), chunks), start=1):
        parts.append((f"sitemap-{number}.xml", max((at for _, at in chunk if at), default=None)))
        yield _sitemap(parts[-1][0], options, chunk)
    yield _sitemap("sitemap.xml", options, parts, is_index=True)


def _sitemap_entries(renderer: Renderer) -> Iterator[tuple[str, str | None]]:
    """Yield main pages first, so that these keep their places when a tool is added."""
    for main in (True, False):
        for entry in chain.from_iterable(page.sitemap(renderer) for page in all_pages()):
            if (entry[0].count("/") <= 1) is main:
                yield entry


def _sitemap(
    path: str, options: SiteOptions, entries: Iterable[tuple[str, str | None]], *, is_index: bool = False
) -> SiteFile:
    kind, item = ("sitemapindex", "sitemap") if is_index else ("urlset", "url")

    def render() -> bytes:
        root = Element(kind, xmlns=SITEMAP)
        for page, changed in entries:
            texts = {"loc": options.address(page)} | ({"lastmod": changed} if changed else {})
            _add_texts(SubElement(root, item), **texts)
        return _xml(root)

    return SiteFile(path, (kind, *entries), render)


PAGES = (
    Page(130, frozenset({"feed.xml", "feed.json", "llms.txt"}), _feeds),
    Page(140, frozenset({"sitemap.xml", "robots.txt"}), _crawlers),
)
