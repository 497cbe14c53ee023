from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from panel.core.completion import RateLimits, Usage
from panel.errors import CallNotMade, ProviderBusy, ProviderError
from panel.providers.base import StopSignal
from panel.providers.middleware.rate_limit import CallLimits, RateLimit, RateLimiter
from parts import InstantStop, answer, scripted, until

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio

TOO_MANY = ProviderBusy("429", slow_down=True)


async def burst(provider: Any, prompt: Prompt, config: ModelConfig, calls: int) -> list[Any]:
    made = [provider.complete(prompt, config) for _ in range(calls)]
    return await asyncio.gather(*made, return_exceptions=True)


async def test_calls_in_flight_are_bounded(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted()
    await burst(RateLimit(inner, RateLimiter(CallLimits(3), StopSignal())), prompt, config, 20)
    assert (inner.calls, inner.most_in_flight) == (20, 3)


async def test_limit_halves_after_a_429_and_grows_with_answers(prompt: Prompt, config: ModelConfig) -> None:
    limiter = RateLimiter(CallLimits(8), InstantStop())
    inner = scripted(ProviderBusy("429", slow_down=True))
    provider = RateLimit(inner, limiter)
    await burst(provider, prompt, config, 1)
    assert limiter.limit == 4
    await burst(provider, prompt, config, 5)
    assert limiter.limit == 5
    await burst(provider, prompt, config, 100)
    assert limiter.limit == 8


async def test_calls_of_one_round_slow_down_once(prompt: Prompt, config: ModelConfig) -> None:
    limiter = RateLimiter(CallLimits(8), InstantStop())
    provider = RateLimit(scripted(*[ProviderBusy("429", slow_down=True) for _ in range(8)]), limiter)
    await burst(provider, prompt, config, 8)
    assert limiter.limit == 4


async def test_server_error_does_not_change_the_limit(prompt: Prompt, config: ModelConfig) -> None:
    limiter = RateLimiter(CallLimits(8), InstantStop())
    await burst(RateLimit(scripted(ProviderBusy("500"), ProviderError("400")), limiter), prompt, config, 2)
    assert limiter.limit == 8


async def test_retry_after_holds_up_every_call(prompt: Prompt, config: ModelConfig) -> None:
    stop = InstantStop()
    provider = RateLimit(
        scripted(ProviderBusy("429", 30.0, slow_down=True)), RateLimiter(CallLimits(4), stop)
    )
    await burst(provider, prompt, config, 1)
    calling = asyncio.create_task(provider.complete(prompt, config))
    await until(lambda: bool(stop.waits))
    calling.cancel()
    assert 29 < stop.waits[0] <= 30


async def test_stop_ends_the_queue_without_calls(prompt: Prompt, config: ModelConfig) -> None:
    stop, gone = StopSignal(), asyncio.Event()
    inner = scripted(gone, gone)
    asked = asyncio.create_task(burst(RateLimit(inner, RateLimiter(CallLimits(2), stop)), prompt, config, 6))
    await until(lambda: inner.in_flight == 2)
    stop.set("interrupted")
    gone.set()
    outcomes = await asked
    refused = [one for one in outcomes if isinstance(one, CallNotMade)]
    assert (inner.calls, len(refused)) == (2, 4)
    assert (str(refused[0]), refused[0].attempts) == ("not asked: interrupted", 0)


@pytest.mark.parametrize(
    "limits",
    [
        RateLimits(requests_per_minute=60, requests_left=0, requests_reset=20.0),
        RateLimits(tokens_per_minute=600, tokens_left=0, tokens_reset=20.0),
    ],
)
async def test_calls_wait_for_the_refill_if_headers_say_nothing_is_left(
    limits: RateLimits, prompt: Prompt, config: ModelConfig
) -> None:
    stop, gone = InstantStop(), asyncio.Event()
    limiter = RateLimiter(CallLimits(4), stop)
    provider = RateLimit(scripted(gone, answer(limits=limits)), limiter)
    asked = asyncio.create_task(burst(provider, prompt, config, 2))
    await until(lambda: limiter.in_flight == 1)
    calling = asyncio.create_task(provider.complete(prompt, config))
    await until(lambda: bool(stop.waits))
    calling.cancel()
    gone.set()
    await asked
    assert 0.5 < stop.waits[0] <= 20


async def test_distant_limits_make_no_call_wait(prompt: Prompt, config: ModelConfig) -> None:
    stop = InstantStop()
    far = RateLimits(requests_per_minute=9000, requests_left=8999, tokens_per_minute=10**7, tokens_left=10**7)
    await burst(RateLimit(scripted(answer(limits=far)), RateLimiter(CallLimits(4), stop)), prompt, config, 5)
    assert stop.waits == []


async def test_requests_per_minute_are_kept(prompt: Prompt, config: ModelConfig) -> None:
    stop = StopSignal()
    inner = scripted()
    asked = asyncio.create_task(
        burst(RateLimit(inner, RateLimiter(CallLimits(20, 60), stop)), prompt, config, 7)
    )
    await until(lambda: inner.calls == 6 and inner.in_flight == 0)
    stop.set("interrupted")
    assert sum(isinstance(one, CallNotMade) for one in await asked) == 1


async def test_tokens_per_minute_count_prompts_and_answers(prompt: Prompt, config: ModelConfig) -> None:
    stop = StopSignal()
    inner = scripted(*[answer(usage=Usage(input_tokens=10, output_tokens=1)) for _ in range(50)])
    provider = RateLimit(inner, RateLimiter(CallLimits(50, None, 20_000), stop))
    await provider.complete(prompt, config)
    asked = asyncio.create_task(burst(provider, prompt, config, 49))
    await until(lambda: inner.calls > 1 and inner.in_flight == 0)
    calls = inner.calls
    stop.set("interrupted")
    await asked
    assert 1 < calls < 49
    assert inner.calls == calls
