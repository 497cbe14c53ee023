"""Fetch web pages over HTTP, with limits on hosts, size, time and media type, and by the rules of robots.txt (RFC 9309)."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

import anyio
import httpx2

from panel.core.addresses import public_address
from panel.core.text import one_line
from panel.errors import InputError
from panel.version import __version__
from panel.web_pages import HTML, PLAIN, Snapshot
from panel.web_pages.ssrf_guard import GuardedTransport, PageError, system_resolver

if TYPE_CHECKING:
    from protego import Protego

    from panel.web_pages.ssrf_guard import Resolver

Fetcher = Callable[[str], Awaitable[Snapshot]]
"""Returns the page of an address; raises InputError if it cannot be fetched."""

AT_ONCE = 4
MAX_BYTES = 2_000_000
MAX_SECONDS = 20.0
MAX_REDIRECTS = 5
PRODUCT = "panel-review"
MAX_ROBOTS_BYTES = 512_000
"""RFC 9309, section 2.5, requires 500 KiB at least; the rest is not read."""

_OK = 200
_SERVER_ERROR = 500
_CHUNK = 16_384
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_HEADERS = {
    "User-Agent": f"{PRODUCT}/{__version__}",
    "Accept": f"{HTML}, {PLAIN};q=0.5",
    "Accept-Encoding": "gzip",
}
_SHOWN_CHARS = 200
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_AGENT_LINE = re.compile(r"\s*user(?:-|\s+)?agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)


async def fetch_each(
    sources: Sequence[str], fetch: Fetcher
) -> AsyncIterator[tuple[str, Snapshot | InputError]]:
    """Yield each source with its page or its error, in order; at most `AT_ONCE` are fetched at a time."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def outcome(source: str) -> Snapshot | InputError:
        async with limit:
            try:
                return await fetch(source)
            except InputError as error:
                return error

    tasks = [asyncio.create_task(outcome(source)) for source in sources]
    try:
        for source, task in zip(sources, tasks, strict=True):
            yield source, await task
    finally:
        for task in tasks:
            task.cancel()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def fetch_page(
    url: str,
    *,
    clock: Callable[[], datetime] = _now,
    resolver: Resolver = system_resolver,
    allowed: Collection[str] = frozenset(),
    seconds: float = MAX_SECONDS,
) -> Snapshot:
    """Return a public page as it is now: http or https, HTML or plain text, at most 2 MB, after at most 5 redirects.

    Each redirect is checked like the first address, and its site's robots.txt must allow `panel-review`. The time limit covers
    name resolution and robots.txt. For tests, some addresses can be allowed although they are not public.

    Raises:
        InputError: the page cannot be fetched; one line says why.
    """
    transport = GuardedTransport(resolver, allowed)
    try:
        with anyio.fail_after(seconds):
            async with httpx2.AsyncClient(
                transport=transport, headers=_HEADERS, trust_env=False, follow_redirects=False
            ) as client:
                return replace(await _Fetch(client).get(url, is_page=True), fetched_at=clock())
    except TimeoutError:
        message = f"was not read within {seconds:g} seconds; try again later or save the page yourself"
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        message = f"cannot be reached ({one_line(str(error)) or type(error).__name__}); try again later"
    except PageError as error:
        message = str(error)
    raise InputError.at(_shown(url), message)


class _Fetch:
    """The requests of one fetch: the page, its redirects, and the robots.txt of each site on the way."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._rules: dict[str, Protego] = {}

    async def get(self, url: str, *, is_page: bool) -> Snapshot:
        target = _checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            if is_page:
                await self._check_robots(target)
            async with self._client.stream("GET", target) as response:
                if not response.has_redirect_location:
                    return await _read(response, target, is_page=is_page)
                location = response.headers["location"]
            try:
                target = _checked(urljoin(target, location))
            except (PageError, ValueError) as error:
                raise PageError(f"redirects to {_shown(location)}: {error}") from None
        raise PageError(f"redirects more than {MAX_REDIRECTS} times; give the address that it ends at")

    async def _check_robots(self, url: str) -> None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            robots = await self.get(f"{site}/robots.txt", is_page=False)
            if robots.status is None or robots.status >= _SERVER_ERROR:
                message = f"its site's robots.txt cannot be read (status {robots.status}); try again later"
                raise PageError(message)
            self._rules[site] = parse_robots(robots.body.decode("utf-8-sig", "replace"))
        if not self._rules[site].can_fetch(url, PRODUCT):
            message = "its site asks robots to leave this page alone (robots.txt); save the page yourself"
            raise PageError(message)


def parse_robots(text: str) -> Protego:
    """Return the rules of a robots.txt, in time and memory linear in its length.

    Protego stores each rule once per agent of its group: thousands of agents times thousands of rules would take minutes.
    So all agents but ours and `*` become one, which also restricts the match to the whole product name.
    """
    from protego import Protego  # noqa: PLC0415 - part of an extra

    return Protego.parse("\n".join(map(_merge_other_agents, text.splitlines())))


def _merge_other_agents(line: str) -> str:
    match = _AGENT_LINE.match(line)
    if not match:
        return line
    agent = match[1].partition("/")[0].strip().casefold()
    return f"User-agent: {agent if agent in {'*', PRODUCT} else 'another'}"


async def _read(response: httpx2.Response, url: str, *, is_page: bool) -> Snapshot:
    status = response.status_code
    content_type = response.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    charset = _CHARSET.search(content_type)
    limit = MAX_BYTES if is_page else MAX_ROBOTS_BYTES
    if is_page and status != _OK:
        raise PageError(f"answered with status {status}, not with a page; check the address")
    if is_page and media_type not in {HTML, PLAIN}:
        shown = one_line(media_type) or "of no stated type"
        raise PageError(f"is {shown}, not HTML or plain text; name a web page")
    body = await _body(response, limit) if status == _OK else b""
    if is_page and len(body) > limit:
        raise PageError(f"is larger than {limit // 1_000_000} MB, the limit; save the part that matters")
    return Snapshot(body, media_type, charset[1].lower() if charset else None, url, status=status)


async def _body(response: httpx2.Response, limit: int) -> bytes:
    """Return the body, decompressed; of a body beyond the limit, its first `limit + 1` bytes."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise PageError(f"came with the compression {one_line(encoding)}, which was not asked for")
    # The client's own decoders decompress a whole chunk at once: 64 kB can become 64 MB.
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding not in {"", "identity"} else None
    body, received = bytearray(), 0
    try:
        async for chunk in response.aiter_raw(_CHUNK):
            received += len(chunk)
            body += inflate.decompress(chunk, limit + 1 - len(body)) if inflate else chunk
            if max(len(body), received) > limit:
                break
    except zlib.error:
        raise PageError("came with a compression that is broken; try again later") from None
    if inflate and not inflate.eof and len(body) <= limit:
        raise PageError("came with a compression that is broken off; try again later")
    return bytes(body[: limit + 1])


def _checked(url: str) -> str:
    try:
        return public_address(urldefrag(url).url)
    except ValueError as error:
        raise PageError(str(error)) from None


def _shown(url: str) -> str:
    """Return an address as messages print it: shortened, without user name and password."""
    return one_line(re.sub(r"//[^/?#]*@", "//", url))[:_SHOWN_CHARS]
