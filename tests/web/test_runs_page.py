"""The page of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import builders
from web.pages import parsed, words

if TYPE_CHECKING:
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


async def test_a_run_shows_its_progress(browser: Browser, store: Store) -> None:
    run = await store.runs.create("batch", {})
    await store.runs.add_tools(run, [builders.tool("Lantern"), builders.tool("Sextant")])
    todo = await store.runs.next_tools(run)
    await store.runs.mark_done(run, todo[0].version)
    page = parsed(await browser.get("/runs"))
    assert "1 of 2" in words(page.xpath("//tbody/tr")[0])
    assert page.get_element_by_id("runs").get("hx-get") is None


async def test_runs_are_read_page_by_page(
    browser: Browser, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.web.runs_page.PAGE", 2)
    for _ in range(3):
        await store.runs.create("batch", {})
    page = parsed(await browser.get("/runs"))
    older = parsed(await browser.get(page.xpath("//a[@rel='next']/@href")[0]))
    assert [each.get("id") for each in page.xpath("//tbody/tr")] == ["run-3", "run-2"]
    assert [each.get("id") for each in older.xpath("//tbody/tr")] == ["run-1"]
