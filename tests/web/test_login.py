"""Signing in and out, and the limits on attempts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from panel.web.passwords import PasswordChecker
from web.conftest import PASSWORD, ROWS, Browser, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from panel.web.requests import Services

pytestmark = pytest.mark.anyio


WRONG = "wrong horse battery"


PER_NAME, PER_ADDRESS, WINDOW_SECONDS = 10, 50, 15 * 60


async def test_users_sign_in_under_their_own_name(accounts: Starlette, away: Callable[..., Browser]) -> None:
    async with away() as browser:
        answer = await browser.sign_in("aDA", next="/drafts/3?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/drafts/3?x=1")
        assert await who(browser) == "Ada drafter True"
        again = await browser.get("/login", params={"next": "/drafts/4"})
        assert (again.status_code, again.headers["location"]) == (303, "/drafts/4")
    assert accounts


@pytest.mark.parametrize(
    "target", ["//exfil.invalid", "/\\exfil.invalid", "https://exfil.invalid", "javascript:x", "", "/\tx"]
)
@pytest.mark.usefixtures("accounts")
async def test_signing_in_leads_nowhere_else(target: str, away: Callable[..., Browser]) -> None:
    async with away() as browser:
        assert (await browser.sign_in(next=target)).headers["location"] == "/"


async def test_sessions_begin_anew_at_each_sign_in(accounts: Starlette, services: Services) -> None:
    async with Browser(accounts) as browser:
        await browser.sign_in()
        first = browser.cookies["panel_session"]
        other = Browser(accounts)
        other.cookies.set("panel_session", first)
        form = {
            "csrf": (await other.get("/who")).text.rpartition(" ")[2],
            "name": "Ada",
            "password": PASSWORD,
        }
        answer = await other.post("/login", data=form)
        second = answer.cookies["panel_session"]
        assert second != first
        assert await who(browser) == "303"
        assert len(second) == 43
        digest = hashlib.sha256(second.encode()).hexdigest()
        user = await services.store.users.session_user(digest)
        assert user
        assert user.name == "Ada"
        assert await services.store.users.session_user(second) is None


async def test_signing_out_ends_the_session(accounts: Starlette, away: Callable[..., Browser]) -> None:
    async with away() as browser, away() as thief:
        await browser.sign_in()
        thief.cookies.update(browser.cookies)
        assert (await browser.post("/logout", data={"csrf": "x"})).status_code == 403
        token = (await browser.get("/who")).text.rpartition(" ")[2]
        answer = await browser.post("/logout", data={"csrf": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert "__Host-panel_session" not in browser.cookies
        assert await who(thief) == "303"
    assert accounts


async def test_text_is_given_back_when_the_session_has_ended(
    accounts: Starlette, away: Callable[..., Browser]
) -> None:
    async with away() as browser:
        await browser.sign_in()
        form = {"csrf": "x", "seen": "d1", "reason": "Because <I> say so.", "password": "no secret at all"}
        other = await browser.post("/drafts/1/reject", data=form)
        browser.cookies.clear()
        ended = await browser.post("/drafts/1/reject", data=form)
    assert (other.status_code, ended.status_code) == (403, 401)
    for answer in (other, ended):
        assert "Because &lt;I&gt; say so.</textarea>" in answer.text
        assert "no secret" not in answer.text
    assert 'href="/login"' in ended.text
    assert accounts


async def test_unknown_names_get_the_same_answer(
    accounts: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    await services.store.users.disable("Ada")
    pages = set()
    for name, password in (("Kim", WRONG), ("Nobody", WRONG), ("N" * 500_000, WRONG), ("Ada", PASSWORD)):
        async with away() as browser:
            token = await browser.token()
            answer = await browser.post("/login", data={"csrf": token, "name": name, "password": password})
            assert answer.status_code == 401
            pages.add(answer.text.replace(token, "").replace(name, ""))
    assert len(pages) == 1
    assert accounts


class Counted(PasswordChecker):
    """A password checker that records the hashes it compares with."""

    def __init__(self) -> None:
        super().__init__()
        self.hashes: list[str | None] = []

    async def match(self, password: str, hash_: str | None) -> bool:
        self.hashes.append(hash_)
        return await super().match(password, hash_)


@pytest.mark.parametrize("name", ["Kim", "Nobody"])
async def test_guessing_at_a_name_ends_after_ten_attempts(
    name: str, accounts: Starlette, away: Callable[..., Browser]
) -> None:
    passwords = Counted()
    accounts.state.passwords = passwords
    statuses = []
    tries = 1_000 // PER_ADDRESS
    for number in range(tries):
        async with away(f"192.0.2.{number}") as browser:
            token = await browser.token()
            spelled = name.upper() if number % 2 else name
            form = {"csrf": token, "name": spelled, "password": WRONG}
            answers = [await browser.post("/login", data=form) for _ in range(2)]
            statuses += [answer.status_code for answer in answers]
    assert statuses == [401] * PER_NAME + [429] * (2 * tries - PER_NAME)
    assert len(passwords.hashes) == PER_NAME
    async with away() as browser:
        answer = await browser.sign_in(name)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW_SECONDS
        assert "Too many attempts. Try again in 15 minutes." in answer.text
    assert "rate limit" in ROWS["web-approval-ui-10"]["expect"]


async def test_guessing_at_many_names_ends_too(accounts: Starlette, away: Callable[..., Browser]) -> None:

    class Never(PasswordChecker):
        async def match(self, password: str, hash_: str | None) -> bool:  # noqa: ARG002 - takes no time
            return False

    state = accounts.state
    real, state.passwords = state.passwords, Never()
    for number in range(PER_ADDRESS):
        async with away(f"2001:db8::{number:x}") as browser:
            assert (await browser.sign_in(f"Name {number}")).status_code == 401
    state.passwords = real
    async with away("2001:db8::ffff") as browser:
        assert (await browser.sign_in()).status_code == 429
    async with away("2001:db8:0:1::1") as browser:
        assert (await browser.sign_in()).status_code == 303


async def test_signing_in_uses_up_no_attempts(accounts: Starlette, away: Callable[..., Browser]) -> None:
    async with away() as browser, away("192.0.2.8") as guesser:
        for _ in range(PER_NAME - 1):
            assert (await guesser.sign_in(password=WRONG)).status_code == 401
        for _ in range(3):
            assert (await browser.sign_in()).status_code == 303
            browser.cookies.clear()
        assert (await guesser.sign_in(password=WRONG)).status_code == 401
        assert (await guesser.sign_in(password=WRONG)).status_code == 429
    assert accounts
