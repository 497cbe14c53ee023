"""The pages of the site, one module a kind of page. A module is found by being here: nothing else lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from panel.site.renderer import Renderer, SiteFile

Files: TypeAlias = Iterator[SiteFile]
Entries: TypeAlias = Iterable[tuple[str, str | None]]
"""Paths in the sitemap, each with the time of its last change by ISO 8601."""


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of page. Each module declares one or more in its constant `PAGES`.

    Attributes:
        order: place in the menu and the sitemap.
        reserves: names of files and folders directly below the root that only this page may write.
        files: yields its files.
        sitemap: returns its entries in the sitemap.
        menu: path and label of its entry in the menu; None without one.
    """

    order: int
    reserves: frozenset[str]
    files: Callable[[Renderer], Files]
    sitemap: Callable[[Renderer], Entries] = lambda _renderer: ()
    menu: tuple[str, str] | None = None


@cache
def all_pages() -> tuple[Page, ...]:
    """Return the pages that the modules of this package declare, in the order of menu and sitemap."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return tuple(sorted((page for module in modules for page in module.PAGES), key=lambda page: page.order))
