"""Rendering of files: templates, shared assets, preview pictures, and the head that every page has."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, PackageLoader

from panel.core.base import Frozen
from panel.core.votes import Votes
from panel.report.context import Community
from panel.report.html import environment
from panel.report.json_ld import WebSite, web_page
from panel.site.og_image import Picture, png
from panel.site.options import OFF, OWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from jinja2 import Environment

    from panel.site.catalog import Catalog
    from panel.site.options import SiteOptions

INDEX, PICTURE, NOT_FOUND = "index.html", "card.png", "404.html"
HASH_CHARS = 12
STACK_BELOW = "40rem"
"""Window width below which tables of two tools stack their cells: a head of 14 rem and two columns of 13, as in reports."""
_SOURCES = (".py", ".j2", ".css", ".js", ".svg")


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


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a page.

    Attributes:
        path: such as `tools/smollm3/`.
        trail: names and paths of the breadcrumb, the page itself last.
        kind: schema.org type of its JSON-LD; empty without any.
        data: further terms of its JSON-LD.
        picture: path of the page whose preview picture it has; None without one.
        caption: text alternative of the picture; the title by default.
        noindex: whether search engines are asked not to list it.
    """

    path: str
    title: str
    description: str
    trail: tuple[tuple[str, str], ...] = ()
    kind: str = "WebPage"
    data: dict[str, Any] = field(default_factory=dict)
    picture: str | None = None
    caption: str = ""
    noindex: bool = False


class Renderer:
    """Renders pages of a site.

    Args:
        options: of the site.
        catalog: its tools.
        menu: paths and labels of its main pages.
    """

    def __init__(self, options: SiteOptions, catalog: Catalog, menu: Sequence[tuple[str, str]]) -> None:
        self.options = options
        self.catalog = catalog
        self._menu = menu

    @cached_property
    def assets(self) -> dict[str, bytes]:
        """Shared files by path; a path changes with the content."""
        return {_hashed(name, content): content for name, content in _assets().items()}

    def file(self, template: str, head: Head, inputs: tuple[object, ...], **values: Any) -> SiteFile:  # noqa: ANN401 - depends on the template
        """Return the file of a page whose values are known."""
        path = head.path if head.path == NOT_FOUND else head.path + INDEX
        return SiteFile(path, inputs, partial(self.page, template, head, **values))

    def picture(self, path: str, title: str, about: str) -> SiteFile:
        """Return the preview picture of a page that is not about a single tool."""
        picture = Picture(self.options.name, "AI panel reviews", title, about)
        return SiteFile(path + PICTURE, (picture,), partial(png, picture))

    def page(self, template: str, head: Head, **values: Any) -> bytes:  # noqa: ANN401 - depends on the template
        """Return a page, rendered from its template with further values."""
        options, not_found = self.options, head.path == NOT_FOUND
        # The page for missing addresses is served at any depth.
        root = options.base if not_found else "../" * head.path.count("/") or "./"
        common = {
            "head": head,
            "picture": None if head.picture is None else options.address(head.picture + PICTURE),
            "root": root,
            "site": options,
            "menu": self._menu,
            "asset": self._asset,
            "policy": self._policy,
            "own": OWN,
            "sign_up": options.newsletter != OFF and not not_found,
            "json_ld": self._json_ld(head),
            "tool_pages": (),
            "critic_pages": {critic.id: f"{root}critics/{critic.id}/" for critic in options.critics},
        }
        return _environment().get_template(template).render({**common, **values}).encode()

    def community(self, slug: str) -> Community:
        """Return readers' votes on a tool as its pages show them."""
        votes = self.catalog.votes(slug) or Votes()
        can_vote = self.options.voting and self.catalog.takes_votes(slug)
        return Community(votes.line(self.options.shown_from), slug if can_vote else "")

    def _asset(self, extension: str) -> str:
        return next(path for path in self.assets if path.endswith(extension))

    @cached_property
    def _policy(self) -> str:
        """The content security policy of every page: nothing from other hosts, and no inline script."""
        outside = self.options.newsletter not in {OFF, OWN}
        address = urlsplit(self.options.newsletter)
        form = f"'self' {address.scheme}://{address.netloc}" if outside else "'self'"
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action {form}; base-uri 'none'"
        )

    def _json_ld(self, head: Head) -> dict[str, Any] | None:
        if not head.kind:
            return None
        site = WebSite(self.options.name, self.options.address)
        return web_page(head.kind, head.trail, head.description, site, **head.data)


def code_digest() -> str:
    """Return the digest of all code and templates that pages are made by."""
    digest = hashlib.sha256()
    for package in ("panel.site", "panel.report", "panel.core"):
        for path, file in sorted(_sources(files(package))):
            digest.update(path.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(folder: Traversable, inside: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        path = f"{inside}{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, f"{path}/")
        elif path.endswith(_SOURCES):
            yield path, entry


@cache
def _environment() -> Environment:
    loaders = PackageLoader("panel", "site/templates"), PackageLoader("panel", "report/templates")
    made = environment(ChoiceLoader(loaders))
    made.filters["day"] = "{:%Y-%m-%d}".format
    return made


@cache
def _assets() -> dict[str, bytes]:
    own = files("panel.site").joinpath("assets")
    reports = files("panel.report").joinpath("templates")
    stacked = reports.joinpath("stacked.css").read_text(encoding="utf-8")
    style = "".join(
        [
            reports.joinpath("style.css").read_text(encoding="utf-8"),
            f"@media (max-width: {STACK_BELOW}) {{\n{stacked}}}\n",
            own.joinpath("site.css").read_text(encoding="utf-8"),
        ]
    )
    return {
        "style.css": style.encode(),
        "site.js": own.joinpath("site.js").read_bytes(),
        "icon.svg": own.joinpath("icon.svg").read_bytes(),
    }


def _hashed(name: str, content: bytes) -> str:
    stem, _, extension = name.rpartition(".")
    return f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:HASH_CHARS]}.{extension}"
