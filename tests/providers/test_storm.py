"""A bad day: a third of all calls fail in one way or another, over a thousand tools, under the real SDKs."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from acting import reply
from panel.core.completion import Usage
from panel.core.take import NoTake, NoTakeReason, Take
from panel.orchestrator.panel import one_by_one
from panel.providers.base import Connection
from providers.sessions import ATTEMPTS, panel_session, tools
from vendor_forms import FORMS, GOOD, GOOD_SCORE, KEY, PARTIAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.prompts.templates import PromptBook
    from providers.sessions import FakeClockStop
    from vendor_forms import Form

pytestmark = pytest.mark.anyio

TOOLS, SEATS = 1_000, 5
CONCURRENCY = 32
TINY = 0.01

# Of 100 calls, how many meet what.
FAULTS = {
    "429": 3,
    "429_wait": 2,
    "500": 5,
    "529": 3,
    "reset": 4,
    "truncated": 3,
    "violation": 3,
    "fenced": 3,
    "refusal": 1,
    "html": 1.5,
    "empty": 1,
    "hang": 0.5,
}
LOSES = {"reset", "html", "empty", "hang"}
BILLED = {None, "truncated", "violation", "fenced", "refusal"}


class Storm(httpx2.AsyncBaseTransport):
    """A transport whose faults depend on the seed, the request and the number of times that it came.

    `met` counts the faults, with None for a plain good answer; `read` and `wrote` are the tokens billed.
    """

    def __init__(self, form: Form, seed: int) -> None:
        self.form = form
        self.met: Counter[str | None] = Counter()
        self.times: Counter[bytes] = Counter()
        self.read = self.wrote = 0
        self._seed = seed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request, or fail."""
        content = await request.aread()
        asked = hashlib.sha256(content).digest()
        self.times[asked] += 1
        draw = Random(f"{self._seed} {asked.hex()} {self.times[asked]}")  # noqa: S311 - reproducible, not secret
        fault = _drawn(draw)
        self.met[fault] += 1
        await asyncio.sleep(0)
        if fault in BILLED:
            return self._billed(fault, len(content) // 4, draw.randrange(50, 400))
        return await self._failed(fault, request)

    def _billed(self, fault: str | None, read: int, wrote: int) -> httpx2.Response:
        self.read += read
        self.wrote += wrote
        answers: dict[str | None, Callable[[], dict[str, Any]]] = {
            "truncated": lambda: self.form.stopped("length", PARTIAL[:-30], read=read, wrote=wrote),
            "refusal": lambda: self.form.stopped("refusal", "", read=read, wrote=wrote),
            "violation": lambda: self.form.answer(reply(score=170), read=read, wrote=wrote),
            "fenced": lambda: self.form.answer(f"Gladly:\n```json\n{GOOD}\n```\n", read=read, wrote=wrote),
            None: lambda: self.form.answer(read=read, wrote=wrote),
        }
        return httpx2.Response(200, json=answers[fault]())

    async def _failed(self, fault: str | None, request: httpx2.Request) -> httpx2.Response:
        if fault == "reset":
            raise httpx2.ReadError("connection reset", request=request)
        if fault == "hang":
            await asyncio.sleep(request.extensions["timeout"]["read"])
            raise httpx2.ReadTimeout("nothing came", request=request)
        if fault == "html":
            return httpx2.Response(200, html="<!doctype html><title>Sign in</title>")
        if fault == "empty":
            return httpx2.Response(200)
        status = int((fault or "").split("_")[0])
        headers = {"retry-after": "2"} if fault == "429_wait" else {}
        return httpx2.Response(status, json=self.form.error(status), headers=headers)


def _drawn(draw: Random) -> str | None:
    point = 100 * draw.random()
    for fault, share in FAULTS.items():
        point -= share
        if point < 0:
            return fault
    return None


@pytest.mark.parametrize(("provider", "seed"), [("openai", 1), ("anthropic", 2), ("openai-compatible", 3)])
async def test_every_seat_of_a_storm_has_an_outcome_and_every_call_is_counted(
    provider: str, seed: int, critics: tuple[Persona, ...], book: PromptBook, stop: FakeClockStop
) -> None:
    storm = Storm(FORMS[provider], seed)
    connection = Connection(
        provider,
        "http://127.0.0.1",
        KEY,
        timeout=TINY,
        concurrency=CONCURRENCY,
        http_client=httpx2.AsyncClient(transport=storm),
    )
    async with panel_session(connection, critics, book, stop, timeout=60.0) as panel:
        seats = [seat async for review in panel.reviews(one_by_one(tools(TOOLS))) for seat in review.seats]
    assert stop.reason is None
    assert len(seats) == TOOLS * SEATS == len(critics) * TOOLS
    _judge_outcomes(seats)
    _judge_accounts(seats, storm)
    _judge_weather(storm)


def _judge_outcomes(seats: list[Seat]) -> None:
    takes = [seat.outcome for seat in seats if isinstance(seat.outcome, Take)]
    reasons = Counter(seat.outcome.reason for seat in seats if isinstance(seat.outcome, NoTake))
    assert {take.score for take in takes} == {GOOD_SCORE}
    assert len(takes) > 0.95 * len(seats)
    assert len(takes) + reasons.total() == len(seats)
    assert {NoTakeReason.REFUSED, NoTakeReason.PROVIDER_ERROR, NoTakeReason.INVALID} <= reasons.keys()


def _judge_accounts(seats: list[Seat], storm: Storm) -> None:
    kept = [seat.provenance for seat in seats if seat.provenance]
    assert len(kept) == len(seats)
    requests = storm.times.total()
    usage = sum((source.usage for source in kept), Usage.lost(0))
    assert sum(source.attempts for source in kept) == requests
    assert sum(source.asks for source in kept) == sum(storm.met[fault] for fault in BILLED)
    assert (usage.input_tokens, usage.output_tokens) == (storm.read, storm.wrote)
    assert usage.lost_calls == sum(storm.met[fault] for fault in LOSES)
    assert not usage.estimated
    assert max(storm.times.values()) == ATTEMPTS
    assert max(source.attempts for source in kept) <= 2 * ATTEMPTS
    assert requests <= 1.6 * sum(seat.take is not None for seat in seats)


def _judge_weather(storm: Storm) -> None:
    """Check that it was a storm: that all kinds of faults came, and as many as planned."""
    assert storm.met.keys() == {None, *FAULTS}
    assert 0.27 < 1 - storm.met[None] / storm.met.total() < 0.33
    assert sum(FAULTS.values()) == 30
