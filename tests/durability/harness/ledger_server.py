"""A model server on loopback that keeps the books: how often each question was put to it, and how often it was answered.

    POST …/chat/completions     an answer that panel accepts; its id is the question's key and how often that was asked
    GET  /ledger                {"started": {key: n}, "answered": {key: n}, "refused": n}
    GET  /starts                how many questions were asked
    GET  /first?SECONDS         waits until something was asked since the last PUT /life, and says whether
    PUT  /life                  a new process is about to begin
    PUT  /behaviour             {"latency": s, "status": n, "error": {…}, "headers": {…}, "refusals": n, "hang": true}
    PUT  /blank                 forgets everything

A question's key is the sha256 of its body. An answer counts when the last byte of it was handed to the system. What is asked is
what would have been paid for, so that this process outlives every one that asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
READ, WRITTEN = 1_900, 180
ALL = 10**9
ANSWER = json.dumps({
    "recusal": None,
    "evidence": [],
    "reasoning": "A clear scope speaks for it; silence about the second day speaks against it.",
    "take": (
        "The job is small and stated plainly, and the first hour looks honest. What the listing leaves out is what "
        "happens on the second day, when the file has grown and somebody else has to change it."
    ),
    "score": 68,
    "verdict": "ship",
})  # fmt: skip


@dataclass
class Behaviour:
    """How the server answers.

    Attributes:
        latency: seconds until the answer.
        status: the status of refusals; 200 for none.
        error: the body of a refusal.
        headers: further headers of a refusal.
        refusals: how many questions are refused before the others are answered.
        hang: whether nothing is ever answered.
    """

    latency: float = 0.02
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    refusals: int = ALL
    hang: bool = False


class Books:
    """What was asked and answered."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.first = asyncio.Event()
        self.blank()

    def blank(self) -> None:
        """Forget everything."""
        self.started: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refused = 0
        self.first.clear()

    def start(self, body: bytes) -> tuple[str, int]:
        """Note a question; return its key and how often it was asked."""
        key = hashlib.sha256(body).hexdigest()[:24]
        self.started[key] += 1
        self.first.set()
        return key, self.started[key]

    def page(self) -> dict[str, Any]:
        """Return all of it."""
        return {"started": self.started, "answered": self.answered, "refused": self.refused}


def http(status: int, body: object, headers: dict[str, str] | None = None) -> bytes:
    """Return an HTTP response."""
    data = json.dumps(body).encode()
    lines = {"content-type": "application/json", "content-length": len(data), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + data


def chat(key: str, times: int) -> dict[str, Any]:
    """Return a chat completion whose id says what it answers."""
    message = {"role": "assistant", "content": ANSWER}
    return {
        "id": f"{key}.{times}",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN},
    }


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._received, 0, end + 2)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) < whole:
            return
        method, path, _ = self._received.split(b" ", 2)
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        if method == b"POST":
            self._ask(body)
        else:
            task = self._loop.create_task(self._command(path.decode(), body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _ask(self, body: bytes) -> None:
        key, times = self._books.start(body)
        behaviour = self._books.behaviour
        if behaviour.hang:
            return
        if behaviour.status != 200 and behaviour.refusals > 0:
            behaviour.refusals -= 1
            self._books.refused += 1
            self._transport.write(http(behaviour.status, behaviour.error, behaviour.headers))
        elif behaviour.latency:
            self._loop.call_later(behaviour.latency, self._answer, key, times)
        else:
            self._answer(key, times)

    def _answer(self, key: str, times: int) -> None:
        if not self._transport.is_closing():
            self._transport.write(http(200, chat(key, times)))
            self._books.answered[key] += 1

    async def _command(self, path: str, body: bytes) -> None:
        name, _, argument = path.partition("?")
        self._transport.write(http(200, await _COMMANDS[name](self._books, argument, body)))


async def _ledger(books: Books, _argument: str, _body: bytes) -> object:
    return books.page()


async def _starts(books: Books, _argument: str, _body: bytes) -> object:
    return books.started.total()


async def _first(books: Books, argument: str, _body: bytes) -> object:
    try:
        async with asyncio.timeout(float(argument)):
            await books.first.wait()
    except TimeoutError:
        return False
    return True


async def _life(books: Books, _argument: str, _body: bytes) -> object:
    books.first.clear()
    return None


async def _behaviour(books: Books, _argument: str, body: bytes) -> object:
    books.behaviour = Behaviour(**json.loads(body))
    return None


async def _blank(books: Books, _argument: str, _body: bytes) -> object:
    books.blank()
    return None


_COMMANDS = {
    "/ledger": _ledger,
    "/starts": _starts,
    "/first": _first,
    "/life": _life,
    "/behaviour": _behaviour,
    "/blank": _blank,
}


async def serve() -> None:
    """Serve on a free port, which is printed, until stdin ends."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(books), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads this
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
