"""The public server, as browsers and readers use it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from panel.core.take import Verdict
from panel.core.tally import Votes
from panel.web.public.app import create_preview, create_public_app
from panel.web.public.requests import AddressHasher, PublicServices
from panel.web.public.votes import COOKIE
from panel.web.security import network_of
from publishing import make_review, publish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from panel.store import Store

pytestmark = pytest.mark.anyio

LOOPBACK = "http://127.0.0.1:8377"
JSON = {"accept": "application/json"}
SHIP = {"verdict": "ship"}


def browser(app: Any, url: str = LOOPBACK, address: str = "127.0.0.1") -> httpx2.AsyncClient:
    """Return a browser that keeps cookies."""
    transport = httpx2.ASGITransport(app, client=(address, 50_000))
    return httpx2.AsyncClient(transport=transport, base_url=url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site as a build leaves it."""
    files = {
        "index.html": "home",
        "404.html": "nothing here",
        "compare/a-vs-b/index.html": "a or b",
        "assets/style.abc.css": "body {}",
        ".panel-site": "made by panel",
    }
    for name, text in files.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "site"


@pytest.fixture
async def services(store: Store, folder: Path) -> PublicServices:
    """A site with two tools that can be voted on."""
    await publish(store, make_review(), make_review("Sextant"))
    proxies = frozenset({"10.0.0.1"})
    return PublicServices(store, folder, b"s" * 32, frozenset({"reviews.example"}), proxies)


@pytest.fixture
async def reader(services: PublicServices) -> AsyncIterator[httpx2.AsyncClient]:
    """A reader's browser."""
    async with browser(create_public_app(services)) as opened:
        yield opened


async def test_files_are_served_like_by_any_static_host(reader: httpx2.AsyncClient) -> None:
    """Folders have their index page, addresses without a slash redirect, and missing ones get the site's own page."""
    assert (await reader.get("/")).text == "home"
    assert (await reader.get("/compare/a-vs-b/")).text == "a or b"
    moved = await reader.get("/compare/a-vs-b")
    assert (moved.status_code, moved.headers["location"]) == (308, "/compare/a-vs-b/")
    missing = await reader.get("/nothing/")
    assert (missing.status_code, missing.text) == (404, "nothing here")
    assert (await reader.head("/")).status_code == 200
    assert (await reader.put("/index.html")).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/.panel-site",
        "/%2e%2e/secret.txt",
        "/../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%00",
        f"/{'x' * 300}",
        "/compare/.hidden/",
        "/secret",
    ],
)
async def test_only_the_site_is_served(reader: httpx2.AsyncClient, folder: Path, path: str) -> None:
    """No address leads out of the folder, to a hidden file, through a link, or to a server error."""
    (folder / "secret").symlink_to(folder.parent / "secret.txt")
    answer = await reader.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_responses_have_security_and_cache_headers(reader: httpx2.AsyncClient) -> None:
    page = await reader.get("/")
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "set-cookie" not in page.headers
    again = await reader.get("/", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert "immutable" in (await reader.get("/assets/style.abc.css")).headers["cache-control"]


async def test_a_site_may_be_replaced_while_it_is_served(reader: httpx2.AsyncClient, folder: Path) -> None:
    new = folder.with_name("new")
    new.mkdir()
    (new / "index.html").write_text("new home")
    folder.rename(folder.with_name("old"))
    new.rename(folder)
    assert (await reader.get("/")).text == "new home"


async def test_a_preview_takes_no_votes(folder: Path) -> None:
    async with browser(create_preview(folder)) as opened:
        assert (await opened.get("/")).text == "home"
        refused = await opened.post("/vote/lantern", data=SHIP)
        assert (refused.status_code, "panel serve --public takes votes" in refused.text) == (405, True)


async def test_a_vote_by_script_is_answered_with_counts(reader: httpx2.AsyncClient, store: Store) -> None:
    """The cookie cannot be read by scripts; below the minimum the votes are not split."""
    answer = await reader.post("/vote/lantern", data=SHIP, headers=JSON)
    assert answer.json() == {"slug": "lantern", "total": 1, "ships": None, "skips": None, "mine": "ship"}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=31536000"):
        assert word in cookie
    assert "Secure" not in cookie
    assert (
        "set-cookie"
        not in (await reader.post("/vote/lantern", data={"verdict": "skip"}, headers=JSON)).headers
    )
    assert await store.votes.all_counts() == {"lantern": Votes(skips=1)}
    counts = (await reader.get("/votes?tools=lantern,sextant,nothing")).json()
    assert counts["lantern"]["mine"] == "skip"
    assert set(counts) == {"lantern", "sextant"}


async def test_a_vote_by_form_is_answered_with_a_page(reader: httpx2.AsyncClient, store: Store) -> None:
    """The page shows the vote, withdraws it, and links the review."""
    answer = await reader.post("/vote/lantern", data=SHIP)
    assert (answer.status_code, answer.headers["location"]) == (303, "lantern")
    page = await reader.get("/vote/lantern")
    assert page.headers["cache-control"] == "no-store"
    for expected in ("You voted ship", "1 vote. ", 'href="../tools/lantern/#community"', 'value="withdraw"'):
        assert expected in page.text, expected
    await reader.post("/vote/lantern", data={"verdict": "withdraw"})
    assert await store.votes.all_counts() == {}
    page = await reader.get("/vote/lantern")
    assert "You have no vote on this tool" in page.text
    assert "withdraw" not in page.text
    assert (await reader.get("/vote/nothing")).status_code == 404


async def test_votes_are_split_from_the_minimum_on(reader: httpx2.AsyncClient, store: Store) -> None:
    for n in range(4):
        await store.votes.cast("lantern", f"{n:064}", Verdict.SKIP, "a" * 64)
    answer = (await reader.post("/vote/lantern", data=SHIP, headers=JSON)).json()
    assert (answer["total"], answer["ships"], answer["skips"]) == (5, 1, 4)
    fresh = await reader.get("/votes?tools=lantern")
    assert fresh.headers["cache-control"] == "no-store"


async def test_the_cookie_needs_https_off_this_machine(services: PublicServices) -> None:
    async with browser(create_public_app(services), "https://reviews.example") as away:
        assert "Secure" in (await away.post("/vote/lantern", data=SHIP)).headers["set-cookie"]


@pytest.mark.parametrize("value", ["x.y", "", ".", "a" * 5000, "0" * 32 + "." + "0" * 64])
async def test_a_forged_cookie_is_a_new_reader(reader: httpx2.AsyncClient, store: Store, value: str) -> None:
    await reader.post("/vote/lantern", data=SHIP)
    reader.cookies.clear()
    answer = await reader.post("/vote/lantern", data=SHIP, headers={"cookie": f"{COOKIE}={value}"})
    assert COOKIE in answer.headers["set-cookie"]
    assert (await store.votes.all_counts())["lantern"].total == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://exfil.invalid"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "attacker.invalid"}, 400),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json"}, 415),
    ],
)
async def test_other_sites_cannot_vote(
    reader: httpx2.AsyncClient, store: Store, headers: dict[str, str], status: int
) -> None:
    """Requests from another site, under another name or with another content type are refused."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await reader.post("/vote/lantern", content="verdict=ship", headers={**form, **headers})
    assert answer.status_code == status
    assert await store.votes.all_counts() == {}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/vote/nothing", "verdict=ship", 404),
        ("/vote/lantern", "verdict=love", 400),
        ("/vote/lantern", "", 400),
        ("/vote/lantern", "verdict=ship&verdict=skip", 400),
        ("/vote/lantern", "&".join(f"a{n}=1" for n in range(50)), 400),
        ("/vote/lantern", "verdict=" + "x" * 5_000, 413),
        ("/vote/%3Cscript%3E", "verdict=ship", 404),
    ],
)
async def test_an_invalid_vote_is_answered_with_the_reason(
    reader: httpx2.AsyncClient, path: str, body: str, status: int
) -> None:
    """As a line of text, or as JSON for a script."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    plain = await reader.post(path, content=body, headers=form)
    assert (plain.status_code, plain.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    scripted = await reader.post(path, content=body, headers={**form, **JSON})
    assert (scripted.status_code, set(scripted.json())) == (status, {"error"})


@pytest.mark.parametrize("query", ["", "?tools=", "?tools=" + ",".join(map(str, range(21)))])
async def test_counts_are_limited_to_20_tools(reader: httpx2.AsyncClient, query: str) -> None:
    assert (await reader.get(f"/votes{query}")).status_code == 400


async def test_too_many_votes_are_refused_with_the_seconds_to_wait(reader: httpx2.AsyncClient) -> None:
    answers = [await reader.post("/vote/lantern", data=SHIP, headers=JSON) for _ in range(33)]
    assert [answer.status_code for answer in answers[-2:]] == [429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "try again in" in answers[-1].json()["error"]


async def test_an_address_has_a_daily_limit_per_tool(services: PublicServices, store: Store) -> None:
    """Across readers; only a trusted proxy names other addresses."""
    app = create_public_app(services)

    async def vote(client: str, named: str) -> int:
        async with browser(app, address=client) as fresh:
            return (
                await fresh.post("/vote/lantern", data=SHIP, headers={"x-forwarded-for": named})
            ).status_code

    statuses = [await vote("192.0.2.7", f"203.0.113.{n}") for n in range(21)]
    assert statuses == [303] * 20 + [429]
    assert await vote("10.0.0.1", "198.51.100.1, 203.0.113.9") == 303
    assert (await store.votes.all_counts())["lantern"].total == 21


async def test_the_last_forwarded_address_counts(services: PublicServices) -> None:
    """It is the proxy's, also in a header line of its own."""
    app = create_public_app(services)
    statuses = []
    for n in range(21):
        async with browser(app, address="10.0.0.1") as fresh:
            lines = [("x-forwarded-for", f"203.0.113.{n}"), ("x-forwarded-for", "192.0.2.7")]
            answer = await fresh.post("/vote/lantern", data=SHIP, headers=lines)
            statuses.append(answer.status_code)
    assert statuses == [303] * 20 + [429]


async def test_the_store_has_no_cookie_and_no_secret_is_printed(
    services: PublicServices, store: Store, reader: httpx2.AsyncClient
) -> None:
    await reader.post("/vote/lantern", data=SHIP)
    number = reader.cookies[COOKIE].partition(".")[0]
    assert await store.votes.by_reader(number, ["lantern"]) == {}
    assert "secret" not in repr(services)


async def test_many_readers_vote_at_once(services: PublicServices, store: Store) -> None:
    app = create_public_app(services)

    async def vote(n: int) -> int:
        async with browser(app, address=f"192.0.2.{n}") as fresh:
            return (await fresh.post("/vote/lantern", data=SHIP)).status_code

    assert set(await asyncio.gather(*(vote(n) for n in range(20)))) == {303}
    assert await store.votes.all_counts() == {"lantern": Votes(ships=20)}


def test_an_address_has_another_hash_each_day() -> None:
    """And another one on another server."""
    day = [date(2026, 11, 22)]
    addresses = AddressHasher(lambda: day[0])
    first = addresses.hash("192.0.2.7")
    assert addresses.hash("192.0.2.7") == first
    assert AddressHasher(lambda: day[0]).hash("192.0.2.7") != first
    day[0] = date(2026, 11, 23)
    assert addresses.hash("192.0.2.7") != first


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("") == ""


async def test_without_voting_nothing_is_counted(services: PublicServices) -> None:
    async with browser(create_public_app(replace(services, voting=False))) as opened:
        assert (await opened.post("/vote/lantern", data=SHIP)).status_code == 404
