"""Actions on drafts: once, twice, and at the same time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from panel.core.draft_edits import TextChange
from panel.core.draft_state import State
from panel.errors import RunStopped
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser
from store.editing import ADA, KIM, OTHER, PLAIN, approval, do, drafted
from web.conftest import AGAIN, Browser
from web.pages import (
    clean,
    forms,
    kinds_of,
    parsed,
    resolve_all_but_experience,
    seat_form,
    send,
    state_of,
    wanting,
    words,
)

if TYPE_CHECKING:
    from panel.core.take import Seat
    from panel.store import DraftRecord, Store
    from panel.web.requests import Services

pytestmark = pytest.mark.anyio


async def test_approving_opens_the_next_draft(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    held, following = await drafted(store, clean("Sextant")), await drafted(store, clean("Anvil"))
    await store.locks.lock(held, ADA)
    answer = await send(browser, f"/drafts/{draft}/approve")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/drafts/{following}?")
    page = parsed(await browser.get(answer.headers["location"]))
    assert words(page.find_class("notice")[0]).startswith("Approved Lantern (draft 1): approved.")
    assert await kinds_of(store, draft) == ["drafted", "open", "approve"]


async def test_a_decision_opens_the_next_draft_of_the_list(browser: Browser, store: Store) -> None:
    for name, category in (("Lantern", "Logs"), ("Sextant", "Maps"), ("Anvil", "Logs")):
        await drafted(store, clean(name, category=category))
    link = parsed(await browser.get("/?category=Logs&order=newest")).xpath("//tbody//a/@href")[0]
    answer = await send(browser, "/drafts/3/approve", link)
    assert answer.headers["location"].startswith("/drafts/1?")
    answer = await send(browser, "/drafts/1/reject", answer.headers["location"], reason="Not a tool.")
    assert answer.headers["location"] == "/?category=Logs&order=newest&done=reject&was=1"
    page = parsed(await browser.get(answer.headers["location"]))
    assert words(page.find_class("notice")[0]).startswith("Rejected Lantern (draft 1): rejected.")


async def test_a_resolution_leads_to_the_next_finding(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    finding, other = (each.finding for each in (await approval(store).view(draft)).unresolved)
    answer = await send(
        browser, f"/drafts/{draft}/resolve", kind="supported", source="https://lantern.example.com/price"
    )
    assert answer.headers["location"].endswith(f"#finding-{other.id[:12]}")
    page = parsed(await browser.get(f"/drafts/{draft}"))
    resolved = page.xpath(f"//li[@id='finding-{finding.id[:12]}']")[0]
    assert "Supported, by Kim: https://lantern.example.com/price" in words(resolved)


async def test_an_experience_can_only_be_cut(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    finding = (await approval(store).view(draft)).unresolved[1].finding
    item = parsed(await browser.get(f"/drafts/{draft}")).get_element_by_id(f"finding-{finding.id[:12]}")
    assert not item.xpath(".//form")
    form = await seat_form(browser, draft, "futurist")
    await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER})
    assert finding not in (await approval(store).view(draft)).findings


async def test_an_edit_records_only_changed_fields(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    form = await seat_form(browser, draft)
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "score": "55", "reason": "Too kind."})
    assert answer.headers["location"].endswith("#seat-builder")
    last = (await approval(store).view(draft)).history[-1]
    assert [edit["change"]["field"] for edit in last.payload["edits"]] == ["score"]
    assert last.reason == "Too kind."


async def test_facts_and_price_class_can_be_edited(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = next(form for form in forms(page, f"/drafts/{draft}/edit") if "price_class" in form)
    fact = {
        "claim": "It costs $9 a month.",
        "source": "https://lantern.example.com",
        "checked_on": "2026-11-20",
    }
    await browser.post(f"/drafts/{draft}/edit", data={**form, **fact, "price_class": "paid"})
    view = await approval(store).view(draft)
    assert view.shown.review.tool.price_class == "paid"
    assert [each.claim for each in view.shown.review.tool.facts] == ["It costs $9 a month."]
    assert "price" not in {each.finding.kind for each in view.unresolved}


async def test_a_seat_can_be_asked_again(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    answer = await send(browser, f"/drafts/{draft}/rerun_seat")
    assert answer.headers["location"].endswith("#seat-builder")
    assert AGAIN in words(parsed(await browser.get(f"/drafts/{draft}")).get_element_by_id("seat-builder"))


async def test_a_failed_model_call_is_explained(services: Services, store: Store) -> None:

    async def failing(_record: DraftRecord, _persona: str) -> Seat:
        raise RunStopped("Builder: timed out: No answer within 120 s. Ask again later.")

    draft = await drafted(store, clean())
    app = create_app(
        replace(services, approval=replace(services.approval, ask_seat=failing)),
        AccessPolicy(SingleUser(KIM)),
    )
    async with Browser(app) as browser:
        answer = await send(browser, f"/drafts/{draft}/rerun_seat")
    assert answer.status_code == 503
    assert "No answer within 120 s." in words(parsed(answer).xpath("//*[@role='alert']")[0])
    assert await kinds_of(store, draft) == ["drafted"]


async def test_a_rejection_needs_a_reason(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    answer = await send(browser, f"/drafts/{draft}/reject", reason=" ")
    assert answer.status_code == 409
    assert "give a reason" in words(parsed(answer).xpath("//*[@role='alert']")[0])
    assert await state_of(store, draft) is State.DRAFTED


async def test_a_closed_draft_can_be_reopened(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    await send(browser, f"/drafts/{draft}/reject", reason="Not a tool.")
    await send(browser, f"/drafts/{draft}/open")
    assert await state_of(store, draft) is State.IN_REVIEW


@pytest.mark.parametrize("name", ["approve", "reject", "request_changes"])
async def test_a_second_click_is_already_done(name: str, browser: Browser, store: Store) -> None:
    draft, following = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = {**forms(page, f"/drafts/{draft}/{name}")[0], "reason": "Because."}
    await browser.post(f"/drafts/{draft}/{name}", data=form)
    once = await kinds_of(store, draft)
    again = await browser.post(f"/drafts/{draft}/{name}", data=form)
    assert again.status_code == 200
    assert words(parsed(again).find(".//h1")) == "Already done"
    assert parsed(again).xpath(f"//a[@href='/drafts/{following}']")
    assert await kinds_of(store, draft) == once


async def test_a_second_undo_changes_nothing(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    await resolve_all_but_experience(store, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="futurist", value=OTHER),))
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/undo")[0]
    before = len(await kinds_of(store, draft))
    answers = [await browser.post(f"/drafts/{draft}/undo", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 200]
    assert len(await kinds_of(store, draft)) == before + 1


async def test_a_second_save_changes_nothing(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    form = {**await seat_form(browser, draft), "take": OTHER}
    answers = [await browser.post(f"/drafts/{draft}/edit", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert (await kinds_of(store, draft)).count("edit") == 1


async def test_no_model_is_asked_for_a_changed_draft(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/rerun_seat")[0]
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    assert (await browser.post(f"/drafts/{draft}/rerun_seat", data=form)).status_code == 409
    assert "rerun_seat" not in await kinds_of(store, draft)


async def test_an_unknown_action_is_not_found(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    token = forms(parsed(await browser.get(f"/drafts/{draft}")), f"/drafts/{draft}/approve")[0]
    assert (await browser.post(f"/drafts/{draft}/approve_all", data=token)).status_code == 404


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


async def test_an_edit_without_fields_changes_nothing(browser: Browser, store: Store) -> None:
    draft = await drafted(store, clean())
    answer = await send(browser, f"/drafts/{draft}/edit", persona="builder")
    assert answer.status_code == 400
    assert "nothing was changed; edit something, then save it" in words(parsed(answer))


async def test_an_invalid_source_is_given_back(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    answer = await send(browser, f"/drafts/{draft}/resolve", kind="supported", source="http://10.0.0.1/")
    assert answer.status_code == 400
    assert forms(parsed(answer), f"/drafts/{draft}/resolve")[0]["source"] == "http://10.0.0.1/"


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
