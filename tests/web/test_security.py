"""Host names and origins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from panel.web.app import CONTENT_POLICY, HEADERS
from panel.web.rendering import REVALIDATE, assets
from panel.web.security import RateLimiter
from web.conftest import LOOPBACK, ROWS, Browser, add_page, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request

pytestmark = pytest.mark.anyio

ATTACKS: dict[str, dict[str, Any]] = {
    "web-approval-ui-04": {"headers": {"origin": "https://exfil.invalid"}},
    "web-approval-ui-05": {"headers": {"sec-fetch-site": "cross-site"}},
    "web-approval-ui-06": {"headers": {"host": "attacker.invalid"}},
    "web-approval-ui-07": {"content": '{"csrf": ""}', "headers": {"content-type": "text/plain"}},
}


@pytest.mark.parametrize("row", ATTACKS)
async def test_requests_of_other_sites_are_refused(row: str, browser: Browser) -> None:
    attack = {"data": {"csrf": await browser.token("/echo"), "word": "x"}, **ATTACKS[row]}
    if "content" in attack:
        del attack["data"]
    answer = await browser.post("/echo", **attack)
    assert answer.status_code == int(ROWS[row]["expect"][:3])
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": LOOPBACK, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "https://127.0.0.1:8377"}, 200),
        ({"origin": "http://127.0.0.1:8378"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "http://localhost:8377"}, 403),
        ({"origin": "http://127.0.0.1:8377.exfil.invalid"}, 403),
        ({"origin": "http://127.0.0.1:8377@exfil.invalid"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_the_origin_must_be_this_server(headers: dict[str, str], status: int, browser: Browser) -> None:
    form = {"csrf": await browser.token("/echo"), "word": "x"}
    assert (await browser.post("/echo", data=form, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 404),
        ("127.0.0.1:9", 404),
        ("LOCALHOST:8377", 404),
        ("[::1]:8377", 404),
        ("0.0.0.0:8377", 400),
        ("reviews.example", 400),
        ("localhost.exfil.invalid", 400),
        ("localhost@exfil.invalid", 400),
        ("exfil.invalid@localhost", 400),
        ("localhost/exfil.invalid", 400),
        ("localhost#exfil.invalid", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
async def test_other_host_names_are_refused(host: str, status: int, browser: Browser) -> None:
    assert (await browser.get("/nowhere", headers={"host": host})).status_code == status


async def test_allowed_host_names_are_answered(away: Callable[..., Browser]) -> None:
    async with away() as browser:
        assert (await browser.get("/login")).status_code == 200


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
    required = ROWS["web-approval-ui-15"]["expect"].removesuffix("; no inline script")
    assert set(required.split("; ")) <= set(CONTENT_POLICY.split("; "))
    assert "unsafe" not in CONTENT_POLICY


async def test_a_page_may_have_a_policy_of_its_own(app: Starlette, browser: Browser) -> None:

    async def framed(_request: Request) -> Response:
        return Response(headers={"content-security-policy": "sandbox"})

    add_page(app, framed)
    answer = await browser.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]


TWO = "2 per 15 minutes"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1_000.0)
    clock.time = lambda: clock.now
    for module in ("limits.storage.memory", "panel.web.security"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


def test_attempts_expire_one_by_one_after_the_window(clock: SimpleNamespace) -> None:
    limiter = RateLimiter()
    assert limiter.hit(TWO, "a") == 0
    clock.now += 600
    assert limiter.hit(TWO, "a") == 0
    assert (limiter.wait(TWO, "a"), limiter.wait(TWO, "b")) == (300, 0)
    clock.now += 299.5
    assert limiter.hit(TWO, "a") == 1
    clock.now += 0.6
    assert limiter.wait(TWO, "a") == 0
    assert limiter.hit(TWO, "a") == 0
    assert limiter.wait(TWO, "a") == 600


def test_a_refund_uncounts_one_attempt() -> None:
    limiter = RateLimiter()
    for _ in range(2):
        limiter.hit(TWO, "a")
    limiter.refund(TWO, "a")
    assert [limiter.hit(TWO, "a") > 0 for _ in range(2)] == [False, True]


def test_a_key_without_attempts_takes_no_memory() -> None:
    limiter = RateLimiter()
    limiter.hit(TWO, "a")
    limiter.refund(TWO, "a")
    limiter.refund(TWO, "never tried")
    assert len(limiter) == 0


def test_the_key_idle_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.web.security.MAX_KEYS", 10)
    limiter = RateLimiter()
    for number in range(10):
        limiter.hit("1 per day", str(number))
    assert limiter.hit("1 per day", "0")  # over the limit, but used again
    limiter.hit("1 per day", "another")
    assert len(limiter) == 10
    assert limiter.wait("1 per day", "0")
    assert not limiter.wait("1 per day", "1")
