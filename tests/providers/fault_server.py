"""A loopback server that plays the faults of a network, a proxy or a vendor, byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

from providers.wire_forms import GOOD, KEY, PARTIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from providers.wire_forms import Body, Form

HTML = f"<!doctype html><title>Sign in</title><p>Welcome to the airport. {KEY}</p>".encode()
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
DRIPS = 40


class Then(Enum):
    """What follows the bytes of an answer."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()


@dataclass(frozen=True, slots=True)
class Play:
    """What the server does to one request.

    Attributes:
        data: the bytes that it sends.
        then: what it does with the connection after that.
        drips: number of pieces that the bytes are sent in, with a pause before each; 0 for all at once.
    """

    data: bytes
    then: Then = Then.KEEP
    drips: int = 0


class FaultServer:
    """One API on loopback that is in trouble for some requests and well after that.

    Args:
        form: whose API it is.
        clock: tells the moments of the requests.
        pause: seconds between two drips.

    Attributes:
        bodies: the requests, in order.
        moments: when each of them came.
    """

    def __init__(self, form: Form, clock: Callable[[], float] = time.monotonic, pause: float = 0.001) -> None:
        self.form = form
        self.bodies: list[Body] = []
        self.moments: list[float] = []
        self._clock = clock
        self._pause = pause
        self._script: Iterator[Play] = iter(())
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def base_url(self) -> str:
        """What a caller is to be told."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self.form.root}"

    @property
    def requests(self) -> int:
        """Requests that came."""
        return len(self.bodies)

    def play(self, case: str, times: int | None = None, *, after: int = 0) -> None:
        """Play a case of `fixtures/faults`, for ever unless it is told how often, after some good answers."""
        self._script = self._plays(case, times, after)

    def _plays(self, case: str, times: int | None, after: int) -> Iterator[Play]:
        well = _json(self.form.answer())
        yield from [well] * after
        played = 0
        while times is None or played < times:
            yield _play(case, played, self.form)
            played += 1
        while True:
            yield well

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a connection is served by a task")
        self._connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        then = Then.KEEP
        while then is Then.KEEP:
            path, content = await _request(reader)
            self.moments.append(self._clock())
            self.bodies.append(json.loads(content) if content else {})
            play = next(self._script) if path == self.form.path else _json(self.form.answer())
            await self._send(writer, play)
            then = play.then
        if then is Then.HANG:
            await reader.read()
        if then is Then.RESET:
            peer: socket.socket = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, play: Play) -> None:
        size = -(-len(play.data) // play.drips) if play.drips else len(play.data)
        for start in range(0, len(play.data), size or 1):
            if play.drips:
                await asyncio.sleep(self._pause)
            writer.write(play.data[start : start + size])
            await writer.drain()


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.splitlines()
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].split()[1], content


def _http(status: int, content: bytes = b"", kind: str | None = "application/json", **headers: str) -> Play:
    said = {"content-length": str(len(content)), **headers}
    if kind is not None:
        said["content-type"] = kind
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in said.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Something", *lines, "", ""])
    return Play(head.encode() + content)


def _json(body: Any, status: int = 200, **headers: str) -> Play:
    return _http(status, json.dumps(body).encode(), "application/json", **headers)


def _cut(play: Play, share: float, then: Then) -> Play:
    """Break off an answer: within its head for a small share, within its body for a large one."""
    return Play(play.data[: int(share * len(play.data))], then)


def _play(case: str, played: int, form: Form) -> Play:
    """Return what to do to a request; a case that nobody knows is a KeyError."""
    if case.isdecimal() and case not in _SPECIAL:
        return _json(form.error(int(case)), int(case))
    if case in _TURNS:
        return _play(_TURNS[case][min(played, 2)], played, form)
    return _SPECIAL[case](form)


def _with_usage(form: Form, figure: Any) -> Play:
    body = form.answer()
    return _json(body | {"usage": dict.fromkeys(body["usage"], figure)})


def _without(form: Form, key: str) -> Body:
    return {name: value for name, value in form.answer().items() if name != key}


def _too_many(**headers: str) -> Callable[[Form], Play]:
    return lambda form: _json(form.error(429), 429, **headers)


def _too_long(form: Form) -> Play:
    """OpenAI itself refuses such a request; others begin to answer it and stop."""
    if form.provider != "openai":
        return _json(form.stopped("ctx"))
    body = form.error(400)
    body["error"] |= {"code": "context_length_exceeded", "param": "input"}
    return _json(body, 400)


def _surrogate(form: Form) -> Play:
    return _json(form.answer(GOOD.replace("The primitive", "The \ud83d primitive")))


_TURNS = {"fail_then_ok": ("500", "500", "ok"), "500_then_html": ("500", "200_html", "200_html")}

_SPECIAL: dict[str, Callable[[Form], Play]] = {
    "ok": lambda form: _json(form.answer()),
    # limits and advice
    "429_ra0": _too_many(retry_after="0"),
    "429_ra2": _too_many(retry_after="2"),
    "429_raneg": _too_many(retry_after="-5"),
    "429_ranan": _too_many(retry_after="nan"),
    "429_ra90": _too_many(retry_after="90"),
    "429_ra3600": _too_many(retry_after="3600"),
    "429_radate": _too_many(retry_after="Fri, 31 Dec 2199 23:59:59 GMT"),
    "429_ra1e9": _too_many(retry_after="1e9"),
    "429_noretry": _too_many(x_should_retry="false"),
    "400_forceretry": lambda form: _json(form.error(400), 400, x_should_retry="true"),
    "429_quota": lambda form: _json(form.empty_account(), 429),
    # what is not the API's
    "502_html": lambda _form: _http(502, HTML, "text/html"),
    "302": lambda _form: _http(302, location="/elsewhere"),
    "200_html": lambda _form: _http(200, HTML, "text/html"),
    "200_html_as_json": lambda _form: _http(200, HTML),
    "200_json_as_text": lambda form: _http(200, json.dumps(form.answer()).encode(), "text/plain"),
    "200_noctype": lambda form: _http(200, json.dumps(form.answer()).encode(), None),
    "200_empty": lambda _form: _http(200),
    "200_badjson": lambda form: _http(200, json.dumps(form.answer()).encode()[:-9]),
    "200_bom": lambda form: _http(200, json.dumps(form.answer()).encode("utf-8-sig")),
    "200_badutf8": lambda form: _http(200, json.dumps(form.answer()).encode().replace(b"The", b"\xff\xfe")),
    "200_array": lambda form: _json([form.answer()]),
    "200_null": lambda _form: _json(None),
    "200_errorbody": lambda form: _json(form.error(500)),
    "200_errorbody_401": lambda form: _json(form.error(401)),
    "204": lambda _form: _http(204, kind=None),
    "gzip_garbage": lambda _form: _http(200, b"this is no gzip" * 9, content_encoding="gzip"),
    "garbage": lambda _form: Play(bytes(range(256)) * 4, Then.CLOSE),
    # connections that break
    "reset_before": lambda _form: Play(b"", Then.RESET),
    "close_before": lambda _form: Play(b"", Then.CLOSE),
    "reset_midhead": lambda form: _cut(_json(form.answer()), 0.04, Then.RESET),
    "reset_midbody": lambda form: _cut(_json(form.answer()), 0.6, Then.RESET),
    "short_body": lambda form: _cut(_json(form.answer()), 0.6, Then.CLOSE),
    "hang": lambda _form: Play(b"", Then.HANG),
    "hang_midbody": lambda form: _cut(_json(form.answer()), 0.6, Then.HANG),
    "drip": lambda form: Play(_json(form.answer()).data, drips=DRIPS),
    # answers with something odd in them
    "nousage": lambda form: _json(_without(form, "usage")),
    "usage_str": lambda form: _with_usage(form, "many"),
    "nan": lambda form: _with_usage(form, float("nan")),
    "nochoices": lambda form: _json(form.answer() | {form.results: []}),
    "choices_null": lambda form: _json(form.answer() | {form.results: None}),
    "choices_missing": lambda form: _json(_without(form, form.results)),
    "length": lambda form: _json(form.stopped("length", PARTIAL[:-30])),
    "refusal": lambda form: _json(form.stopped("refusal")),
    "content_filter": lambda form: _json(form.stopped("content_filter")),
    "pause_turn": lambda form: _json(form.stopped("pause_turn")),
    "ctx": _too_long,
    "thinking_first": lambda form: _json(form.thinking_first()),
    "unknown_block": lambda form: _json(form.unknown_block()),
    "content_null": lambda form: _json(form.answer(None)),
    "surrogate": _surrogate,
}
