"""Signing in and out, and who may ask for what."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from panel.core.actor import Actor, Role
from panel.errors import SettingsError
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, SingleUser, TrustedProxy, current_user
from panel.web.passwords import PasswordChecker, hash_password
from web.conftest import KIM, LOOPBACK, PASSWORD, Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from panel.web.services import Services

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[2] / "fixtures" / "web" / "approval.jsonl"
ROWS = {row["id"]: row for row in map(json.loads, FIXTURE.read_text("utf-8").splitlines())}
WRONG = "wrong horse battery"
PER_NAME, PER_ADDRESS, WINDOW_SECONDS = 10, 50, 15 * 60


async def _who(request: Request) -> Response:
    user = current_user(request)
    return PlainTextResponse(f"{user.actor.name} {user.actor.role} {user.can_sign_out} {user.csrf_token}")


def telling(app: Starlette) -> Starlette:
    app.router.routes.append(Route("/who", _who))
    return app


@pytest.fixture
def told(accounts: Starlette) -> Starlette:
    """The application for people with accounts, with a page that says who asks."""
    return telling(accounts)


async def who(browser: Browser) -> str:
    answer = await browser.get("/who")
    return answer.text.rpartition(" ")[0] if answer.status_code == 200 else str(answer.status_code)


async def test_the_one_user_of_a_machine_is_known(app: Starlette, browser: Browser) -> None:
    """Without accounts, whoever asks is the editor of the settings, and there is no way to sign in or out."""
    telling(app)
    assert await who(browser) == "Kim publisher False"
    assert (await browser.get("/login")).status_code == 404


async def test_people_sign_in_under_their_own_name(told: Starlette, away: Callable[..., Browser]) -> None:
    """A name, in whatever case, and its password lead to where somebody wanted to go, under their own role."""
    async with away() as browser:
        answer = await browser.sign_in("aDA", next="/drafts/3?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/drafts/3?x=1")
        assert await who(browser) == "Ada drafter True"
        again = await browser.get("/login", params={"next": "/drafts/4"})
        assert (again.status_code, again.headers["location"]) == (303, "/drafts/4")
    assert told


@pytest.mark.parametrize(
    "place", ["//exfil.invalid", "/\\exfil.invalid", "https://exfil.invalid", "javascript:x", "", "/\tx"]
)
@pytest.mark.usefixtures("told")
async def test_signing_in_leads_nowhere_else(place: str, away: Callable[..., Browser]) -> None:
    """An address on another server is not gone to after signing in."""
    async with away() as browser:
        assert (await browser.sign_in(next=place)).headers["location"] == "/"


@pytest.mark.usefixtures("told")
async def test_strangers_are_led_to_the_form_or_refused(away: Callable[..., Browser]) -> None:
    """A page leads to the form and back; what a script or a form asks for is refused with 401."""
    status = int(ROWS["web-approval-ui-08"]["expect"][:3])
    async with away() as browser:
        page = await browser.get("/drafts/3?q=a b")
        place = "/login?next=%2Fdrafts%2F3%3Fq%3Da%2520b"
        assert (page.status_code, page.headers["location"]) == (303, place)
        assert 'name="next" value="/drafts/3?q=a%20b"' in (await browser.get(place)).text
        for headers in ({"accept": "*/*"}, {"accept": "application/json"}, {"sec-fetch-dest": "image"}):
            assert (await browser.get("/who", headers=headers)).status_code == status
        assert (await browser.post("/drafts/3/approve", data={"csrf": "x"})).status_code == status
        assert (await browser.head("/who")).status_code == status
        htmx = await browser.get("/who", headers={"hx-request": "true"})
        assert (htmx.status_code, htmx.headers["hx-redirect"]) == (status, "/login")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    "path", ["/login/", "//login", "/login/../who", "/login%3Fx", "/LOGIN", "/static%2f../who"]
)
async def test_nothing_but_the_form_is_open(path: str, away: Callable[..., Browser]) -> None:
    """No spelling of the form's address leads past it."""
    async with away() as browser:
        assert (await browser.get(path)).status_code in {303, 404}


async def test_sessions_begin_anew_at_each_sign_in(told: Starlette, services: Services) -> None:
    """A token that was there before, whoever put it there, is not the session's; the store keeps the hash alone."""
    async with Browser(told) as browser:
        await browser.sign_in()
        first = browser.cookies["panel_session"]
        other = Browser(told)
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
        kept = await services.store.users.session_user(digest)
        assert kept
        assert kept.name == "Ada"
        assert await services.store.users.session_user(second) is None


async def test_the_cookie_of_a_session_is_kept_from_scripts_and_other_sites(
    told: Starlette, away: Callable[..., Browser]
) -> None:
    """It is HttpOnly and SameSite=Strict, lasts for twelve hours, and off loopback is Secure and bound to its host."""
    async with away() as browser, Browser(told) as near:
        far, loopback = await browser.sign_in(), await near.sign_in()
    name, *flags = far.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-panel_session=")
    wanted = {flag.split()[0] for flag in ROWS["web-approval-ui-16"]["expect"].split(", ")}
    assert {"HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=43200"} == set(flags)
    assert {flag.lower() for flag in wanted} <= {flag.lower() for flag in flags}
    assert "Secure" not in loopback.headers["set-cookie"]
    assert loopback.headers["set-cookie"].startswith("panel_session=")


async def test_signing_out_ends_the_session(told: Starlette, away: Callable[..., Browser]) -> None:
    """After signing out the token is worth nothing, even if somebody kept it; without the form's token nobody is signed out."""
    async with away() as browser, away() as thief:
        await browser.sign_in()
        thief.cookies.update(browser.cookies)
        assert (await browser.post("/logout", data={"csrf": "x"})).status_code == 403
        token = (await browser.get("/who")).text.rpartition(" ")[2]
        answer = await browser.post("/logout", data={"csrf": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert "__Host-panel_session" not in browser.cookies
        assert await who(thief) == "303"
    assert told


async def test_nothing_that_was_written_is_lost_with_a_session(
    told: Starlette, away: Callable[..., Browser]
) -> None:
    """A form that is sent after its session ended, or under another one, is not taken, and gives back what was written, but no password."""
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
    assert told


async def test_who_was_disabled_is_out_at_once(
    told: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    """Disabling somebody ends what they had open, and their password is worth nothing; a new role counts at once."""
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
    assert told


async def test_unknown_names_get_the_same_answer(
    told: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    """A wrong password, a name that nobody has, one that is too long, and a disabled account are told in the same words."""
    await services.store.users.disable("Ada")
    pages = set()
    for name, password in (("Kim", WRONG), ("Nobody", WRONG), ("N" * 500_000, WRONG), ("Ada", PASSWORD)):
        async with away() as browser:
            token = await browser.token()
            answer = await browser.post("/login", data={"csrf": token, "name": name, "password": password})
            assert answer.status_code == 401
            pages.add(answer.text.replace(token, "").replace(name, ""))
    assert len(pages) == 1
    assert told


class Counted(PasswordChecker):
    """Counts comparisons, and what they were with."""

    def __init__(self) -> None:
        super().__init__()
        self.hashes: list[str | None] = []

    async def match(self, password: str, hash_: str | None) -> bool:
        self.hashes.append(hash_)
        return await super().match(password, hash_)


@pytest.mark.parametrize("name", ["Kim", "Nobody"])
async def test_guessing_at_a_name_ends_after_ten_attempts(
    name: str, told: Starlette, away: Callable[..., Browser]
) -> None:
    """Of a thousand wrong passwords ten are compared, wherever they come from and whether the name is somebody's; even the right one then waits."""
    passwords = Counted()
    told.state.sign_in.passwords = passwords
    statuses = []
    tries = 1_000 // PER_ADDRESS
    for place in range(tries):
        async with away(f"192.0.2.{place}") as browser:
            token = await browser.token()
            spelled = name.upper() if place % 2 else name
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


async def test_guessing_at_many_names_ends_too(told: Starlette, away: Callable[..., Browser]) -> None:
    """From one address, of which IPv6 gives a home as many as it likes, fifty attempts may fail, and then nobody signs in from there."""

    class Never(PasswordChecker):
        async def match(self, password: str, hash_: str | None) -> bool:  # noqa: ARG002 - takes no time
            return False

    sign_in = told.state.sign_in
    real, sign_in.passwords = sign_in.passwords, Never()
    for number in range(PER_ADDRESS):
        async with away(f"2001:db8::{number:x}") as browser:
            assert (await browser.sign_in(f"Name {number}")).status_code == 401
    sign_in.passwords = real
    async with away("2001:db8::ffff") as browser:
        assert (await browser.sign_in()).status_code == 429
    async with away("2001:db8:0:1::1") as browser:
        assert (await browser.sign_in()).status_code == 303


async def test_signing_in_uses_up_no_attempts(told: Starlette, away: Callable[..., Browser]) -> None:
    """Who knows the password may sign in as often as they like, and does not give anybody else more attempts."""
    async with away() as browser, away("192.0.2.8") as guesser:
        for _ in range(PER_NAME - 1):
            assert (await guesser.sign_in(password=WRONG)).status_code == 401
        for _ in range(3):
            assert (await browser.sign_in()).status_code == 303
            browser.cookies.clear()
        assert (await guesser.sign_in(password=WRONG)).status_code == 401
        assert (await guesser.sign_in(password=WRONG)).status_code == 429
    assert told


async def test_passwords_are_kept_as_argon2id(hash_: str) -> None:
    """A hash is of argon2id with 64 MiB, matches its password in any Unicode form, and no other one."""
    assert hash_.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    passwords = PasswordChecker()
    composed, decomposed = "crème brûlée!", "cre\u0300me bru\u0302le\u0301e!"
    assert await passwords.match(decomposed, hash_password(composed))
    assert await passwords.match(PASSWORD, hash_)
    assert not await passwords.match(WRONG, hash_)
    assert not await passwords.match(PASSWORD, None)
    assert not await passwords.match(PASSWORD, "no hash")


@pytest.mark.parametrize("password", ["", "elevenchars", "e\u0301" * 11, "x" * 1_001])
async def test_short_passwords_are_refused(password: str) -> None:
    """A password has twelve characters or more, however they are put together, and a thousand at most."""
    with pytest.raises(SettingsError, match="a password has 12 to 1,000 characters; choose another one"):
        hash_password(password)


@pytest.fixture
async def proxied(services: Services) -> Starlette:
    """The application behind a proxy at 192.0.2.1 that names who signed in."""
    await services.store.users.add(Actor(name="Žofie", role=Role.EDITOR), "no hash")
    await services.store.users.add(KIM, "no hash")
    await services.store.users.disable("Kim")
    way = TrustedProxy("X-Remote-User", frozenset({"192.0.2.1"}))
    return telling(create_app(services, AccessPolicy(way, frozenset({"reviews.example"}))))


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
async def test_a_proxy_is_believed_from_its_address_alone(
    address: str, names: list[str], found: str, proxied: Starlette
) -> None:
    """The header counts if it comes once, from the proxy, with the name of somebody who may work with drafts."""
    async with Browser(proxied, "https://reviews.example", address) as browser:
        headers = [(b"x-remote-user", name.encode()) for name in names]
        answer = await browser.get("/who", headers=headers)
        text = answer.text.rpartition(" ")[0] if answer.status_code == 200 else str(answer.status_code)
        assert text == found
        assert (await browser.get("/login", headers=headers)).status_code in {401, 404}


async def test_a_name_in_bytes_of_no_encoding_is_nobodys(proxied: Starlette) -> None:
    """A header that is not UTF-8 names nobody, and is no bug."""
    async with Browser(proxied, "https://reviews.example", "192.0.2.1") as browser:
        assert (await browser.get("/who", headers=[(b"x-remote-user", b"\xff")])).status_code == 401


async def test_headers_mean_nothing_unless_a_proxy_was_named(
    told: Starlette, away: Callable[..., Browser], services: Services
) -> None:
    """No header of a proxy is believed by a server that was not told of one."""
    headers = {"x-remote-user": "Kim", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "127.0.0.1"}
    async with away() as browser:
        assert (await browser.get("/who", headers=headers)).status_code == 303
    app = telling(create_app(services, AccessPolicy(SingleUser(KIM))))
    async with Browser(app, LOOPBACK) as browser:
        answer = await browser.get("/who", headers=headers | {"host": "exfil.invalid"})
        assert answer.status_code == 400
    assert told
