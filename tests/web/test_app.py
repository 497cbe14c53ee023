"""Facts of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from store.editing import drafted
from web.pages import parsed, wanting, words

if TYPE_CHECKING:
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


async def test_a_missing_draft_leads_to_the_queue(browser: Browser) -> None:
    for path in ("/drafts/7", "/drafts/7/page", "/drafts/7/history", "/drafts/99999999999999999999"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert parsed(answer).xpath("//main//a[@href='/']")


async def test_the_help_page_lists_the_keys_of_the_dialog(browser: Browser) -> None:
    page = parsed(await browser.get("/help"))
    lists = [[words(key) for key in each.xpath(".//dt")] for each in page.find_class("keys")]
    assert lists[0] == lists[1]
    assert {"a", "r", "c", "g", "e", "u", "p", "/", "?"} <= set(" ".join(lists[0]).split())


@pytest.mark.parametrize(
    "path", ["/", "/drafts/1", "/drafts/1/history", "/runs", "/help", "/?search=nothing"]
)
async def test_every_page_has_its_landmarks(path: str, browser: Browser, store: Store) -> None:
    await drafted(store, wanting())
    page = parsed(await browser.get(path))
    assert len(page.xpath("//h1")) == len(page.xpath("//main")) == 1
    assert page.xpath("//body/a[1]/@href") == ["#main"]
    assert not page.xpath("//*[@style or starts-with(name(@*), 'on')]")
    assert not page.xpath("//script[not(@src)]")
    assert all(
        _labelled(page, field)
        for field in page.xpath("//input[@type!='hidden' or not(@type)]|//select|//textarea")
    )


def _labelled(page: Any, field: Any) -> bool:
    labels = page.xpath("//label[@for=$name]", name=field.get("id") or "-")
    return bool(labels or field.get("aria-label"))
