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
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vendor_forms import FORMS
from vendor_server import Play, Request, Then, http, json_play, serve_process

if TYPE_CHECKING:
    from collections.abc import Awaitable

FORM = FORMS["openai-compatible"]

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

    def answer(self, request: Request) -> Play | Awaitable[Play]:
        """Answer a question, or carry out a command of the harness."""
        return self._ask(request.content) if request.method == "POST" else self._command(request)

    def _ask(self, body: bytes) -> Play:
        key, times = self.start(body)
        behaviour = self.behaviour
        if behaviour.hang:
            return Play(b"", Then.HANG)
        if behaviour.status != 200 and behaviour.refusals > 0:
            behaviour.refusals -= 1
            self.refused += 1
            content = json.dumps(behaviour.error).encode()
            return Play(http(behaviour.status, content, headers=behaviour.headers))
        answer = FORM.answer(ANSWER, read=READ, wrote=WRITTEN) | {"id": f"{key}.{times}", "model": "m"}
        return replace(json_play(answer), delay=behaviour.latency, sent=lambda: self.answered.update([key]))

    async def _command(self, request: Request) -> Play:
        name, _, argument = request.path.partition("?")
        return json_play(await _COMMANDS[name](self, argument, request.content))


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


if __name__ == "__main__":
    asyncio.run(serve_process(Books().answer))
