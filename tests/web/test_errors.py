"""Errors as pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response
from starlette.routing import Route

from panel.approval import StaleDraft
from panel.approval.commands import DraftCommand
from panel.core.draft_state import Action
from panel.errors import GateError, InputError, Problem, RunStopped, SettingsError, StorageError
from store.editing import approval
from store.samples import review
from web.conftest import KIM, ROWS, Browser, add_page, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request

    from panel.web.requests import Services

pytestmark = pytest.mark.anyio


KEY = "sk-ant-EXAMPLE"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GateError("draft 1 is with Ada for 4 minutes yet; wait, or take it over"), 409),
        (StaleDraft("draft 1 was changed; read it again", "d1" * 32, "My reason"), 409),
        (SettingsError("no such thing"), 400),
        (InputError([Problem("form", "expected a number", field="score")]), 400),
        (RunStopped("Skeptic: timed out: no answer. The draft stays as it is; ask again later."), 503),
        (StorageError("panel.db: disk full"), 503),
    ],
)
async def test_errors_are_pages_in_plain_words(
    error: Exception, status: int, app: Starlette, browser: Browser
) -> None:
    add_page(app, raising(error))
    answer = await browser.get("/page")
    assert answer.status_code == status
    words = str(error).splitlines()[0].removesuffix(".")
    shown = words if words.startswith("panel.db") else words[0].upper() + words[1:]
    assert f"<p>{shown}.</p>" in answer.text
    assert 'href="/"' in answer.text


async def test_a_stale_approval_gives_back_the_reason(
    app: Starlette, browser: Browser, services: Services
) -> None:
    store = services.store
    run = await store.runs.create("review", {})
    draft = await store.drafts.put(review(), run, await store.tools.put(review().tool))

    async def approve(_request: Request) -> Response:
        reason = "Fine <b>by</b> me"
        command = DraftCommand(action=Action.APPROVE, actor=KIM, seen="0" * 64, reason=reason)
        await approval(store).execute(draft, command)
        return Response()

    add_page(app, approve)
    answer = await browser.get("/page")
    assert answer.status_code == int(ROWS["web-approval-ui-12"]["expect"][:3])
    assert "Fine &lt;b&gt;by&lt;/b&gt; me</textarea>" in answer.text


async def test_a_draft_that_is_not_there_is_not_found(
    app: Starlette, browser: Browser, services: Services
) -> None:

    async def show(_request: Request) -> Response:
        await approval(services.store).view(404)
        return Response()

    add_page(app, show)
    answer = await browser.get("/page")
    assert (answer.status_code, "There is no draft 404; see" in answer.text) == (404, True)


async def test_a_bug_shows_nothing_of_itself(
    app: Starlette, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    add_page(app, raising(ValueError(f"the key is {KEY}")))
    answer = await browser.get("/page", params={"q": "secret-word"})
    assert answer.status_code == 500
    assert KEY not in answer.text
    assert "Traceback" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "panel: GET /page: this is a bug in panel; please report it"
    assert record.exc_info
    assert "secret-word" not in caplog.text


async def test_storage_errors_are_hidden_before_sign_in(
    accounts: Starlette, away: Callable[..., Browser], caplog: pytest.LogCaptureFixture
) -> None:
    add_page(accounts, raising(StorageError("/var/panel.db: disk full")))
    async with away() as browser:
        accounts.router.routes.insert(0, Route("/login", raising(StorageError("/var/panel.db: gone"))))
        answer = await browser.get("/login")
        assert (answer.status_code, "/var" in answer.text) == (503, False)
        del accounts.router.routes[0]
        await browser.sign_in()
        assert "/var/panel.db: disk full" in (await browser.get("/page")).text
    assert "panel: GET /page: /var/panel.db: disk full" in caplog.text


async def test_a_wrong_method_is_a_page(browser: Browser) -> None:
    answer = await browser.request("OPTIONS", "/echo")
    assert (answer.status_code, "<h1>That is not possible here</h1>" in answer.text) == (405, True)
