"""Host names and origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from web.conftest import LOOPBACK, ROWS, Browser

if TYPE_CHECKING:
    from collections.abc import Callable


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
