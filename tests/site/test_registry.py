"""Pages of the site: each declares what it writes, and is found by being there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

import builders
from panel.core.text import RESERVED_SLUGS
from panel.site import pages
from panel.site.pages import all_pages
from panel.site.renderer import INDEX
from publishing import URL, Site, make_review, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

ABOUT = """
from panel.site.pages import Page
from panel.site.renderer import INDEX, Head, SiteFile

def _files(renderer):
    head = Head("about/", "About us", "Who we are.", (("About us", "about/"),))
    yield SiteFile("about/" + INDEX, (), lambda: renderer.page("moved.html.j2", head, target=""))

def _sitemap(renderer):
    yield "about/", None

PAGES = (Page(order=55, reserves=frozenset({"about"}), files=_files, sitemap=_sitemap, menu=("about/", "About")),)
"""


@pytest.fixture
def about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page of its own, in a module that nothing names."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "extra_page.py").write_text(ABOUT)
    monkeypatch.setattr(pages, "__path__", [*pages.__path__, str(folder)])
    all_pages.cache_clear()
    yield
    all_pages.cache_clear()


async def test_pages_write_what_they_reserve_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.site.pages.feeds.SITEMAP_ENTRIES", 10_000)
    await publish(site.store, builders.smollm3(), builders.skillclaw(), kind="compare")
    await site.build()
    reserved = [name for page in all_pages() for name in page.reserves]
    written = {path.partition("/")[0] for path in site.files()} - {"assets", ".panel-site"}
    assert sorted(reserved) == sorted(written)


async def test_no_tool_can_take_the_address_of_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools named like pages change no other page's address, whether core reserves their slugs or not."""
    monkeypatch.setattr("panel.site.catalog.PAGE_SIZE", 4)
    names = sorted(
        {name.partition(".")[0] for page in all_pages() for name in page.reserves} | {"assets", "vote"}
    )
    plain = Site(site.store, site.folder.with_name("plain"))
    await publish(site.store, make_review("Lantern"))
    await plain.build()
    addresses = {path for path in plain.pages() if not path.startswith("tools/")}
    await publish(site.store, *(make_review(name, category=None) for name in (*names, "1", "2")))
    built = await site.build()
    assert addresses <= set(site.pages())
    assert built.reviews == len(names) + 3
    assert "All tools, page 1" in site.page("tools/1/")
    assert "<h1" in site.page("tools/1-2/")
    assert len(set(site.files())) == built.files + 1


def test_reserved_words_are_fixed() -> None:
    """Tools that were reviewed keep their slugs: `critics` was never reserved, `methodology` always was."""
    assert len(RESERVED_SLUGS) == 63
    assert RESERVED_SLUGS.isdisjoint({"critics", "corrections", "bookmarks", "llms"})


@pytest.mark.usefixtures("about")
async def test_a_page_is_added_by_its_module_alone(site: Site) -> None:
    """Its file is built, its menu entry is on every page in its order, and the sitemap has it."""
    await publish(site.store, make_review())
    await site.build()
    assert "About us" in site.page("about/")
    for name in site.pages():
        assert ">About</a>" in site.text(name), name
    home = site.page("")
    assert home.index(">Methodology</a>") < home.index(">About</a>")
    assert f"{URL}/about/" in [node[0].text for node in etree.fromstring(site.raw("sitemap.xml"))]
    assert (site.folder / "about" / INDEX).is_file()
