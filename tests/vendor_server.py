"""One loopback server that stands for the vendors' APIs, for tests, benches and the durability harness.

It serves HTTP/1.1, one request at a time on each connection. A function from request to `Play` decides on each request: the bytes that
are sent, when, and the fate of the connection. `VendorServer` runs in the caller's event loop,
`ThreadedVendorServer` in a thread of its own, for tests that are not async; `serve_process` makes a script of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Self

from acting import reply
from vendor_forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from vendor_forms import Form

    Answer = Callable[["Request"], "Play | Awaitable[Play]"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TOOL = re.compile(r'^name: "(.*)"$', re.MULTILINE)
_SEAT = re.compile(r"^You are the (\w+) on this panel", re.MULTILINE)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

MOST_THREADS = 64
"""Requests of a threaded server that may block together."""


class Then(Enum):
    """The fate of the connection after an answer."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()


@dataclass(frozen=True, slots=True)
class Play:
    """The server's reaction to one request: the bytes to send, and the fate of the connection after that.

    `delay` is the time before the first byte, in seconds. `drips` is the number of pieces, with a pause of seconds before each; 0 for all
    at once. `sent` is called when the last byte was handed to the system.
    """

    data: bytes
    then: Then = Then.KEEP
    delay: float = 0.0
    drips: int = 0
    pause: float = 0.001
    sent: Callable[[], None] | None = None


@dataclass
class Request:
    """One request: request line and headers, body, and its time by the monotonic clock."""

    head: bytes
    content: bytes
    at: float = field(default_factory=time.monotonic)

    @cached_property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @cached_property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """By name in small letters."""
        lines = (line.partition(": ") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value for name, _, value in lines}

    @cached_property
    def body(self) -> Any:
        """The JSON value of the content; an empty object if there is none."""
        return json.loads(self.content) if self.content else {}

    @cached_property
    def form(self) -> Form:
        """The API that was called."""
        return next(form for form in FORMS.values() if self.path.endswith(form.path.removeprefix(form.root)))

    @property
    def key(self) -> str:
        """The API key, as it was sent."""
        return self.headers.get("authorization") or self.headers.get("x-api-key") or ""

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @cached_property
    def seat(self) -> tuple[str, str]:
        """The tool's name and the persona of a prompt."""
        text = _texts(self.body)
        name, persona = _TOOL.search(text), _SEAT.search(text)
        assert name
        assert persona
        return re.sub(r"[^!-~]+", " ", name[1]), persona[1].lower()


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "\n".join(map(_texts, parts))


def http(
    status: int,
    content: bytes = b"",
    kind: str | None = "application/json",
    headers: Mapping[str, object] | None = None,
) -> bytes:
    """Return an HTTP response."""
    lines = {"content-length": len(content), **(headers or {})}
    if kind is not None:
        lines["content-type"] = kind
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Something\r\n{head}\r\n".encode() + content


def json_play(body: Any, status: int = 200, **headers: str) -> Play:
    """Return a JSON answer; headers are named with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Play(http(status, json.dumps(body).encode(), headers=named))


def take_play(request: Request, **take: Any) -> Play:
    """Return a complete answer with a take, in the form of the API that was called, by the model that was asked."""
    return json_play(request.form.answer(reply(**take)) | {"model": request.model})


class VendorServer:
    """A server in the running event loop, for as long as an `async with` block; by default it answers with takes.

    At most `keep` requests are kept, for servers that see very many. `in_flight` counts the requests that are not answered yet.
    """

    def __init__(self, answer: Answer = take_play, keep: int | None = None) -> None:
        self.answer = answer
        self.requests: deque[Request] = deque(maxlen=keep)
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.open: set[_Connection] = set()

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close all connections."""
        self._server.close()
        tasks = [task for connection in self.open for task in connection.close()]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()


class _Connection(asyncio.Protocol):
    def __init__(self, server: VendorServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._server.open.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.open.discard(self)

    def close(self) -> set[asyncio.Task[None]]:
        """Close the connection; return the tasks that end by that."""
        self._transport.abort()
        for task in self._tasks:
            task.cancel()
        return self._tasks

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._deaf:
            return
        length = _LENGTH.search(self._received, 0, end + 2)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= whole:
            request = Request(bytes(self._received[:end]), bytes(self._received[end + 4 : whole]))
            del self._received[:whole]
            self._handle(request)

    def _handle(self, request: Request) -> None:
        server = self._server
        server.requests.append(request)
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        play = server.answer(request)
        if isinstance(play, Play) and not play.drips:
            if play.delay:
                self._loop.call_later(play.delay, self._send, play)
            else:
                self._send(play)
            return
        task = self._loop.create_task(self._perform(play))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, waiting: Play | Awaitable[Play]) -> None:
        play = await waiting if isawaitable(waiting) else waiting
        assert isinstance(play, Play)
        await asyncio.sleep(play.delay)
        size = -(-len(play.data) // play.drips) if play.drips else 0
        for start in range(0, len(play.data) if size else 0, size or 1):
            await asyncio.sleep(play.pause)
            self._transport.write(play.data[start : start + size])
        self._send(play, whole=not size)

    def _send(self, play: Play, *, whole: bool = True) -> None:
        """End an answer: send its bytes unless they were sent already, then close or keep the connection."""
        self._server.in_flight -= 1
        if self._transport.is_closing():
            return
        if whole:
            self._transport.write(play.data)
        if play.sent is not None:
            play.sent()
        if play.then is Then.CLOSE:
            self._transport.close()
        elif play.then is Then.HANG:
            self._deaf = True
        elif play.then is Then.RESET:
            peer: socket.socket = self._transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()


class ThreadedVendorServer(VendorServer):
    """A server in a thread of its own, from its making until `close`. Each answer runs in a thread, and may block."""

    def __init__(self, answer: Callable[[Request], Play] = take_play) -> None:
        self._threads = ThreadPoolExecutor(MOST_THREADS)
        super().__init__(lambda request: self._in_thread(answer, request))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.start(), self._loop).result()

    def close(self) -> None:
        """Stop."""
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._threads.shutdown()

    async def _in_thread(self, answer: Callable[[Request], Play], request: Request) -> Play:
        return await self._loop.run_in_executor(self._threads, answer, request)


async def serve_process(answer: Answer) -> None:
    """Serve on a free port, which is printed, until stdin ends."""
    async with VendorServer(answer, keep=0) as server:
        print(server.port, flush=True)  # noqa: T201 - the parent process reads it
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
