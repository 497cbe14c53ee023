"""A model server on loopback that answers at once, or as late as the address says: what a client costs shows against it.

    POST /fixed/0.2/v1/responses            each answer after 0.2 s
    POST /lognormal/0.4,0.6/v1/messages     median 0.4 s, sigma 0.6; the same for the same request
    GET  /counters                          what was seen since the last time this was asked

It speaks OpenAI's responses and chat completions and Anthropic's messages, one request at a time on each connection. Every answer
is the same take, which panel accepts, with as many headers and fields as the vendors send, since clients pay for reading them.
It does so little for a request that one core serves several times the calls that a client on another can make.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import re
import time
from email.utils import formatdate
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TAKE = (
    "The job is small and stated plainly, and the first hour looks honest: one command, one file, and a result that "
    "can be read without a manual. What the listing leaves out is what happens on the second day, when the file has "
    "grown and somebody else has to change it. There is no word on export, on limits or on who answers when it "
    "breaks. Still, the problem is real, the price is named, and an afternoon is enough to find out the rest. That "
    "afternoon is worth it for anyone who does this by hand today."
)
ANSWER = json.dumps({
    "recusal": None,
    "evidence": ["one command, one file", "free for small teams"],
    "reasoning": "Clear scope speaks for it; silence about the second day speaks against it. The scope weighs more.",
    "take": TAKE,
    "score": 68,
    "verdict": "ship",
})  # fmt: skip
READ, WRITTEN = 1_900, 180
"""Tokens that each answer claims to have taken."""

REQUESTS, TOKENS = 10**9, 10**12
"""Limits per minute: stated, so that clients read them, and out of reach."""

OPENAI_HEADERS = {
    "openai-organization": "bench",
    "openai-processing-ms": "1",
    "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": REQUESTS,
    "x-ratelimit-limit-tokens": TOKENS,
    "x-ratelimit-remaining-requests": REQUESTS - 1,
    "x-ratelimit-remaining-tokens": TOKENS - READ,
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "1ms",
    "x-request-id": "req_bench",
}
ANTHROPIC_HEADERS = {
    f"anthropic-ratelimit-{what}-{figure}": value
    for what, most in (("requests", REQUESTS), ("input-tokens", TOKENS), ("output-tokens", TOKENS))
    for figure, value in (
        ("limit", most),
        ("remaining", most - READ),
        ("reset", "2100-01-01T00:00:00Z"),
    )
} | {"anthropic-organization-id": "bench", "request-id": "req_bench"}
COMMON_HEADERS = {
    "content-type": "application/json",
    "server": "bench",
    "cf-cache-status": "DYNAMIC",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
}


def responses_body(request: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of the Responses API, which repeats most of the request."""
    text = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
    message = {"id": "msg_bench", "type": "message", "role": "assistant", "status": "completed", "content": [text]}  # fmt: skip
    usage = {
        "input_tokens": READ,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": WRITTEN,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": READ + WRITTEN,
    }
    return {
        **{name: value for name, value in request.items() if name != "input"},
        "id": "resp_bench",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "metadata": {},
        "usage": usage,
    }


def chat_body(request: dict[str, Any]) -> dict[str, Any]:
    """Return a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": request.get("model"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN},
    }


def messages_body(request: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of the Messages API."""
    return {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": request.get("model"),
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": READ,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": WRITTEN,
            "service_tier": "standard",
        },
    }


ENDPOINTS: dict[bytes, tuple[Callable[[dict[str, Any]], dict[str, Any]], Mapping[str, object]]] = {
    b"responses": (responses_body, OPENAI_HEADERS),
    b"completions": (chat_body, OPENAI_HEADERS),
    b"messages": (messages_body, ANTHROPIC_HEADERS),
}


def http(body: bytes, headers: Mapping[str, object]) -> bytes:
    """Return a successful HTTP response."""
    lines = {"date": formatdate(usegmt=True), "content-length": len(body), **COMMON_HEADERS, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body


def seconds(kind: bytes, figures: bytes, request: bytes) -> float:
    """Return how late the answer to a request is, which depends on the request and on the figures alone."""
    if kind == b"fixed":
        return float(figures)
    median, sigma = map(float, figures.split(b","))
    number = int.from_bytes(hashlib.blake2b(figures + request, digest_size=6).digest(), "big")
    return median * math.exp(sigma * NormalDist().inv_cdf((number + 0.5) / 2**48))


class Counters:
    """What the server has seen."""

    def __init__(self) -> None:
        self.requests = self.in_flight = self.most_in_flight = self.connections = 0
        self.first_request_at: float | None = None
        self.slowest = 0.0

    def begin(self, latency: float) -> None:
        """Count a request."""
        self.requests += 1
        self.first_request_at = self.first_request_at or time.time()
        self.slowest = max(self.slowest, latency)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def read(self) -> bytes:
        """Return the counts as JSON, and begin anew."""
        text = json.dumps(vars(self))
        in_flight = self.in_flight
        Counters.__init__(self)
        self.in_flight = in_flight
        return text.encode()


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, counters: Counters, answers: dict[bytes, bytes]) -> None:
        self._counters = counters
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream's
        self._counters.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer as soon as the request is whole."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._received, 0, end + 2)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= whole:
            line, body = self._received.partition(b"\r\n")[0], bytes(self._received[end + 4 : whole])
            del self._received[:whole]
            self._handle(bytes(line.split(b" ")[1]), body)

    def _handle(self, path: bytes, body: bytes) -> None:
        if path == b"/counters":
            self._transport.write(http(self._counters.read(), {}))
            return
        _, kind, figures, *_, endpoint = path.split(b"/")
        latency = seconds(kind, figures, body)
        self._counters.begin(latency)
        self._loop.call_later(latency, self._answer, endpoint, body)

    def _answer(self, endpoint: bytes, body: bytes) -> None:
        self._counters.in_flight -= 1
        if endpoint not in self._answers:
            # What an answer repeats of its request is taken from the first one: its size is what matters.
            make, headers = ENDPOINTS[endpoint]
            self._answers[endpoint] = http(json.dumps(make(json.loads(body))).encode(), headers)
        if not self._transport.is_closing():
            self._transport.write(self._answers[endpoint])


async def serve(most_seconds: float) -> None:
    """Serve on a free port, which is printed, for so long at most."""
    counters, answers = Counters(), dict[bytes, bytes]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(counters, answers), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(most_seconds)


def main() -> None:
    """Serve until killed or until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=900.0, help="life time at most (default: %(default)s)"
    )
    asyncio.run(serve(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
