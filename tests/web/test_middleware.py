"""Security headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from panel.web.middleware import CONTENT_POLICY, HEADERS
from panel.web.rendering import REVALIDATE, assets
from web.conftest import ROWS, Browser, add_page, raising

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request


pytestmark = pytest.mark.anyio


async def test_every_answer_carries_safe_headers(app: Starlette, browser: Browser) -> None:
    add_page(app, raising(ValueError("bug")), "/bug")
    name = next(iter(assets()), "nothing.css")
    for path in ("/echo", "/nowhere", "/bug", f"/static/{name}", "/static/nothing"):
        headers = (await browser.get(path)).headers
        expected = HEADERS | (
            {"cache-control": REVALIDATE} if path == f"/static/{name}" and name in assets() else {}
        )
        assert {key: headers[key] for key in HEADERS} == expected
    refused = await browser.get("/", headers={"host": "exfil.invalid"})
    assert {key: refused.headers[key] for key in HEADERS} == HEADERS


async def test_the_policy_lets_no_inline_script_and_no_frame_around_it() -> None:
    asked = ROWS["web-approval-ui-15"]["expect"].removesuffix("; no inline script")
    assert set(asked.split("; ")) <= set(CONTENT_POLICY.split("; "))
    assert "unsafe" not in CONTENT_POLICY


async def test_a_page_may_have_a_policy_of_its_own(app: Starlette, browser: Browser) -> None:

    async def framed(_request: Request) -> Response:
        return Response(headers={"content-security-policy": "sandbox"})

    add_page(app, framed)
    answer = await browser.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]
