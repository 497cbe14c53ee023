"""Form tokens, sizes and encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser
from panel.web.requests import MAX_BYTES
from web.conftest import KIM, ROWS, Browser, with_test_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from panel.web.requests import Services

pytestmark = pytest.mark.anyio


async def test_a_form_of_this_browser_is_accepted(browser: Browser) -> None:
    token = await browser.token("/echo")
    form = {"csrf": token, "word": "größer"}
    assert (await browser.post("/echo", data=form)).text == "größer"
    parts = await browser.post("/echo", files={name: (None, value) for name, value in form.items()})
    assert (parts.status_code, parts.text) == (200, "größer")
    with_file = await browser.post("/echo", data=form, files={"file": b"x" * 100_000})
    assert with_file.status_code == 400


async def test_the_token_of_another_session_is_refused(
    accounts: Starlette, away: Callable[..., Browser]
) -> None:
    status = int(ROWS["web-approval-ui-03"]["expect"])
    async with away() as kim, away() as ada:
        await kim.sign_in("Kim")
        await ada.sign_in("Ada")
        mine, theirs = await kim.token("/echo"), await ada.token("/echo")
        for token in (theirs, "", [mine, mine], "ä"):
            answer = await kim.post("/echo", data={"csrf": token, "word": "x"})
            assert answer.status_code == status
        assert (await kim.post("/echo", data={"csrf": mine, "word": "x"})).status_code == 200
    assert accounts


async def test_the_token_of_another_browser_is_refused(app: Starlette, browser: Browser) -> None:
    token = await browser.token("/echo")
    async with Browser(app) as other:
        assert (await other.post("/echo", data={"csrf": token})).status_code == 403
        assert await other.token("/echo") != token
    assert await browser.token("/echo") == token


async def test_forms_outlive_a_restart_under_the_same_secret(services: Services) -> None:

    async def sent(secret: bytes) -> int:
        app = with_test_pages(create_app(services, AccessPolicy(SingleUser(KIM), secret=secret)))
        async with Browser(app) as browser:
            browser.cookies.update(cookies)
            form = {"csrf": token or await browser.token("/echo"), "word": "x"}
            status = (await browser.post("/echo", data=form)).status_code
            cookies.update(browser.cookies)
            tokens.append(form["csrf"])
            return status

    cookies: dict[str, str] = {}
    tokens: list[str] = []
    token = ""
    assert await sent(b"s" * 32) == 200
    token = tokens[0]
    assert await sent(b"s" * 32) == 200
    assert await sent(b"t" * 32) == 403


async def test_large_bodies_are_refused(browser: Browser) -> None:
    token = await browser.token("/echo")
    kind = {"content-type": "application/x-www-form-urlencoded"}
    most = f"csrf={token}&word=".encode()
    most += b"x" * (MAX_BYTES - len(most))

    async def chunks(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 100_000

    assert (await browser.post("/echo", content=most, headers=kind)).status_code == 200
    assert (await browser.post("/echo", content=most + b"x", headers=kind)).status_code == 413
    assert (await browser.post("/echo", content=chunks(11), headers=kind)).status_code == 413


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", None])
async def test_other_media_types_are_refused(kind: str | None, browser: Browser) -> None:
    headers = {"content-type": kind} if kind else {}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await browser.request(method, "/echo", content=b"{}", headers=headers)
        assert answer.status_code == 415


async def test_unreadable_forms_are_refused(browser: Browser) -> None:
    many = {
        "content": b"&".join([b"a=b"] * 1_001),
        "headers": {"content-type": "application/x-www-form-urlencoded"},
    }
    broken = {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data"}}
    for body in (many, broken):
        assert (await browser.post("/echo", **body)).status_code == 400  # type: ignore[arg-type] # one table for both


@pytest.mark.parametrize("charset", ["undefined", "punycode", "unicode_escape", "utf-16", '""'])
async def test_forms_are_in_utf8(charset: str, browser: Browser) -> None:
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    body = b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--b--\r\n'
    answer = await browser.post("/drafts/1/approve", content=body, headers={"content-type": kind})
    assert answer.status_code in {403, 415}


@pytest.mark.parametrize(
    "path", ["/drafts/{}", "/drafts/{}/history", "/?done=approve&was={}", "/runs?before={}"]
)
async def test_huge_numbers_are_harmless(path: str, browser: Browser) -> None:
    answer = await browser.get(path.format("9" * 5_000))
    assert answer.status_code in {200, 404}
