"""Users, sessions and proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.actor import Actor, Role
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser, TrustedProxy
from panel.web.passwords import hash_password
from web.conftest import KIM, LOOPBACK, ROWS, Browser, who, with_test_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from panel.web.requests import Services

pytestmark = pytest.mark.anyio


async def test_the_only_user_needs_no_sign_in(browser: Browser) -> None:
    assert await who(browser) == "Kim publisher False"
    assert (await browser.get("/login")).status_code == 404


@pytest.mark.usefixtures("accounts")
async def test_unknown_users_are_redirected_or_refused(away: Callable[..., Browser]) -> None:
    status = int(ROWS["web-approval-ui-08"]["expect"][:3])
    async with away() as browser:
        page = await browser.get("/drafts/3?q=a b")
        location = "/login?next=%2Fdrafts%2F3%3Fq%3Da%2520b"
        assert (page.status_code, page.headers["location"]) == (303, location)
        assert 'name="next" value="/drafts/3?q=a%20b"' in (await browser.get(location)).text
        for headers in ({"accept": "*/*"}, {"accept": "application/json"}, {"sec-fetch-dest": "image"}):
            assert (await browser.get("/who", headers=headers)).status_code == status
        assert (await browser.post("/drafts/3/approve", data={"csrf": "x"})).status_code == status
        assert (await browser.head("/who")).status_code == status
        htmx = await browser.get("/who", headers={"hx-request": "true"})
        assert (htmx.status_code, htmx.headers["hx-redirect"]) == (status, "/login")


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    "path", ["/login/", "//login", "/login/../who", "/login%3Fx", "/LOGIN", "/static%2f../who"]
)
async def test_only_the_sign_in_form_is_open(path: str, away: Callable[..., Browser]) -> None:
    async with away() as browser:
        assert (await browser.get(path)).status_code in {303, 404}


async def test_session_cookies_have_safe_attributes(
    accounts: Starlette, away: Callable[..., Browser]
) -> None:
    async with away() as browser, Browser(accounts) as near:
        far, loopback = await browser.sign_in(), await near.sign_in()
    name, *flags = far.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-panel_session=")
    wanted = {flag.split()[0] for flag in ROWS["web-approval-ui-16"]["expect"].split(", ")}
    assert {"HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=43200"} == set(flags)
    assert {flag.lower() for flag in wanted} <= {flag.lower() for flag in flags}
    assert "Secure" not in loopback.headers["set-cookie"]
    assert loopback.headers["set-cookie"].startswith("panel_session=")


async def test_a_disabled_user_is_signed_out(
    accounts: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    async with away() as browser:
        await browser.sign_in("Ada")
        await services.store.users.set_role("Ada", Role.EDITOR)
        assert await who(browser) == "Ada editor True"
        await services.store.users.disable("Ada")
        assert await who(browser) == "303"
        assert (await browser.sign_in("Ada")).status_code == 401
        await services.store.users.enable("Ada")
        assert (await browser.sign_in("Ada")).status_code == 303
        await services.store.users.set_password("Ada", hash_password("another horse battery"))
        assert await who(browser) == "303"
    assert accounts


@pytest.fixture
async def proxied(services: Services) -> Starlette:
    """The application behind a proxy at 192.0.2.1 that names who signed in."""
    await services.store.users.add(Actor(name="Žofie", role=Role.EDITOR), "no hash")
    await services.store.users.add(KIM, "no hash")
    await services.store.users.disable("Kim")
    mode = TrustedProxy("X-Remote-User", frozenset({"192.0.2.1"}))
    return with_test_pages(create_app(services, AccessPolicy(mode, frozenset({"reviews.example"}))))


@pytest.mark.parametrize(
    ("address", "names", "found"),
    [
        ("192.0.2.1", ["Žofie"], "Žofie editor False"),
        ("::ffff:192.0.2.1", ["žofie"], "Žofie editor False"),
        ("192.0.2.2", ["Žofie"], "401"),
        ("127.0.0.1", ["Žofie"], "401"),
        ("192.0.2.1", ["Žofie", "Žofie"], "401"),
        ("192.0.2.1", [], "401"),
        ("192.0.2.1", [""], "401"),
        ("192.0.2.1", ["Kim"], "401"),
        ("192.0.2.1", ["Nobody"], "401"),
    ],
)
async def test_the_proxy_header_counts_only_from_the_proxy(
    address: str, names: list[str], found: str, proxied: Starlette
) -> None:
    async with Browser(proxied, "https://reviews.example", address) as browser:
        headers = [(b"x-remote-user", name.encode()) for name in names]
        answer = await browser.get("/who", headers=headers)
        text = answer.text.rpartition(" ")[0] if answer.status_code == 200 else str(answer.status_code)
        assert text == found
        assert (await browser.get("/login", headers=headers)).status_code in {401, 404}


async def test_a_proxy_header_that_is_not_utf8_names_no_user(proxied: Starlette) -> None:
    async with Browser(proxied, "https://reviews.example", "192.0.2.1") as browser:
        assert (await browser.get("/who", headers=[(b"x-remote-user", b"\xff")])).status_code == 401


async def test_proxy_headers_are_ignored_without_a_proxy(
    accounts: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    headers = {"x-remote-user": "Kim", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "127.0.0.1"}
    async with away() as browser:
        assert (await browser.get("/who", headers=headers)).status_code == 303
    app = with_test_pages(create_app(services, AccessPolicy(SingleUser(KIM))))
    async with Browser(app, LOOPBACK) as browser:
        answer = await browser.get("/who", headers=headers | {"host": "exfil.invalid"})
        assert answer.status_code == 400
    assert accounts
