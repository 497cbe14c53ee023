"""The history of a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.draft_edits import TextChange
from store.editing import OTHER, do, drafted
from web.pages import (
    parsed,
    resolve_all_but_experience,
    services_for,
    wanting,
    words,
)

if TYPE_CHECKING:
    from panel.store import Store
    from panel.web.services import Services
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


@pytest.fixture
def services(store: Store) -> Services:
    """What pages work with."""
    return services_for(store)


async def test_the_history_tells_every_event(browser: Browser, store: Store) -> None:
    draft = await drafted(store, wanting())
    await resolve_all_but_experience(store, draft)
    await do(
        store,
        draft,
        "edit",
        reason="Nobody tested it.",
        changes=(TextChange(persona="futurist", value=OTHER),),
    )
    await do(store, draft, "rerun_seat")
    await do(store, draft, "undo")
    page = parsed(await browser.get(f"/drafts/{draft}/history"))
    told = [words(item) for item in page.xpath("//ol[@class='history']/li")]
    assert [line.split(" Kim,")[0].split(" The program,")[0] for line in told] == [
        "Undid a step Asked a seat again, by Kim",
        "Asked a seat again Skeptic",
        "Edited",
        "Resolved a finding “$9 a month”: opinion",
        "Drafted",
    ]
    assert "Nobody tested it." in told[2]
    assert "Futurist, take" in told[2]
    assert page.xpath("//li[3]//del")
