"""The queue and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import builders
from panel.core.draft_state import Action, State
from store.editing import ADA, do, drafted
from web.pages import at, clean, parsed, send, state_of, wanting, words

if TYPE_CHECKING:
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


async def test_an_empty_queue_says_what_fills_it(browser: Browser) -> None:
    page = parsed(await browser.get("/"))
    assert "panel review" in words(page.find_class("empty")[0])


async def test_a_row_shows_votes_findings_cost_age_and_reservation(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting(builders.tool(category="Logs")))
    await store.locks.lock(draft, ADA)
    row = words(parsed(await browser.get("/")).xpath("//tbody/tr")[0])
    for text in ("Lantern", "Logs", "Ship 2 ship / 1 skip", "2", "$0.0102", "< 1 min", "Ada"):
        assert text in row


async def test_tabs_count_the_drafts_of_each_state(browser: Browser, store: Store) -> None:
    first, _ = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    await do(store, first, Action.REJECT)
    page = parsed(await browser.get("/?state=rejected"))
    tabs = {words(tab): tab.get("aria-current") for tab in page.find_class("tabs")[0]}
    assert tabs["Drafted 1"] is None
    assert tabs["Rejected 1"] == "page"
    assert tabs["All 2"] is None
    assert [words(link) for link in page.xpath("//tbody//a")] == ["Lantern"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=lant", ["Lantern"]),
        ("category=Logs", ["Lantern"]),
        ("flag=price", ["Lantern"]),
        ("split=unanimous", []),
        ("persona=skeptic&verdict=skip", ["Sextant"]),
        ("persona=skeptic", ["Lantern"]),
        ("cost=0.01", ["Lantern", "Sextant"]),
        ("cost=1", []),
        ("days=0", ["Lantern", "Sextant"]),
        ("days=1", []),
        ("order=newest", ["Sextant", "Lantern"]),
    ],
)
async def test_filters_choose_drafts(query: str, found: list[str], browser: Browser, store: Store) -> None:
    await drafted(store, wanting(builders.tool(category="Logs")))
    await drafted(store, clean("Sextant"))
    page = parsed(await browser.get(f"/?{query}"))
    assert [words(link) for link in page.xpath("//tbody//a")] == found
    assert bool(page.find_class("empty")) == (not found)


@pytest.mark.parametrize(
    "query", ["flag=rumour", "persona=nobody", "cost=much", "days=-1", "state=lost", "order=random"]
)
async def test_an_unusable_filter_is_left_out_and_named(query: str, browser: Browser, store: Store) -> None:
    await drafted(store)
    page = parsed(await browser.get(f"/?{query}"))
    assert [words(link) for link in page.xpath("//tbody//a")] == ["Lantern"]
    assert "so it was left out" in words(page.xpath("//*[@role='alert']")[0])


async def test_a_long_queue_is_read_page_by_page(
    browser: Browser, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.web.queue_page.PAGE", 2)
    for name in ("Lantern A", "Lantern B", "Lantern C", "Sextant"):
        await drafted(store, clean(name))
    page = parsed(await browser.get("/?search=lantern"))
    following = parsed(await browser.get(page.xpath("//a[@rel='next']/@href")[0]))
    assert [words(link) for link in page.xpath("//tbody//a")] == ["Lantern A", "Lantern B"]
    assert [words(link) for link in following.xpath("//tbody//a")] == ["Lantern C"]
    assert not following.xpath("//a[@rel='next']")


async def test_a_notice_publishes_or_undoes_an_approval(browser: Browser, store: Store) -> None:
    first, second = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    note = (await send(browser, f"/drafts/{first}/approve")).headers["location"]
    answer = await send(browser, f"/drafts/{first}/publish", note)
    assert answer.headers["location"] == f"/drafts/{second}?done=publish&was={first}"
    assert await state_of(store, first) is State.PUBLISHED
    note = (await send(browser, f"/drafts/{second}/approve")).headers["location"]
    await send(browser, f"/drafts/{second}/undo", note)
    assert await state_of(store, second) is State.IN_REVIEW


async def test_a_notice_is_shown_only_for_the_users_own_last_event(browser: Browser, store: Store) -> None:
    draft, _ = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    note = (await send(browser, f"/drafts/{draft}/approve")).headers["location"]
    async with at(store, ADA) as ada:
        assert not parsed(await ada.get(note)).find_class("notice")
    await do(store, draft, "undo")
    assert not parsed(await browser.get(note)).find_class("notice")
