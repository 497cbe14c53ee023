"""Notices of the last action."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.draft_state import State
from store.editing import ADA, do, drafted
from web.pages import (
    at,
    clean,
    parsed,
    send,
    state_of,
)

if TYPE_CHECKING:
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


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
