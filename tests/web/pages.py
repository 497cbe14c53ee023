"""Pages as parsed documents, and drafts for them to show; the tests of pages share both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import html

import builders
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser
from store.editing import PLAIN, PRICED, QUIET, STERN, TESTED, approval, do, opinion
from store.samples import review
from web.conftest import Browser, services_for

if TYPE_CHECKING:
    import httpx2

    from panel.core.actor import Actor
    from panel.core.draft_state import State
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.store import Store


def clean(name: str = "Lantern", **fields: Any) -> PanelReview:
    """Return a review in which nothing is found."""
    of = builders.tool(name, **fields)
    return review(of, builders.take(70, text=PLAIN), builders.take(30, "skip", STERN), builders.no_take())


def wanting(of: Tool | None = None) -> PanelReview:
    """Return a review with a price that is not in the listing, which can be ticked, and an experience, which cannot."""
    return review(
        of, builders.take(70, text=PRICED), builders.take(60, text=QUIET), builders.take(30, "skip", TESTED)
    )


def parsed(response: httpx2.Response) -> Any:
    """Return a page as a browser parses it."""
    return html.document_fromstring(response.text)


def words(element: Any) -> str:
    """Return the words of a part of a page, with single blanks."""
    return " ".join(element.text_content().split())


def forms(page: Any, action: str) -> list[dict[str, str]]:
    """Return what the forms of a page send to an address if nothing is filled in."""
    return [
        dict(form.fields) for form in page.forms if form.get("action") == action and form.method == "POST"
    ]


async def send(browser: Browser, path: str, page: str | None = None, **fields: str) -> httpx2.Response:
    """Open a page, fill in its first form for an address, and send it without following where it leads."""
    opened = parsed(await browser.get(page or path.rpartition("/")[0]))
    form = forms(opened, path)[0]
    return await browser.post(path, data={**form, **fields})


def at(store: Store, actor: Actor) -> Browser:
    return Browser(create_app(services_for(store), AccessPolicy(SingleUser(actor))))


async def state_of(store: Store, draft: int) -> State:
    return (await approval(store).view(draft)).current.state


async def kinds_of(store: Store, draft: int) -> list[str]:
    return [event.kind for event in (await approval(store).view(draft)).history]


async def seat_form(browser: Browser, draft: int, persona: str = "builder") -> dict[str, str]:
    """Return what the edit form of a seat sends if nothing is changed."""
    page = parsed(await browser.get(f"/drafts/{draft}"))
    found = forms(page, f"/drafts/{draft}/edit")
    return next(form for form in found if form.get("persona") == persona)


async def resolve_all_but_experience(store: Store, draft: int) -> None:
    for each in (await approval(store).view(draft)).unresolved:
        if each.allowed:
            await do(store, draft, "tick", resolution=opinion(each))
