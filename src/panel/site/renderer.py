"""How a page of the site is printed: its template, what every page has, and where its links lead from there."""

from __future__ import annotations

import hashlib
import json
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, PackageLoader

from panel.core.base import Frozen
from panel.core.comparison import NO_VOTES
from panel.report.context import Community
from panel.report.html import environment
from panel.report.wording import counted
from panel.site.options import OFF, OWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from jinja2 import Environment

    from panel.core.votes import Votes
    from panel.site.catalog import Catalog
    from panel.site.options import SiteOptions

HASH_CHARS = 12
STACK_BELOW = "40rem"
"""Where the tables of a comparison of two stack their cells: a head of 14 rem and two columns of 13, as in reports."""


class File(NamedTuple):
    """A file of the site.

    Attributes:
        path: where it lies: `tools/smollm3/index.html`.
        shows: all that it depends on beside the code and the options.
        make: makes its bytes.
    """

    path: str
    shows: tuple[object, ...]
    make: Callable[[], bytes | Awaitable[bytes]]

    def digest(self, common: bytes) -> bytes:
        """Return the digest of all that it is made of."""
        told = hashlib.blake2b(common, digest_size=16)
        told.update(json.dumps(self.shows, default=_told).encode())
        return told.digest()


def _told(value: object) -> str:
    return value.model_dump_json() if isinstance(value, Frozen) else str(value)


class Renderer:
    """Prints pages.

    Args:
        options: what the site is told about itself.
        shelf: its reviews.
    """

    def __init__(self, options: SiteOptions, shelf: Catalog) -> None:
        self.options = options
        self.shelf = shelf

    @cached_property
    def assets(self) -> dict[str, bytes]:
        """The files that all pages share, under names that change with what is in them."""
        return {_hashed(name, content): content for name, content in _assets().items()}

    @cached_property
    def critic_names(self) -> dict[str, str]:
        """The critics' names by their ids."""
        return {critic.id: critic.name for critic in self.options.critics}

    def asset(self, ending: str) -> str:
        """Return the path of the shared file of an ending."""
        return next(path for path in self.assets if path.endswith(ending))

    def page(self, template: str, path: str, **values: Any) -> bytes:  # noqa: ANN401 - whatever the template shows
        """Return a page.

        Args:
            template: its template, which says what else it needs.
            path: where it lies: `tools/smollm3/`, or `404.html`.
            values: what it shows; `title`, `description` and `linked_data` of every page.
        """
        root = "../" * path.count("/") or "./"
        known = {
            "picture": None,
            "noindex": False,
            "root": self.options.base if path == "404.html" else root,
            "path": path,
            "site": self.options,
            "asset": self.asset,
            "policy": self.policy,
            "own": OWN,
            "sign_up": self.options.newsletter != OFF and path != "404.html",
            "tool_pages": (),
            "critic_pages": {critic.id: f"{root}critics/{critic.id}/" for critic in self.options.critics},
        }
        return _environment().get_template(template).render({**known, **values}).encode()

    @cached_property
    def policy(self) -> str:
        """The security policy of every page: nothing from anywhere else, and no script in the page."""
        elsewhere = self.options.newsletter not in {OFF, OWN}
        place = urlsplit(self.options.newsletter)
        form = f"'self' {place.scheme}://{place.netloc}" if elsewhere else "'self'"
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action {form}; base-uri 'none'"
        )

    def community(self, slug: str) -> Community:
        """Return what readers make of a tool."""
        # Whoever votes names a tool by the slug that it was listed with.
        named = slug not in self.shelf.made_up
        votes = self.shelf.votes.get(slug) if named else None
        line = votes_line(votes, self.options.shown_from) if votes else NO_VOTES
        return Community(line, slug if named and self.options.voting else "")


def votes_line(votes: Votes, shown_from: int) -> str:
    """Return votes as pages print them: `7 votes · 5 ship / 2 skip`; how they are split is told from a number on."""
    if not votes.total:
        return NO_VOTES
    split = f" · {votes.ships} ship / {votes.skips} skip" if votes.total >= shown_from else ""
    return f"{counted(votes.total, 'vote')}{split}"


def code_digest() -> str:
    """Return the digest of all code and templates that decide what pages look like."""
    told = hashlib.sha256()
    for package in ("panel.site", "panel.report", "panel.core"):
        for path in sorted(_sources(package)):
            told.update(path.encode())
            told.update(files(package).joinpath(path).read_bytes())
    return told.hexdigest()


def _sources(package: str) -> Iterable[str]:
    folder = files(package)
    endings = (".py", ".j2", ".css", ".js", ".svg")
    for name in ("", "templates", "assets", "checks"):
        place = folder.joinpath(name) if name else folder
        if place.is_dir():
            yield from (
                f"{name}/{one.name}" if name else one.name
                for one in place.iterdir()
                if one.name.endswith(endings)
            )


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
    stem, _, ending = name.rpartition(".")
    return f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:HASH_CHARS]}.{ending}"
