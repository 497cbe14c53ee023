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
import sys
import time
from email.utils import formatdate
from pathlib import Path
from statistics import NormalDist
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from vendor_server import Play, Request, VendorServer, http

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
    "server": "bench",
    "cf-cache-status": "DYNAMIC",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
}


def body_of(request: Request) -> dict[str, Any]:
    """Return an answer; the Responses API repeats most of its request."""
    answer = request.form.answer(ANSWER, read=READ, wrote=WRITTEN)
    if request.form.provider == "openai":
        repeated = {name: value for name, value in request.body.items() if name != "input"}
        answer = (
            repeated
            | answer
            | {"created_at": 1_790_000_000, "tools": [], "metadata": {}, "tool_choice": "auto"}
        )
    return answer | {"model": request.model}


def seconds(kind: str, figures: str, request: bytes) -> float:
    """Return how late the answer to a request is, which depends on the request and on the figures alone."""
    if kind == "fixed":
        return float(figures)
    median, sigma = map(float, figures.split(","))
    number = int.from_bytes(hashlib.blake2b(figures.encode() + request, digest_size=6).digest(), "big")
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

    def end(self) -> None:
        """Count an answer."""
        self.in_flight -= 1

    def read(self) -> bytes:
        """Return the counts as JSON, and begin anew."""
        text = json.dumps(vars(self))
        in_flight = self.in_flight
        Counters.__init__(self)
        self.in_flight = in_flight
        return text.encode()


class FakeServer:
    """Answers by the address of a request, and counts."""

    def __init__(self) -> None:
        self._counters = Counters()
        self._answers: dict[str, bytes] = {}

    def answer(self, request: Request) -> Play:
        """Return the answer, which is as late as the address says."""
        counters = self._counters
        if request.path == "/counters":
            return Play(http(200, counters.read()))
        _, kind, figures, *_ = request.path.split("/", 3)
        latency = seconds(kind, figures, request.content)
        counters.begin(latency)
        provider = request.form.provider
        if provider not in self._answers:
            # What an answer repeats of its request is taken from the first one: its size is what matters.
            own = ANTHROPIC_HEADERS if provider == "anthropic" else OPENAI_HEADERS
            headers = {"date": formatdate(usegmt=True), **COMMON_HEADERS, **own}
            self._answers[provider] = http(200, json.dumps(body_of(request)).encode(), headers=headers)
        return Play(self._answers[provider], delay=latency, sent=counters.end)


async def serve(most_seconds: float) -> None:
    """Serve on a free port, which is printed, for so long at most."""
    async with VendorServer(FakeServer().answer, keep=0) as server:
        print(server.port, flush=True)
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
