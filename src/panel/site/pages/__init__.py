"""The pages of the site, one module a kind of page. A module is found by being here: nothing else lists them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel.site.page import Page


@cache
def all_pages() -> tuple[Page, ...]:
    """Return the pages that the modules of this package declare, in the order of menu and sitemap."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return tuple(sorted((page for module in modules for page in module.PAGES), key=lambda page: page.order))
