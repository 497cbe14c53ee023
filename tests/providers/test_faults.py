"""Every measured fault, played by a loopback server against the real SDKs under a real panel."""

from __future__ import annotations

import json
import math
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from panel.core.take import NoTake, NoTakeReason
from panel.orchestrator.panel import one_by_one
from panel.providers.base import Connection
from providers.fault_server import FaultServer
from providers.sessions import ATTEMPTS, panel_session, tools
from vendor_forms import FORMS, GOOD_SCORE, KEY, READ, WROTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx2

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.orchestrator.panel import PanelSession
    from panel.prompts.templates import PromptBook
    from providers.sessions import FakeClockStop

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).parents[2] / "fixtures" / "faults" / "sdk_faults.jsonl"
ROWS: list[dict[str, str]] = [json.loads(line) for line in FIXTURE.read_text("utf-8").splitlines()]
PLAYED_BY = {"openai": ("openai", "openai-compatible"), "anthropic": ("anthropic",)}
CONCURRENCY = 4
AMPLE, SHORT = 30.0, 0.3

HANGS = {"hang", "hang_midbody"}
FOREIGN = {"200_html", "200_html_as_json", "200_badjson", "200_badutf8", "200_array", "200_null"}
HOLLOW = {"nochoices", "choices_null", "choices_missing"}
UNCOUNTED = {"nousage", "usage_str", "nan"}


class Stage:
    """A panel before a fault server."""

    def __init__(self, panel: PanelSession, server: FaultServer, stop: FakeClockStop) -> None:
        self.panel, self.server, self.stop = panel, server, stop

    async def seat(self) -> Seat:
        """Ask the first seat about a tool."""
        return (await self.seats(1))[0]

    async def seats(self, count: int) -> list[Seat]:
        """Ask about some tools, and return all seats; none may give the key away."""
        seats = [
            seat async for review in self.panel.reviews(one_by_one(tools(count))) for seat in review.seats
        ]
        said = [self.stop.reason or "", *(seat.model_dump_json() for seat in seats)]
        assert not [text for text in said if KEY in text]
        return seats


Staging = Any  # an async context manager of a Stage; see `stage`


@pytest.fixture
def stage(critics: tuple[Persona, ...], book: PromptBook, stop: FakeClockStop) -> Callable[..., Staging]:
    """Makes a stage before a server in the form of a provider."""

    @asynccontextmanager
    async def make(
        provider: str,
        case: str = "ok",
        *,
        seats: int = 1,
        concurrency: int = CONCURRENCY,
        pause: float = 0.001,
        http_client: httpx2.AsyncClient | None = None,
    ) -> AsyncIterator[Stage]:
        async with FaultServer(FORMS[provider], stop.monotonic, pause) as server:
            limit = SHORT if case in HANGS or pause > SHORT / 10 else AMPLE
            connection = Connection(
                provider,
                server.base_url,
                KEY,
                timeout=limit,
                concurrency=concurrency,
                http_client=http_client,
            )
            async with panel_session(connection, critics[:seats], book, stop, timeout=limit) as panel:
                yield Stage(panel, server, stop)

    return make


def rows(action: str) -> pytest.MarkDecorator:
    """Run a test for each row with an action, as each provider that plays it."""
    played = [
        pytest.param(provider, row["case"], id=f"{provider}-{row['case']}")
        for row in ROWS
        if row["action"] == action
        for provider in PLAYED_BY[row["provider"]]
    ]
    return pytest.mark.parametrize(("provider", "case"), played)


def everyone(*cases: str) -> pytest.MarkDecorator:
    """Run a test for some cases, as each provider."""
    played = [pytest.param(provider, case, id=f"{provider}-{case}") for provider in FORMS for case in cases]
    return pytest.mark.parametrize(("provider", "case"), played)


def attempts_of(case: str) -> int:
    """Return how many calls a fault is worth that never ends."""
    return 2 if case in FOREIGN | HOLLOW else ATTEMPTS


def may_be_billed(case: str) -> bool:
    """Whether a call with this fault counts as lost: yes, unless the API itself reported the failure."""
    return not case[0].isdecimal() or (case.startswith("20") and case != "200_errorbody")


def why(seat: Seat) -> NoTakeReason:
    """Return the reason why a seat has no take."""
    assert isinstance(seat.outcome, NoTake)
    assert seat.outcome.detail
    return seat.outcome.reason


def spent(seat: Seat) -> tuple[int, int]:
    """Return the calls that a seat took, and how many of them were lost."""
    assert seat.provenance is not None
    return seat.provenance.attempts, seat.provenance.usage.lost_calls


def test_every_measured_fault_is_played() -> None:
    assert len(ROWS) == 131
    assert {row["action"] for row in ROWS} == {"ok", "retry", "repair", "give_up", "stop_batch"}


@rows("ok")
async def test_usable_answer_is_used_after_one_call(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case)
        seat = await on.seat()
        calls = 3 if case == "fail_then_ok" else 1
        assert (seat.take.score, len(on.server.requests), spent(seat)) == (GOOD_SCORE, calls, (calls, 0))
    usage = seat.provenance.usage
    assert usage.estimated is (case in UNCOUNTED)
    assert ((usage.input_tokens, usage.output_tokens) == (READ, WROTE)) is not usage.estimated
    assert usage.input_tokens > 100
    assert usage.output_tokens > 50


@rows("retry")
async def test_passing_fault_costs_one_more_call(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case, 1)
        seat = await on.seat()
        assert (seat.take.score, len(on.server.requests)) == (GOOD_SCORE, 2)
        assert spent(seat) == (2, int(may_be_billed(case)))
    assert on.stop.reason is None
    assert all(math.isfinite(wait) and 0 <= wait <= 90 for wait in on.stop.waits)


@rows("retry")
async def test_lasting_fault_ends_the_seat_after_a_bounded_number_of_calls(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case, after=1)
        good, bad = await on.seat(), await on.seat()
        calls = attempts_of(case)
        assert good.take is not None
        assert (spent(bad), len(on.server.requests)) == ((calls, calls * may_be_billed(case)), 1 + calls)
    timed_out = case in HANGS
    assert why(bad) is (NoTakeReason.TIMED_OUT if timed_out else NoTakeReason.PROVIDER_ERROR)
    assert (on.stop.reason is not None) is (case in FOREIGN | HOLLOW)


@rows("repair")
async def test_unusable_reply_is_re_asked_with_the_error_named(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case, 1)
        seat = await on.seat()
        first, second = (request.body for request in on.server.requests)
    assert (seat.take.score, spent(seat), seat.provenance.asks) == (GOOD_SCORE, (2, 0), 2)
    assert seat.provenance.usage.output_tokens == 2 * WROTE
    problems = next(problems for kind, _, problems in on.panel.observer.events if kind == "asked again")
    assert problems
    sent = json.dumps(second, ensure_ascii=False)
    assert all(json.dumps(problem, ensure_ascii=False)[1:-1] in sent for problem in problems)
    limit = next(name for name in first if name.startswith("max_"))
    assert second[limit] == first[limit] * (2 if case == "length" else 1)


@rows("repair")
async def test_second_unusable_reply_ends_the_seat(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case)
        seat = await on.seat()
        assert (spent(seat), len(on.server.requests)) == ((2, 0), 2)
    assert why(seat) is (NoTakeReason.TRUNCATED if case == "length" else NoTakeReason.INVALID)
    assert on.stop.reason is None


@rows("give_up")
async def test_final_fault_ends_the_seat_after_one_call_and_not_the_run(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    reasons = {"refusal": NoTakeReason.REFUSED, "content_filter": NoTakeReason.REFUSED}
    if provider != "openai":
        reasons["ctx"] = NoTakeReason.TRUNCATED
    async with stage(provider, case) as on:
        on.server.play(case, 1)
        seat = await on.seat()
        assert (spent(seat), len(on.server.requests)) == ((1, 0), 1)
    assert why(seat) is reasons.get(case, NoTakeReason.PROVIDER_ERROR)
    assert ("check the base URL" in seat.outcome.detail) is (case == "302")
    assert on.stop.reason is None


@rows("stop_batch")
async def test_fault_of_every_call_stops_the_run_with_its_reason(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case, seats=5) as on:
        on.server.play(case)
        seats = await on.seats(6)
        assert 1 <= len(on.server.requests) <= CONCURRENCY
        assert sum(spent(seat)[0] for seat in seats if seat.provenance) == len(on.server.requests)
    assert {why(seat) for seat in seats} == {NoTakeReason.PROVIDER_ERROR}
    words = {"429_ra3600": "1.0 hours", "429_ra1e9": "277,777.8 hours", "429_radate": "hours; run the same"}
    assert words.get(case, f"answered {case[:3]}") in on.stop.reason


@everyone("400", "422")
async def test_third_refusal_with_the_same_words_stops_a_run_without_answers(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case, seats=5, concurrency=1) as on:
        on.server.play(case)
        await on.seats(6)
        assert len(on.server.requests) == 3
    assert "the same for every call" in on.stop.reason


@everyone("429", "529", "500", "hang", "reset_before", "200_html", "200_empty")
async def test_provider_that_never_answers_stops_the_run(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case, seats=5) as on:
        on.server.play(case)
        seats = await on.seats(20)
        assert len(on.server.requests) <= (CONCURRENCY + 5) * attempts_of(case)
    assert on.stop.reason is not None
    assert {why(seat) for seat in seats} == {NoTakeReason.PROVIDER_ERROR}


@everyone("200_html", "200_html_as_json")
async def test_page_in_place_of_the_answer_twice_stops_the_run(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case)
        await on.seat()
        assert len(on.server.requests) == 2
    assert "check the network and the base URL" in on.stop.reason


@everyone("200_errorbody_401")
async def test_error_under_a_success_status_is_typed_by_its_body(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case)
        await on.seat()
        assert len(on.server.requests) == 1
    assert "the key was not accepted" in on.stop.reason


@everyone("500_then_html")
async def test_page_after_another_fault_is_worth_one_more_call(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case, 2)
        seat = await on.seat()
        assert (seat.take.score, spent(seat)) == (GOOD_SCORE, (3, 1))
    assert on.stop.reason is None


@everyone("429_ra2")
async def test_retry_after_holds_up_every_call(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case, seats=5, concurrency=1) as on:
        on.server.play(case, 1)
        seats = await on.seats(1)
        first, *later = on.server.moments
    assert all(seat.take for seat in seats)
    assert (len(later), min(later) >= first + 2) == (5, True)
    its_own, *of_others = on.stop.waits
    assert (its_own, len(of_others) >= 1) == (2, True)
    assert all(1 < wait <= 2 for wait in of_others)


@everyone("429_ra0", "429_ra90")
async def test_retry_after_is_waited_for_exactly(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, case) as on:
        on.server.play(case, 1)
        await on.seat()
    assert on.stop.waits[0] == float(case.removeprefix("429_ra"))


@everyone("drip")
async def test_answer_that_arrives_byte_by_byte_times_out_by_the_wall_clock(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    async with stage(provider, pause=SHORT / 4) as on:
        on.server.play(case, after=1)
        await on.seat()
        seat = await on.seat()
        assert (spent(seat), len(on.server.requests)) == ((ATTEMPTS, ATTEMPTS), 1 + ATTEMPTS)
    assert why(seat) is NoTakeReason.TIMED_OUT


@pytest.mark.parametrize("provider", FORMS)
async def test_call_that_was_never_sent_is_not_counted_as_lost(
    provider: str, critics: tuple[Persona, ...], book: PromptBook, stop: FakeClockStop
) -> None:
    async with FaultServer(FORMS[provider]) as server:
        url = server.base_url
    connection = Connection(provider, url, KEY, timeout=AMPLE)
    async with panel_session(connection, critics[:1], book, stop, timeout=AMPLE) as panel:
        seat = (await panel.review(tools(1)[0])).seats[0]
    assert spent(seat) == (ATTEMPTS, 0)
    assert "could not be reached" in (stop.reason or "")


AIOHTTP = ("ok", "429", "500", "200_html", "gzip_garbage", "garbage", "200_bom", "drip")
AIOHTTP_BROKEN = (
    "reset_before",
    "close_before",
    "reset_midhead",
    "reset_midbody",
    "short_body",
    *sorted(HANGS),
)


@everyone(*AIOHTTP, *AIOHTTP_BROKEN)
async def test_faults_over_aiohttp_lead_to_the_same_outcomes(
    provider: str, case: str, stage: Callable[..., Staging]
) -> None:
    pytest.importorskip("aiohttp")
    client = _aiohttp_client(provider)
    async with stage(provider, case, http_client=client) as on:
        on.server.play(case, after=1)
        good, seat = await on.seat(), await on.seat()
        calls = 1 if seat.take else attempts_of(case)
        assert len(on.server.requests) == 1 + calls
        assert spent(seat) == (calls, calls if may_be_billed(case) and not seat.take else 0)
    assert good.take is not None
    if seat.take is None:
        timed_out = case in HANGS
        assert why(seat) is (NoTakeReason.TIMED_OUT if timed_out else NoTakeReason.PROVIDER_ERROR)
    assert (seat.take is not None) is (case in {"ok", "200_bom", "drip"})


def _aiohttp_client(provider: str) -> httpx2.AsyncClient:
    import anthropic
    import openai

    make = anthropic.DefaultAioHttpClient if provider == "anthropic" else openai.DefaultAioHttpClient
    client: httpx2.AsyncClient = make(follow_redirects=False)
    return client
