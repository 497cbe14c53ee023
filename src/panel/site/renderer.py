"""Rendering of files: templates, shared assets, preview pictures, and the head of every page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, PackageLoader

from panel.core.frozen import Frozen
from panel.core.tally import Votes
from panel.report.editorial import Community
from panel.report.html import environment
from panel.report.json_ld import WebSite, web_page
from panel.site.og_image import Picture, png
from panel.site.options import OFF, OWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from jinja2 import Environment

    from panel.site.catalog import Catalog
    from panel.site.options import SiteOptions

INDEX, PICTURE, NOT_FOUND = "index.html", "card.png", "404.html"
_HASH_CHARS = 12
_STACK_BELOW = (
    "40rem"  # window width for a head of 14 rem and two columns of 13; narrower tables stack their cells
)
_SOURCES = {".py", ".j2", ".css", ".js", ".svg"}


class SiteFile(NamedTuple):
    """A file of the site; a change of `inputs`, the code or the options renders it anew."""

    path: str
    inputs: tuple[object, ...]
    render: Callable[[], bytes | Awaitable[bytes]]

    def digest(self, common: bytes) -> bytes:
        """Return the digest of the inputs, and of the bytes that all files have in common."""
        inputs = json.dumps(self.inputs, default=_plain).encode()
        return hashlib.blake2b(common + inputs, digest_size=16).digest()


def _plain(value: object) -> str:
    return value.model_dump_json() if isinstance(value, Frozen) else str(value)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a page.

    Attributes:
        path: such as `tools/smollm3/`.
        parents: names and paths of the pages above it in the breadcrumb.
        crumb: its own name in the breadcrumb; the title by default.
        kind: schema.org type of its JSON-LD, which has the terms of `data`; empty for a page without JSON-LD.
        picture: path of the page whose preview picture it has; None without one.
        caption: text alternative of the picture; the title by default.
        noindex: whether search engines are asked not to list the page.
    """

    path: str
    title: str
    description: str
    parents: tuple[tuple[str, str], ...] = ()
    crumb: str = ""
    kind: str = "WebPage"
    data: dict[str, Any] = field(default_factory=dict)
    picture: str | None = None
    caption: str = ""
    noindex: bool = False

    @property
    def trail(self) -> tuple[tuple[str, str], ...]:
        """Names and paths of the breadcrumb, the page itself last."""
        return *self.parents, (self.crumb or self.title, self.path)

    def numbered(self, number: int) -> Head:
        """Return the head of a numbered page of a long list, whose first page has this head."""
        path, title = f"{self.path}{number}/", f"{self.title}, page {number}"
        head = replace(self, path=path, title=title, parents=self.trail, crumb="")
        return replace(head, picture=self.path, caption=self.title)


class Renderer:
    """Renders the pages of a site; `menu` has the paths and labels of its main pages."""

    def __init__(self, options: SiteOptions, catalog: Catalog, menu: Sequence[tuple[str, str]]) -> None:
        self.options = options
        self.catalog = catalog
        self._menu = menu

    def file(self, template: str, head: Head, inputs: tuple[object, ...], **values: object) -> SiteFile:
        """Return the file of a page, which is rendered from its template with further values."""
        path = head.path if head.path == NOT_FOUND else head.path + INDEX
        return SiteFile(path, inputs, partial(self.page, template, head, **values))

    def files(
        self, template: str, head: Head, inputs: tuple[object, ...], about: str, **values: object
    ) -> Iterator[SiteFile]:
        """Yield the file of a page, and that of its preview picture with a sentence about the page."""
        yield self.file(template, replace(head, picture=head.path), inputs, **values)
        picture = Picture(self.options.name, "AI panel reviews", head.title, about)
        yield SiteFile(head.path + PICTURE, (picture,), partial(png, picture))

    def page(self, template: str, head: Head, **values: object) -> bytes:
        """Return a page, rendered from its template with further values."""
        options, not_found = self.options, head.path == NOT_FOUND
        # The page for missing addresses is served at any depth.
        root = options.base if not_found else "../" * head.path.count("/") or "./"
        site = WebSite(options.name, options.address)
        common = {
            "head": head,
            "picture": None if head.picture is None else options.address(head.picture + PICTURE),
            "root": root,
            "menu": self._menu,
            "asset": _asset,
            "policy": self._policy,
            "own": OWN,
            "sign_up": options.newsletter != OFF and not not_found,
            "json_ld": web_page(head.kind, head.trail, head.description, site, **head.data)
            if head.kind
            else None,
            "tool_pages": (),
            "critic_pages": {critic.id: f"{root}critics/{critic.id}/" for critic in options.critics},
        }
        return self.render(template, **{**common, **values})

    def render(self, template: str, **values: object) -> bytes:
        """Return a file, rendered from its template with the options of the site and further values."""
        return _environment().get_template(template).render(site=self.options, **values).encode()

    def community(self, slug: str) -> Community:
        """Return readers' votes on a tool as its pages show them."""
        votes = self.catalog.votes(slug)
        line = (votes or Votes()).line(self.options.shown_from)
        return Community(line, slug if self.options.voting and votes is not None else "")

    @cached_property
    def _policy(self) -> str:
        """The content security policy of every page: nothing from other hosts, and no inline script."""
        address = urlsplit(self.options.newsletter)
        outside = self.options.newsletter not in {OFF, OWN}
        form = f"'self' {address.scheme}://{address.netloc}" if outside else "'self'"
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action {form}; base-uri 'none'"
        )


def code_digest() -> str:
    """Return the digest of all code and templates that pages are made by."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for package in ("site", "report", "core"):
        for path in sorted(path for path in (root / package).rglob("*") if path.suffix in _SOURCES):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def shared_assets() -> dict[str, bytes]:
    """Return the style, script and icon of all pages by path; a path changes with the content."""
    own, reports = files("panel.site") / "assets", files("panel.report") / "templates"
    parts = (reports / "style.css", reports / "stacked.css", own / "site.css")
    style, stacked, site_style = (part.read_text(encoding="utf-8") for part in parts)
    style = f"{style}@media (max-width: {_STACK_BELOW}) {{\n{stacked}}}\n{site_style}"
    script, icon = ((own / name).read_bytes() for name in ("site.js", "icon.svg"))
    named = (("style", "css", style.encode()), ("site", "js", script), ("icon", "svg", icon))
    return {
        f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:_HASH_CHARS]}.{extension}": content
        for stem, extension, content in named
    }


def _asset(extension: str) -> str:
    return next(path for path in shared_assets() if path.endswith(extension))


@cache
def _environment() -> Environment:
    loaders = PackageLoader("panel", "site/templates"), PackageLoader("panel", "report/templates")
    made = environment(ChoiceLoader(loaders))
    made.filters |= {"day": "{:%Y-%m-%d}".format, "markdown": _markdown}
    return made


def _markdown(text: str) -> str:
    """Return a name with everything escaped that has a meaning in Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-!|&~" else char for char in text)
