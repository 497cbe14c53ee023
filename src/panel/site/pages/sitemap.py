"""The sitemap, divided under an index if it is large, and robots.txt."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from panel.site.pages import Entries, Files, Page, all_pages
from panel.site.renderer import Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panel.site.options import SiteOptions

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST_ENTRIES = 10_000
"""Entries of one sitemap: 50,000 are allowed (sitemaps.org), and a smaller one is sooner rebuilt after a change."""


def _files(renderer: Renderer) -> Files:
    options = renderer.options
    yield from _sitemaps(options, _entries(renderer))
    robots = f"User-agent: *\nAllow: /\n\nSitemap: {options.address('sitemap.xml')}\n"
    yield SiteFile("robots.txt", (), robots.encode)


def _entries(renderer: Renderer) -> Entries:
    """Yield main pages first, so that these keep their places when a tool is added."""
    for main in (True, False):
        for entry in chain.from_iterable(page.sitemap(renderer) for page in all_pages()):
            if (entry[0].count("/") <= 1) is main:
                yield entry


def _sitemaps(options: SiteOptions, entries: Entries) -> Files:
    """Yield one sitemap, or several and their index; the entries of one at most are in memory."""
    chunk = list(islice(entries, MOST_ENTRIES))
    following = list(islice(entries, MOST_ENTRIES))
    if not following:
        yield _urls("sitemap.xml", options, chunk)
        return
    changed: list[str | None] = []
    while chunk:
        changed.append(max((at for _, at in chunk if at), default=None))
        yield _urls(f"sitemap-{len(changed)}.xml", options, chunk)
        chunk, following = following, list(islice(entries, MOST_ENTRIES))
    parts = [(f"sitemap-{number}.xml", at) for number, at in enumerate(changed, start=1)]
    yield SiteFile("sitemap.xml", tuple(changed), partial(_xml, "sitemapindex", "sitemap", options, parts))


def _urls(path: str, options: SiteOptions, entries: Sequence[tuple[str, str | None]]) -> SiteFile:
    return SiteFile(path, tuple(entries), partial(_xml, "urlset", "url", options, entries))


def _xml(kind: str, item: str, options: SiteOptions, entries: Iterable[tuple[str, str | None]]) -> bytes:
    root = Element(kind, xmlns=SITEMAP)
    for path, changed in entries:
        entry = SubElement(root, item)
        SubElement(entry, "loc").text = options.address(path)
        if changed:
            SubElement(entry, "lastmod").text = changed
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


PAGES = (Page(order=140, reserves=frozenset({"sitemap.xml", "robots.txt"}), files=_files),)
