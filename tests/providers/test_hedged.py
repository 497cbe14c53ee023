from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from panel.errors import ProviderBusy, ProviderTimeout
from panel.providers.base import StopSignal
from panel.providers.middleware.hedged import Hedged
from panel.providers.middleware.rate_limit import Pace, RateLimited, RateLimiter
from parts import Scripted, answer, until

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio


async def test_straggler_is_asked_a_second_time(prompt: Prompt, config: ModelConfig) -> None:
    """A call that takes too long is made again; the first answer counts, and the other call is counted as lost."""
    inner = Scripted(asyncio.Event(), answer("second"))
    gate = RateLimiter(Pace(4), StopSignal())
    got = await RateLimited(Hedged(inner, gate, 0.001), gate).complete(prompt, config)
    assert (got.text, got.attempts, got.usage.lost_calls) == ("second", 2, 1)
    assert (inner.in_flight, gate.in_flight) == (0, 0)


async def test_quick_answer_is_not_hedged(prompt: Prompt, config: ModelConfig) -> None:
    """An answer in time costs one call."""
    inner = Scripted()
    got = await Hedged(inner, RateLimiter(Pace(4), StopSignal()), 30).complete(prompt, config)
    assert (inner.calls, got.attempts, got.usage.lost_calls) == (1, 1, 0)


async def test_hedge_keeps_to_the_cap(prompt: Prompt, config: ModelConfig) -> None:
    """A second call waits for its turn like any other, and is given up without being made when the first is answered."""
    slow = asyncio.Event()
    inner = Scripted(slow)
    gate = RateLimiter(Pace(1), StopSignal())
    asked = asyncio.create_task(RateLimited(Hedged(inner, gate, 0.001), gate).complete(prompt, config))
    await until(lambda: gate.waiting == 1)
    slow.set()
    got: Completion = await asked
    assert (inner.calls, got.attempts, got.usage.lost_calls) == (1, 1, 0)


async def test_failed_half_of_a_hedge_leaves_it_to_the_other(prompt: Prompt, config: ModelConfig) -> None:
    """If the second call fails, the first one's answer is waited for, and the failed call is counted with it."""
    slow = asyncio.Event()
    inner = Scripted(slow, ProviderTimeout("slow"))
    asked = asyncio.create_task(
        Hedged(inner, RateLimiter(Pace(4), StopSignal()), 0.001).complete(prompt, config)
    )
    await until(lambda: inner.calls == 2)
    slow.set()
    got = await asked
    assert (got.text, got.attempts, got.usage.lost_calls, got.usage.input_tokens) == ("answer", 2, 1, 10)


async def test_failure_of_both_counts_both(prompt: Prompt, config: ModelConfig) -> None:
    """If both calls fail the failure says that two calls were made, and how many may be billed."""
    slow = asyncio.Event()

    class Failing(Scripted):
        async def _act(self, line: Any) -> Completion:
            await slow.wait()
            raise line

    inner = Failing(ProviderBusy("500"), ProviderTimeout("slow"))
    asked = asyncio.create_task(
        Hedged(inner, RateLimiter(Pace(4), StopSignal()), 0.001).complete(prompt, config)
    )
    await until(lambda: inner.calls == 2)
    slow.set()
    with pytest.raises(ProviderBusy) as caught:
        await asked
    assert (caught.value.attempts, caught.value.lost_calls) == (2, 1)


async def test_interrupted_hedge_leaves_no_call_behind(prompt: Prompt, config: ModelConfig) -> None:
    """When the caller gives up, neither call goes on."""
    inner = Scripted(asyncio.Event(), asyncio.Event())
    gate = RateLimiter(Pace(4), StopSignal())
    asked = asyncio.create_task(Hedged(inner, gate, 0.001).complete(prompt, config))
    await until(lambda: inner.in_flight == 2)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (inner.in_flight, gate.in_flight) == (0, 0)
