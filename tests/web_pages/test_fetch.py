"""Fetching a page: hosts, redirects, sizes, times and robots.txt."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
import tracemalloc
import zlib
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel import __version__
from panel.core.addresses import public_address
from panel.errors import InputError
from panel.web_pages import Snapshot
from panel.web_pages.fetch import (
    AT_ONCE,
    MAX_BYTES,
    MAX_ROBOTS_BYTES,
    PRODUCT,
    fetch_each,
    fetch_page,
    parse_robots,
)
from panel.web_pages.ssrf_guard import is_public, system_resolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence


pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
LOOPBACK = "127.0.0.1"
INNER = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
)
PAGE = b"<title>Lantern</title>"
ABSENT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def answer(body: bytes = PAGE, head: str = "Content-Type: text/html", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def redirect(location: str) -> bytes:
    return answer(b"", f"Location: {location}", "302 Found")


class Site:
    """A loopback server that plays whole responses by path, and every name on it."""

    def __init__(self, routes: dict[str, bytes]) -> None:
        self.routes = routes
        self.requests: list[str] = []
        self.lookups: list[str] = []
        self.addresses: list[list[str]] = []
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(request)
        writer.write(self.routes.get(request.split()[1], ABSENT))
        if request.split()[1] != "/stall":
            writer.close()

    async def close(self) -> None:
        """Drop all connections, those that were never answered in full included."""
        for writer in self._writers:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        """Return the next planned addresses, and loopback after them."""
        self.lookups.append(host)
        return self.addresses.pop(0) if self.addresses else [LOOPBACK]

    @property
    def paths(self) -> list[str]:
        return [request.split()[1] for request in self.requests]

    async def fetch(self, path: str = "/", host: str = "lantern.dev", seconds: float = 20.0) -> Snapshot:
        url = path if "://" in path else f"http://{host}:{self.port}{path}"
        return await fetch_page(
            url, clock=lambda: NOON, resolver=self.resolve, allowed={LOOPBACK}, seconds=seconds
        )

    async def refusal(self, path: str = "/", seconds: float = 20.0) -> str:
        """Return why a page is refused."""
        with pytest.raises(InputError) as caught:
            await self.fetch(path, seconds=seconds)
        return str(caught.value).replace(f":{self.port}", "")


@asynccontextmanager
async def site(**routes: bytes) -> AsyncIterator[Site]:
    """Run a server; `index` is its root, `robots` its robots.txt, other names are paths."""
    paths = {"index": "/", "robots": "/robots.txt"}
    one = Site({paths.get(name, f"/{name}"): data for name, data in routes.items()})
    server = await asyncio.start_server(one.serve, LOOPBACK, 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()


async def test_a_page_is_kept_as_it_came() -> None:
    async with site(index=answer(head="Content-Type: Text/HTML; charset=UTF-8")) as lantern:
        snapshot = await lantern.fetch("/#top")
    assert (snapshot.body, snapshot.media_type, snapshot.charset) == (PAGE, "text/html", "utf-8")
    assert snapshot.sha256 == hashlib.sha256(PAGE).hexdigest()
    assert (snapshot.url, snapshot.fetched_at) == (f"http://lantern.dev:{lantern.port}/", NOON)


async def test_requests_name_panel_and_the_host() -> None:
    async with site(index=answer()) as lantern:
        await lantern.fetch()
    assert lantern.paths == ["/robots.txt", "/"]
    for request in lantern.requests:
        assert f"User-Agent: panel-review/{__version__}\r\n" in request
        assert f"Host: lantern.dev:{lantern.port}\r\n" in request
        assert "Accept-Encoding: gzip\r\n" in request


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve names itself."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with site(index=answer()) as lantern:
        assert (await lantern.fetch()).body == PAGE


async def test_redirects_are_followed_five_times() -> None:
    async with site(
        **{f"hop{n}": redirect(f"/hop{n + 1}") for n in range(6)},
        hop6=answer(),
        there=redirect("//other.dev/"),
    ) as lantern:
        assert (await lantern.fetch("/hop1")).url == f"http://lantern.dev:{lantern.port}/hop6"
        assert await lantern.refusal("/hop0") == (
            "http://lantern.dev/hop0: redirects more than 5 times; give the address that it ends at"
        )
        lantern.routes["/there"] = redirect(f"//other.dev:{lantern.port}/hop6")
        lantern.lookups.clear()
        assert (await lantern.fetch("/there")).url == f"http://other.dev:{lantern.port}/hop6"
        assert lantern.lookups == ["lantern.dev", "lantern.dev", "other.dev", "other.dev"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest", "169.254.169.254 is not open to the public"),
        ("http://127.0.0.1/", "127.0.0.1 is not open to the public"),
        ("http://[::1]/", "::1 is not open to the public"),
        ("http://2130706433/", "must write an IPv4 address as four decimal numbers"),
        ("http://localhost/", "localhost is not open to the public"),
        ("http://user:word@lantern.dev/", "must not hold a user name or password"),
        ("file:///etc/passwd", "must start with http:// or https://"),
        ("ftp://lantern.dev/", "must start with http:// or https://"),
        ("http://[", "Invalid IPv6 URL"),
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(location: str, reason: str) -> None:
    async with site(index=redirect(location)) as lantern:
        message = await lantern.refusal()
    assert message.startswith("http://lantern.dev/: redirects to ")
    assert reason in message
    assert "user:word" not in message
    assert lantern.lookups == ["lantern.dev", "lantern.dev"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://127.0.0.1.nip.io/",
        "http://lantern.dev@127.0.0.1/",
        "http://lantern.dev\\@127.0.0.1/",
        "http://lantern.dev:0/",
        "gopher://lantern.dev/",
        "lantern.dev",
        "",
    ],
)
async def test_an_address_that_is_not_public_is_never_looked_up(url: str) -> None:
    lookups: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        lookups.append(host)
        return [LOOPBACK]

    with pytest.raises(InputError):
        await fetch_page(url, clock=lambda: NOON, resolver=resolve, allowed={LOOPBACK})
    assert lookups == []


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["::1"], ["64:ff9b::808:808"], [LOOPBACK, "192.168.0.1"], ["fe80::1%lo"], ["nonsense"]],
)
async def test_one_private_address_is_enough_to_refuse_a_name(addresses: list[str]) -> None:
    async with site(index=answer()) as lantern:
        lantern.addresses = [addresses]
        assert "the host lantern.dev is not open to the public" in await lantern.refusal()
    assert lantern.requests == []


async def test_a_name_that_becomes_private_is_refused_dns_rebinding() -> None:
    async with site(index=answer()) as lantern:
        lantern.addresses = [[LOOPBACK], ["10.0.0.1"]]
        assert "is not open to the public, and is not asked" in await lantern.refusal()
    assert lantern.paths == ["/robots.txt"]


async def test_a_name_is_looked_up_once_for_each_request() -> None:
    """The checked address is the one connected to."""
    async with site(index=answer()) as lantern:
        await lantern.fetch(host="no-such-name.dev")
    assert lantern.lookups == ["no-such-name.dev"] * len(lantern.requests)


async def test_the_next_address_is_tried_if_one_does_not_answer() -> None:
    async with site(index=answer()) as lantern:
        lantern.addresses = [["::1", LOOPBACK], ["::1", LOOPBACK]]
        snapshot = await fetch_page(
            f"http://lantern.dev:{lantern.port}/",
            clock=lambda: NOON,
            resolver=lantern.resolve,
            allowed={LOOPBACK, "::1"},
        )
    assert snapshot.body == PAGE


async def test_a_host_that_cannot_be_found_is_named() -> None:

    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(
        InputError, match=r"http://lantern.dev: the host lantern.dev cannot be found; check its"
    ):
        await fetch_page("http://lantern.dev", clock=lambda: NOON, resolver=nowhere)


async def test_a_refused_connection_is_one_line() -> None:
    async with site() as lantern:
        pass
    assert "cannot be reached" in await lantern.refusal()


@pytest.mark.parametrize(
    ("robots", "path", "allowed"),
    [
        (answer(b"User-agent: *\nDisallow: /private"), "/", True),
        (answer(b"User-agent: *\nDisallow: /private"), "/private/x", False),
        (answer(b"\xef\xbb\xbfUser-agent: panel-review\nDisallow: /"), "/", False),
        (answer(b"User-agent: *\nDisallow: /\n\nUser-agent: panel-review\nAllow: /"), "/", True),
        (answer(b"\xff\0 nonsense"), "/", True),
        (answer(b"User-agent: *\nDisallow: /", "Content-Type: text/plain", "403 Forbidden"), "/", True),
        (answer(b"", "Retry-After: 1", "503 Service Unavailable"), "/", False),
        (redirect("http://10.0.0.1/robots.txt"), "/", False),
        (answer(gzip.compress(b"User-agent: *\nDisallow: /"), "Content-Encoding: gzip"), "/", False),
        (answer(b"User-agent: *\nDisallow: /\n" + b"#" * 3_000_000), "/", False),
    ],
    ids=range(10),
)
async def test_robots_txt_is_honoured(robots: bytes, path: str, allowed: bool) -> None:
    """A missing file (4xx) allows everything, a failing server (5xx) nothing."""
    async with site(robots=robots, index=answer(), **{"private/x": answer()}) as lantern:
        if allowed:
            assert (await lantern.fetch(path)).body == PAGE
        else:
            refusal = await lantern.refusal(path)
            assert "robots.txt" in refusal
            assert any(
                each in refusal for each in ("; save the page", "; try again later", "; give the address")
            )
            assert path not in lantern.paths


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (answer(head="Content-Type: application/pdf"), "is application/pdf, not HTML or plain text"),
        (answer(head="X: y"), "is of no stated type, not HTML or plain text"),
        (answer(status="500 Error"), "answered with status 500, not with a page; check the address"),
        (answer(b"x" * (MAX_BYTES + 1)), "is larger than 2 MB, the limit; save the part that matters"),
        (
            answer(head="Content-Type: text/html\r\nContent-Encoding: br"),
            "the compression br, which was not asked",
        ),
        (
            answer(head="Content-Type: text/html\r\nContent-Encoding: gzip"),
            "a compression that is broken; try",
        ),
        (
            answer(gzip.compress(PAGE)[:-12], "Content-Type: text/html\r\nContent-Encoding: gzip"),
            "a compression that is broken off; try again later",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nx", "cannot be reached"),
        (b"nonsense\r\n\r\n", "cannot be reached"),
    ],
    ids=range(9),
)
async def test_a_response_that_is_no_page_is_refused_with_one_line(page: bytes, message: str) -> None:
    async with site(index=page) as lantern:
        refusal = await lantern.refusal()
    assert message in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_compressed_page_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    page = answer(pack(PAGE), "Content-Type: text/html\r\nContent-Encoding: gzip")
    async with site(index=page) as lantern:
        assert (await lantern.fetch()).body == PAGE


async def test_a_compression_bomb_is_refused_in_little_memory() -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    async with site(index=answer(bomb, "Content-Type: text/html\r\nContent-Encoding: gzip")) as lantern:
        await lantern.refusal("/robots-first")
        tracemalloc.start()
        message = await lantern.refusal()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "is larger than 2 MB" in message
    assert peak < 12_000_000


@pytest.mark.parametrize("path", ["/stall", "/robots.txt"])
async def test_the_time_limit_covers_the_page_and_robots_txt(path: str) -> None:
    stalled = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nx"
    async with site(stall=stalled) as lantern:
        if path == "/robots.txt":
            lantern.routes["/robots.txt"] = redirect("/stall")
        message = await lantern.refusal("/stall" if path == "/stall" else "/", seconds=0.5)
    assert "was not read within 0.5 seconds; try again later or save the page yourself" in message


async def test_few_pages_are_fetched_at_a_time_and_yielded_in_order() -> None:
    asked: list[str] = []
    most: list[int] = []
    wanted = [str(n) for n in range(3 * AT_ONCE)]

    async def get(url: str) -> Snapshot:
        asked.append(url)
        most.append(len(asked))
        for _ in range(int(url) % 3 + 1):
            await asyncio.sleep(0)
        asked.remove(url)
        if url == "2":
            raise InputError([])
        return Snapshot(url.encode())

    outcomes = [outcome async for _, outcome in fetch_each(wanted, get)]
    bodies = [outcome.body.decode() if isinstance(outcome, Snapshot) else "2" for outcome in outcomes]
    assert bodies == wanted
    assert max(most) == AT_ONCE


async def test_the_system_is_asked_for_addresses() -> None:
    assert await system_resolver("127.0.0.1", 80) == ["127.0.0.1"]


@given(st.one_of([st.ip_addresses(network=network) for network in INNER]), st.data())
def test_no_spelling_of_an_inner_address_passes(address: IPv4Address, data: st.DataObject) -> None:
    number, octets = int(address), address.packed
    spellings = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(octet) for octet in octets),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{int.from_bytes(octets[1:], 'big')}",
        f"{address}.",
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]",
        f"[::{address}]",
    ]
    with pytest.raises(ValueError, match=r"public|must|cannot be read"):
        public_address(f"http://{data.draw(st.sampled_from(spellings))}/")


@given(st.ip_addresses(v=4))
def test_addresses_that_carry_others_are_not_public(address: IPv4Address) -> None:
    number = int(address)
    carriers = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x64FF9B0001 << 80 | number),
        IPv6Address(0x2002 << 112 | number << 80),
        IPv6Address(0x20010000 << 96 | number),
    ]
    assert not any(is_public(str(carrier)) for carrier in carriers)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["224.0.0.1", "ff02::1", "0.0.0.9", "::", "240.0.0.1", "100.64.0.1", "198.18.0.1"]
)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


ALL = "User-agent: *\n"


def robots_allow(rules: str, path: str) -> bool:
    return parse_robots(rules).can_fetch(f"https://lantern.dev{path}", PRODUCT)


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("", "/", True),
        (f"{ALL}Disallow:", "/", True),
        (f"{ALL}Disallow: /", "/x", False),
        (f"{ALL}Disallow: /private", "/", True),
        (f"{ALL}Disallow: /private", "/private/x", False),
        # RFC 9309, section 2.2.2: the longest match counts, in whatever order, and of equals the one that allows.
        (f"{ALL}Allow: /\nDisallow: /private", "/private", False),
        (f"{ALL}Disallow: /private\nAllow: /", "/private", False),
        (f"{ALL}Disallow: /\nAllow: /public", "/public/x", True),
        (f"{ALL}Allow: /a/b\nDisallow: /a", "/a/b/c", True),
        (f"{ALL}Disallow: /a\nAllow: /a", "/a", True),
        (f"{ALL}Disallow: /*.pdf$", "/x.pdf", False),
        (f"{ALL}Disallow: /*.pdf$", "/x.pdf?y", True),
        (f"{ALL}Disallow: /*/x", "/a/b/x", False),
        (f"{ALL}Disallow: /?q=", "/?q=1", False),
        (f"{ALL}Disallow: /caf%C3%A9", "/café", False),
        (f"{ALL}Disallow: /a%3Cd", "/a%3cd", False),
        # Groups: the one that names panel counts alone; the rest is not for it.
        (f"{ALL}Disallow: /\n\nUser-agent: panel-review\nAllow: /", "/", True),
        (f"{ALL}Allow: /\n\nUser-agent: Panel-Review/9.9 # ours\nDisallow: /", "/", False),
        (
            f"User-agent: panel-review\nDisallow: /a\n\nUser-agent: panel-review\nDisallow: /b\n{ALL}",
            "/b",
            False,
        ),
        ("User-agent: other\nUser-agent: panel-review\nDisallow: /", "/", False),
        ("User-agent: panel-review\nUser-agent: other\nDisallow: /", "/", False),
        ("User-agent: other\nDisallow: /", "/", True),
        ("User-agent: panel\nDisallow: /", "/", True),
        ("User-agent: panel-review-news\nDisallow: /", "/", True),
        (f"{ALL}Disallow: /a\nUser-agent: other\nDisallow: /b", "/b", True),
        # Spelling of lines.
        ("uSeR-aGeNt:*\ndisallow:/x # comment", "/x", False),
        ("User-agent: *\r\nDisallow: /x\r\n", "/x", False),
        (f"{ALL}Sitemap: /s\nDisallow: /x", "/x", False),
        ("Disallow: /x\n", "/x", True),
        ("\ufffd\0 nonsense", "/", True),
    ],
)
def test_robots_rules_are_those_of_rfc_9309(rules: str, path: str, expected: bool) -> None:
    assert robots_allow(rules, path) is expected


@pytest.mark.parametrize(
    "rules",
    [
        "\n".join([*(f"User-agent: a{n}" for n in range(16_000)), *["Disallow: /x"] * 16_000]),
        "\n".join([*(f"User  agent a{n}" for n in range(13_000)), *["Disallow: /x"] * 13_000]),
        "\n".join([*(f"useragent\ta{n}" for n in range(13_000)), *["Disallow: /x"] * 13_000]),
        "\n".join(f"User-agent: a{n}\nDisallow: /{n}" for n in range(20_000)),
        ALL + "\n".join(f"Disallow: /*a*a*a*a*a*a*a*{n}" for n in range(20_000)),
        f"{ALL}Disallow: /{'*a' * MAX_ROBOTS_BYTES}",
        f"{ALL}Disallow: /{'$' * MAX_ROBOTS_BYTES}",
        f"{ALL}Disallow: /{'%41' * MAX_ROBOTS_BYTES}",
        "User-agent:" + " " * MAX_ROBOTS_BYTES,
    ],
    ids=range(9),
)
def test_a_hostile_robots_txt_is_read_in_bounded_time(rules: str) -> None:
    started = time.process_time()
    robots_allow(rules[:MAX_ROBOTS_BYTES], f"/{'a' * 1_900}")
    assert time.process_time() - started < 5


@given(st.text(st.characters() | st.sampled_from("user-agent:*/$%\n \t#"), max_size=200))
def test_no_robots_txt_raises(text: str) -> None:
    robots_allow(text, "/")
    robots_allow(f"{ALL}Disallow: {text}", "/x")
