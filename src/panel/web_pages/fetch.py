"""Fetch web pages over HTTP, with limits on hosts, size, time and media type."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

import anyio
import httpx2

from panel.core.text import one_line
from panel.core.urls import public_address
from panel.errors import InputError, Problem
from panel.web_pages.robots import AGENT, MAX_ROBOTS_BYTES, PRODUCT, parse_rules
from panel.web_pages.snapshot import HTML, PLAIN, Snapshot
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

_OK = 200
_SERVER_ERROR = 500
_CHUNK = 16_384
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_HEADERS = {"User-Agent": AGENT, "Accept": f"{HTML}, {PLAIN};q=0.5", "Accept-Encoding": "gzip"}
_TOO_LARGE = f"is larger than {MAX_BYTES // 1_000_000} MB, the limit; save the part that matters"
_SHOWN_CHARS = 200
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)


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


async def fetch_public_page(url: str) -> Snapshot:
    """Return a public page as it is now.

    Raises:
        InputError: as `fetch_page` raises it.
    """
    return await fetch_page(url, clock=lambda: datetime.now(UTC).replace(microsecond=0))


async def fetch_page(
    url: str,
    *,
    clock: Callable[[], datetime],
    resolver: Resolver = system_resolver,
    allowed: Collection[str] = frozenset(),
    seconds: float = MAX_SECONDS,
) -> Snapshot:
    """Return a public page: http or https, HTML or plain text, at most 2 MB, after at most 5 redirects.

    Each redirect is checked like the first address, and its site's robots.txt must allow `panel-review`.

    Args:
        url: address of the page.
        clock: returns the time to note in the snapshot.
        resolver: resolves host names.
        allowed: addresses that are accepted although they are not public; for tests.
        seconds: limit on the whole fetch, including name resolution and robots.txt.

    Raises:
        InputError: the page cannot be fetched; one line says why.
    """
    try:
        with anyio.fail_after(seconds):
            async with httpx2.AsyncClient(
                transport=GuardedTransport(resolver, allowed),
                headers=_HEADERS,
                trust_env=False,
                follow_redirects=False,
            ) as client:
                return await _Fetch(client).page(url, clock)
    except TimeoutError:
        message = f"was not read within {seconds:g} seconds; try again later or save the page yourself"
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        message = f"cannot be reached ({one_line(str(error)) or type(error).__name__}); try again later"
    except PageError as error:
        message = str(error)
    raise InputError([Problem(_shown(url), message)])


@dataclass(frozen=True, slots=True)
class _Response:
    url: str
    status: int
    media_type: str
    charset: str | None
    body: bytes


class _Fetch:
    """The requests of one fetch: the page, its redirects, and the robots.txt of each site on the way."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._rules: dict[str, Protego] = {}

    async def page(self, url: str, clock: Callable[[], datetime]) -> Snapshot:
        page = await self._get(url, is_page=True)
        return Snapshot(page.body, page.media_type, page.charset, page.url, clock(), page.status)

    async def _get(self, url: str, *, is_page: bool) -> _Response:
        target = _checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            if is_page:
                await self._check_robots(target)
            async with self._client.stream("GET", target) as response:
                if not response.has_redirect_location:
                    return await _read(response, target, is_page=is_page)
                target = _redirect_target(target, response.headers["location"])
        raise PageError(f"redirects more than {MAX_REDIRECTS} times; give the address that it ends at")

    async def _check_robots(self, url: str) -> None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            robots = await self._get(f"{site}/robots.txt", is_page=False)
            if robots.status >= _SERVER_ERROR:
                raise PageError(
                    f"its site's robots.txt cannot be read (status {robots.status}); try again later"
                )
            self._rules[site] = parse_rules(robots.body.decode("utf-8-sig", "replace"))
        if not self._rules[site].can_fetch(url, PRODUCT):
            raise PageError(
                "its site asks robots to leave this page alone (robots.txt); save the page yourself"
            )


async def _read(response: httpx2.Response, url: str, *, is_page: bool) -> _Response:
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
        raise PageError(_TOO_LARGE)
    return _Response(url, status, media_type, charset[1].lower() if charset else None, body)


async def _body(response: httpx2.Response, limit: int) -> bytes:
    """Return the body, decompressed; of a body beyond the limit, its first `limit + 1` bytes."""
    body, received = bytearray(), 0
    inflate = _inflater(response.headers.get("content-encoding", "").strip().lower())
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


def _inflater(encoding: str) -> zlib._Decompress | None:
    # The client's own decoders decompress a whole chunk at once: 64 kB can become 64 MB.
    if encoding in {"", "identity"}:
        return None
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise PageError(f"came with the compression {one_line(encoding)}, which was not asked for")
    return zlib.decompressobj(_GZIP_OR_ZLIB)


def _checked(url: str) -> str:
    try:
        return public_address(urldefrag(url).url)
    except ValueError as error:
        raise PageError(str(error)) from None


def _redirect_target(base: str, location: str) -> str:
    try:
        return _checked(urljoin(base, location))
    except (PageError, ValueError) as error:
        raise PageError(f"redirects to {_shown(location)}: {error}") from None


def _shown(url: str) -> str:
    """Return an address as messages print it: shortened, without user name and password."""
    return one_line(re.sub(r"//[^/?#]*@", "//", url))[:_SHOWN_CHARS]
