"""Actions that are refused or come too late: nothing that was written is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.draft_edits import TextChange
from panel.core.draft_state import State
from store.editing import OTHER, PLAIN, approval, do, drafted
from web.pages import (
    clean,
    forms,
    parsed,
    seat_form,
    send,
    state_of,
    wanting,
    words,
)

if TYPE_CHECKING:
    from panel.store import Store
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


async def test_a_second_save_with_other_fields_is_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    form = {**await seat_form(browser, draft), "take": OTHER}
    await browser.post(f"/drafts/{draft}/edit", data=form)
    for more in ({"score": "66"}, {"reason": "It says the same in fewer words."}):
        again = await browser.post(f"/drafts/{draft}/edit", data={**form, **more})
        assert again.status_code in {400, 409}
        ((_, text),) = more.items()
        page = forms(parsed(again), f"/drafts/{draft}/edit")[0]
        assert text in page.values()


async def test_a_second_reason_is_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/request_changes")[0]
    await browser.post(f"/drafts/{draft}/request_changes", data={**form, "reason": "Cut the first line."})
    again = await browser.post(
        f"/drafts/{draft}/request_changes", data={**form, "reason": "Cut the last line."}
    )
    assert again.status_code == 409
    assert "Cut the last line." in again.text


async def test_a_fact_without_a_claim_is_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = next(one for one in forms(page, f"/drafts/{draft}/edit") if "price_class" in one)
    source = "https://docs.lantern.example/pricing"
    data = {**form, "claim": "", "source": source, "checked_on": "2026-11-20"}
    answer = await browser.post(f"/drafts/{draft}/edit", data=data)
    assert answer.status_code in {400, 409}
    assert source in answer.text


async def test_a_late_edit_is_given_back_beside_the_present_text(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    mine = PLAIN.replace("every week", "each and every week")
    late = await browser.post(
        f"/drafts/{draft}/edit", data={**form, "take": mine, "score": "71", "reason": "Clearer."}
    )
    assert late.status_code == 409
    page = parsed(late)
    assert "changed by Kim" in words(page.xpath("//*[@role='alert']")[0])
    assert OTHER in words(page.find_class("sides")[0])
    again = forms(page, f"/drafts/{draft}/edit")[0]
    assert (again["take"].strip(), again["score"], again["reason"]) == (mine, "71", "Clearer.")
    await browser.post(f"/drafts/{draft}/edit", data=again)
    builder = (await approval(store).view(draft)).shown.review.seats[0].take
    assert builder
    assert (builder.take, builder.score) == (mine, 71)


async def test_a_late_edit_keeps_fields_that_it_did_not_change(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    late = await browser.post(f"/drafts/{draft}/edit", data={**form, "score": "71"})
    await browser.post(f"/drafts/{draft}/edit", data=forms(parsed(late), f"/drafts/{draft}/edit")[0])
    builder = (await approval(store).view(draft)).shown.review.seats[0].take
    assert builder
    assert (builder.take, builder.score) == (OTHER, 71)


async def test_a_late_approval_shows_the_changes(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/approve")[0]
    await do(
        store, draft, "edit", changes=(TextChange(persona="builder", value=PLAIN.replace("log", "error")),)
    )
    late = await browser.post(f"/drafts/{draft}/approve", data=form)
    assert late.status_code == 409
    assert [words(each) for each in parsed(late).xpath("//ins")] == ["error"]
    assert not forms(parsed(late), f"/drafts/{draft}/approve")
    assert await state_of(store, draft) is State.IN_REVIEW


async def test_invalid_fields_are_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER, "score": "many"})
    assert answer.status_code == 400
    page = forms(parsed(answer), f"/drafts/{draft}/edit")[0]
    assert (page["take"].strip(), page["score"]) == (OTHER, "many")
    assert "score" in words(parsed(answer).xpath("//*[@role='alert']")[0])


async def test_an_invalid_source_is_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    answer = await send(browser, f"/drafts/{draft}/tick", kind="supported", source="http://10.0.0.1/")
    assert answer.status_code == 400
    assert forms(parsed(answer), f"/drafts/{draft}/tick")[0]["source"] == "http://10.0.0.1/"


async def test_a_draft_reserved_for_another_cannot_be_changed(
    browser: Browser, ada: Browser, store: Store
) -> None:
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await send(ada, f"/drafts/{draft}/take_over")
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER})
    assert answer.status_code == 409
    assert "reserved for Ada" in words(parsed(answer).xpath("//*[@role='alert']")[0])
    assert forms(parsed(answer), f"/drafts/{draft}/edit")[0]["take"].strip() == OTHER
