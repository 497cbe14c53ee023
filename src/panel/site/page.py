"""Pages as the build sees them: files with their inputs, sitemap entries, and what a kind of page declares."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.base import Frozen
from panel.site.og_image import Picture, png

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary

INDEX = "index.html"
PICTURE = "card.png"


class SiteFile(NamedTuple):
    """A file of the site.

    Attributes:
        path: such as `tools/smollm3/index.html`.
        inputs: everything that its content depends on beside the code and the options.
        render: returns its content.
    """

    path: str
    inputs: tuple[object, ...]
    render: Callable[[], bytes | Awaitable[bytes]]

    def digest(self, common: bytes) -> bytes:
        """Return the digest of its inputs and of those that all files have in common."""
        digest = hashlib.blake2b(common, digest_size=16)
        digest.update(json.dumps(self.inputs, default=_plain).encode())
        return digest.digest()


def _plain(value: object) -> str:
    return value.model_dump_json() if isinstance(value, Frozen) else str(value)


class SitemapEntry(NamedTuple):
    """A page in the sitemap: its path, and the time of its last change by ISO 8601."""

    path: str
    changed: str | None


def _no_entries(_renderer: Renderer) -> Iterable[SitemapEntry]:
    return ()


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of page. Each module in `site/pages` declares one or more in its constant `PAGES`.

    Attributes:
        order: place in the menu and the sitemap.
        reserves: names of files and folders directly below the root that it alone writes.
        files: yields its files.
        sitemap: yields its entries in the sitemap.
        menu: path and label of its entry in the menu; None without one.
    """

    order: int
    reserves: frozenset[str]
    files: Callable[[Renderer], Iterator[SiteFile]]
    sitemap: Callable[[Renderer], Iterable[SitemapEntry]] = _no_entries
    menu: tuple[str, str] | None = None


def picture_file(renderer: Renderer, path: str, title: str, about: str) -> SiteFile:
    """Return the preview picture of a page that is not about a single tool."""
    picture = Picture(site=renderer.options.name, kicker="AI panel reviews", title=title, about=about)
    return SiteFile(path + PICTURE, (picture,), partial(png, picture))


def versions_of(tools: Iterable[ToolSummary]) -> tuple[object, ...]:
    """Return the inputs of a list of tools."""
    return tuple((tool.slug, tool.digest) for tool in tools)
