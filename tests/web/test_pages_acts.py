"""What editors do with the forms of a draft's page: once, twice, and too late."""

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
from web.conftest import Browser
from web.sheets import (
    AGAIN,
    at,
    clean,
    forms,
    kinds_of,
    parsed,
    resolve_all_but_experience,
    seat_form,
    send,
    services_for,
    state_of,
    wanting,
    words,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.core.take import Seat
    from panel.store import DraftRecord, Store
    from panel.web.services import Services

pytestmark = pytest.mark.anyio


@pytest.fixture
def services(store: Store) -> Services:
    """What pages work with."""
    return services_for(store)


@pytest.fixture
async def ada(store: Store) -> AsyncIterator[Browser]:
    """The browser of Ada, who edits."""
    async with at(store, ADA) as opened:
        yield opened


# What is done with a draft


async def test_approving_opens_the_next_draft(browser: Browser, store: Store) -> None:
    """An approval leads to the draft that has waited longest and is with nobody else, which says what was done."""
    draft = await drafted(store, clean())
    held, following = await drafted(store, clean("Sextant")), await drafted(store, clean("Anvil"))
    await store.locks.lock(held, ADA)
    answer = await send(browser, f"/drafts/{draft}/approve")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/drafts/{following}?")
    page = parsed(await browser.get(answer.headers["location"]))
    assert words(page.find_class("notice")[0]).startswith("Approved Lantern (draft 1): approved.")
    assert await kinds_of(store, draft) == ["drafted", "open", "approve"]


async def test_a_list_is_worked_through(browser: Browser, store: Store) -> None:
    """Whoever opens a draft from a filtered list gets the next one of that list, and at its end the list itself."""
    for name, category in (("Lantern", "Logs"), ("Sextant", "Maps"), ("Anvil", "Logs")):
        await drafted(store, clean(name, category=category))
    link = parsed(await browser.get("/?category=Logs&order=newest")).xpath("//tbody//a/@href")[0]
    answer = await send(browser, "/drafts/3/approve", link)
    assert answer.headers["location"].startswith("/drafts/1?")
    answer = await send(browser, "/drafts/1/reject", answer.headers["location"], reason="Not a tool.")
    assert answer.headers["location"] == "/?category=Logs&order=newest&done=reject&was=1"
    page = parsed(await browser.get(answer.headers["location"]))
    assert words(page.find_class("notice")[0]).startswith("Rejected Lantern (draft 1): rejected.")


async def test_a_note_publishes_or_undoes_what_was_approved(browser: Browser, store: Store) -> None:
    """The note of an approval publishes it and stays where somebody is; that of another one takes it back."""
    first, second = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    note = (await send(browser, f"/drafts/{first}/approve")).headers["location"]
    answer = await send(browser, f"/drafts/{first}/publish", note)
    assert answer.headers["location"] == f"/drafts/{second}?done=publish&was={first}"
    assert await state_of(store, first) is State.PUBLISHED
    note = (await send(browser, f"/drafts/{second}/approve")).headers["location"]
    await send(browser, f"/drafts/{second}/undo", note)
    assert await state_of(store, second) is State.IN_REVIEW


async def test_a_note_is_gone_once_something_else_was_done(browser: Browser, store: Store) -> None:
    """An address that says what was done says nothing once it is not the last thing done, nor to anybody else."""
    draft, _ = await drafted(store, clean()), await drafted(store, clean("Sextant"))
    note = (await send(browser, f"/drafts/{draft}/approve")).headers["location"]
    async with at(store, ADA) as ada:
        assert not parsed(await ada.get(note)).find_class("notice")
    await do(store, draft, "undo")
    assert not parsed(await browser.get(note)).find_class("notice")


async def test_ticking_leads_to_the_next_finding(browser: Browser, store: Store) -> None:
    """A tick names who dealt with the finding, and how; the next finding comes into view."""
    draft = await drafted(store, wanting())
    finding, other = (each.finding for each in (await approval(store).view(draft)).unresolved)
    answer = await send(
        browser, f"/drafts/{draft}/tick", kind="supported", source="https://lantern.example.com/price"
    )
    assert answer.headers["location"].endswith(f"#finding-{other.id[:12]}")
    page = parsed(await browser.get(f"/drafts/{draft}"))
    ticked = page.xpath(f"//li[@id='finding-{finding.id[:12]}']")[0]
    assert "Supported, by Kim: https://lantern.example.com/price" in words(ticked)


async def test_an_experience_can_only_be_cut(browser: Browser, store: Store) -> None:
    """A finding that no tick can deal with offers no tick; once its words are gone, so is the finding."""
    draft = await drafted(store, wanting())
    finding = (await approval(store).view(draft)).unresolved[1].finding
    item = parsed(await browser.get(f"/drafts/{draft}")).get_element_by_id(f"finding-{finding.id[:12]}")
    assert not item.xpath(".//form")
    form = await seat_form(browser, draft, "futurist")
    await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER})
    assert finding not in (await approval(store).view(draft)).findings


async def test_an_edit_changes_what_was_changed_and_nothing_else(browser: Browser, store: Store) -> None:
    """Of all fields that the form sends, the event holds those that differ, with the reason."""
    draft = await drafted(store, wanting())
    form = await seat_form(browser, draft)
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "score": "55", "reason": "Too kind."})
    assert answer.headers["location"].endswith("#seat-builder")
    last = (await approval(store).view(draft)).history[-1]
    assert [edit["change"]["field"] for edit in last.payload["edits"]] == ["score"]
    assert last.reason == "Too kind."


async def test_facts_and_price_class_can_be_edited(browser: Browser, store: Store) -> None:
    """The form of the tool adds a fact with a source, sets the price class, and leaves blank rows out."""
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
    """The new answer takes the place of the old one, and the page leads back to the seat."""
    draft = await drafted(store, clean())
    answer = await send(browser, f"/drafts/{draft}/rerun_seat")
    assert answer.headers["location"].endswith("#seat-builder")
    assert AGAIN in words(parsed(await browser.get(f"/drafts/{draft}")).get_element_by_id("seat-builder"))


async def test_a_model_that_cannot_be_asked_is_told(services: Services, store: Store) -> None:
    """Where asking again fails, the page says why, and the draft stays as it is."""

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


async def test_a_decision_without_a_reason_is_not_made(browser: Browser, store: Store) -> None:
    """Where a reason is needed, a blank one is refused in words, and the draft stays as it is."""
    draft = await drafted(store, clean())
    answer = await send(browser, f"/drafts/{draft}/reject", reason=" ")
    assert answer.status_code == 409
    assert "give a reason" in words(parsed(answer).xpath("//*[@role='alert']")[0])
    assert await state_of(store, draft) is State.DRAFTED


async def test_a_closed_draft_can_be_reopened(browser: Browser, store: Store) -> None:
    """A rejected draft says so, and goes back to review."""
    draft = await drafted(store, clean())
    await send(browser, f"/drafts/{draft}/reject", reason="Not a tool.")
    await send(browser, f"/drafts/{draft}/open")
    assert await state_of(store, draft) is State.IN_REVIEW


# What was done twice, or too late


@pytest.mark.parametrize("name", ["approve", "reject", "request_changes"])
async def test_a_second_click_finds_it_done(name: str, browser: Browser, store: Store) -> None:
    """A form that is sent twice is done once, and the second answer says so and leads on."""
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


async def test_a_second_undo_takes_nothing_else_back(browser: Browser, store: Store) -> None:
    """An undo that is sent twice, even at once, takes back one step."""
    draft = await drafted(store, wanting())
    await resolve_all_but_experience(store, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="futurist", value=OTHER),))
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/undo")[0]
    before = len(await kinds_of(store, draft))
    answers = [await browser.post(f"/drafts/{draft}/undo", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 200]
    assert len(await kinds_of(store, draft)) == before + 1


async def test_a_second_save_finds_it_saved(browser: Browser, store: Store) -> None:
    """An edit that is sent twice is made once, and leads to the draft both times."""
    draft = await drafted(store, clean())
    form = {**await seat_form(browser, draft), "take": OTHER}
    answers = [await browser.post(f"/drafts/{draft}/edit", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert (await kinds_of(store, draft)).count("edit") == 1


async def test_a_second_save_that_says_more_is_no_repeat(browser: Browser, store: Store) -> None:
    """A form that was saved, and is sent again with something else beside it, is given back as one that comes too late."""
    draft = await drafted(store, clean())
    form = {**await seat_form(browser, draft), "take": OTHER}
    await browser.post(f"/drafts/{draft}/edit", data=form)
    for more in ({"score": "66"}, {"reason": "It says the same in fewer words."}):
        again = await browser.post(f"/drafts/{draft}/edit", data={**form, **more})
        assert again.status_code in {400, 409}
        ((_, text),) = more.items()
        kept = forms(parsed(again), f"/drafts/{draft}/edit")[0]
        assert text in kept.values()


async def test_a_second_reason_is_not_lost(browser: Browser, store: Store) -> None:
    """Whoever sends a draft back again, for another reason, gets that reason back."""
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/request_changes")[0]
    await browser.post(f"/drafts/{draft}/request_changes", data={**form, "reason": "Cut the first line."})
    again = await browser.post(
        f"/drafts/{draft}/request_changes", data={**form, "reason": "Cut the last line."}
    )
    assert again.status_code == 409
    assert "Cut the last line." in again.text


async def test_a_fact_without_a_claim_is_told(browser: Browser, store: Store) -> None:
    """A source that somebody typed beside an empty claim is not dropped without a word."""
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = next(one for one in forms(page, f"/drafts/{draft}/edit") if "price_class" in one)
    source = "https://docs.lantern.example/pricing"
    data = {**form, "claim": "", "source": source, "checked_on": "2026-11-20"}
    answer = await browser.post(f"/drafts/{draft}/edit", data=data)
    assert answer.status_code in {400, 409}
    assert source in answer.text


async def test_a_late_edit_keeps_what_was_written(browser: Browser, store: Store) -> None:
    """Whoever saves after somebody else gets a page with both versions, and what they wrote goes in with the next click."""
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    mine = PLAIN.replace("every week", "each and every week")
    late = await browser.post(
        f"/drafts/{draft}/edit", data={**form, "take": mine, "score": "71", "reason": "Clearer."}
    )
    assert late.status_code == 409
    kept = parsed(late)
    assert "changed by Kim" in words(kept.xpath("//*[@role='alert']")[0])
    assert OTHER in words(kept.find_class("sides")[0])
    again = forms(kept, f"/drafts/{draft}/edit")[0]
    assert (again["take"].strip(), again["score"], again["reason"]) == (mine, "71", "Clearer.")
    await browser.post(f"/drafts/{draft}/edit", data=again)
    builder = (await approval(store).view(draft)).shown.review.seats[0].take
    assert builder
    assert (builder.take, builder.score) == (mine, 71)


async def test_a_late_edit_leaves_alone_what_it_did_not_touch(browser: Browser, store: Store) -> None:
    """What somebody else changed meanwhile stays as they left it where the late edit had left it as it was."""
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    late = await browser.post(f"/drafts/{draft}/edit", data={**form, "score": "71"})
    await browser.post(f"/drafts/{draft}/edit", data=forms(parsed(late), f"/drafts/{draft}/edit")[0])
    builder = (await approval(store).view(draft)).shown.review.seats[0].take
    assert builder
    assert (builder.take, builder.score) == (OTHER, 71)


async def test_a_late_approval_says_what_has_changed(browser: Browser, store: Store) -> None:
    """An approval of what is no longer shown approves nothing, and the page shows what was done since."""
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


async def test_what_cannot_be_saved_is_kept(browser: Browser, store: Store) -> None:
    """A score that is none is named, and everything else that was written is still in the form."""
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER, "score": "many"})
    assert answer.status_code == 400
    kept = forms(parsed(answer), f"/drafts/{draft}/edit")[0]
    assert (kept["take"].strip(), kept["score"]) == (OTHER, "many")
    assert "score" in words(parsed(answer).xpath("//*[@role='alert']")[0])


async def test_a_bad_source_is_kept(browser: Browser, store: Store) -> None:
    """An address that cannot be a source is named, and stays in the field."""
    draft = await drafted(store, wanting())
    answer = await send(browser, f"/drafts/{draft}/tick", kind="supported", source="http://10.0.0.1/")
    assert answer.status_code == 400
    assert forms(parsed(answer), f"/drafts/{draft}/tick")[0]["source"] == "http://10.0.0.1/"


async def test_somebody_elses_draft_cannot_be_changed(browser: Browser, ada: Browser, store: Store) -> None:
    """A form from before somebody else took the draft over is refused with their name, and what it held is kept."""
    draft = await drafted(store, clean())
    form = await seat_form(browser, draft)
    await send(ada, f"/drafts/{draft}/take_over")
    answer = await browser.post(f"/drafts/{draft}/edit", data={**form, "take": OTHER})
    assert answer.status_code == 409
    assert "reserved for Ada" in words(parsed(answer).xpath("//*[@role='alert']")[0])
    assert forms(parsed(answer), f"/drafts/{draft}/edit")[0]["take"].strip() == OTHER


async def test_no_seat_is_asked_again_for_nothing(browser: Browser, store: Store) -> None:
    """A draft that has changed, or is with somebody else, is told before a model is asked."""
    draft = await drafted(store, clean())
    page = parsed(await browser.get(f"/drafts/{draft}"))
    form = forms(page, f"/drafts/{draft}/rerun_seat")[0]
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=OTHER),))
    assert (await browser.post(f"/drafts/{draft}/rerun_seat", data=form)).status_code == 409
    assert "rerun_seat" not in await kinds_of(store, draft)


async def test_what_nobody_can_do_is_nowhere(browser: Browser, store: Store) -> None:
    """An action that does not exist is a page that is not there."""
    draft = await drafted(store, clean())
    token = forms(parsed(await browser.get(f"/drafts/{draft}")), f"/drafts/{draft}/approve")[0]
    assert (await browser.post(f"/drafts/{draft}/approve_all", data=token)).status_code == 404
