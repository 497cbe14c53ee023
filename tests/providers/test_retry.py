from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from panel.errors import (
    CallNotMade,
    OverBudget,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
    ProviderUnreachable,
)
from panel.providers.base import StopSignal
from panel.providers.middleware.retry import CircuitBreaker, Retry
from parts import InstantStop, answer, scripted

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio


def busy(times: int) -> list[ProviderBusy]:
    return [ProviderBusy("busy", retry_after=0.0) for _ in range(times)]


async def test_call_to_a_busy_provider_is_repeated(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(*busy(3))
    assert (await Retry(inner, 4, StopSignal()).complete(prompt, config)).text == "answer"
    assert inner.calls == 4


async def test_attempts_are_bounded(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(*busy(9))
    with pytest.raises(ProviderBusy, match="busy"):
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 4


@pytest.mark.parametrize("error", [ProviderDown("key"), ProviderError("bad")])
async def test_lasting_errors_are_not_repeated(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    inner = scripted(error)
    with pytest.raises(type(error)):
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 1


async def test_stop_between_attempts_raises_the_failure(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(ProviderBusy("overloaded", 0.0), CallNotMade("not asked: interrupted"))
    with pytest.raises(ProviderBusy, match="overloaded") as caught:
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert caught.value.attempts == 1


async def test_garbled_answer_is_repeated_once(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(*[ProviderGarbled("html", lost_calls=1) for _ in range(4)])
    with pytest.raises(ProviderGarbled) as caught:
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert (inner.calls, caught.value.attempts, caught.value.lost_calls) == (2, 2, 2)


async def test_answer_counts_all_attempts_and_lost_calls(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(ProviderTimeout("slow"), ProviderBusy("busy", 0.0))
    got = await Retry(inner, 4, InstantStop()).complete(prompt, config)
    assert (got.attempts, got.usage.lost_calls) == (3, 1)


async def test_waits_are_those_asked_for_or_grow(prompt: Prompt, config: ModelConfig) -> None:
    stop = InstantStop()
    steps = [ProviderBusy("a", 7.0), ProviderBusy("b"), ProviderBusy("c", slow_down=True)]
    await Retry(scripted(*steps), 4, stop).complete(prompt, config)
    assert stop.waits[0] == 7.0
    assert 0 <= stop.waits[1] <= 1.0
    assert 0 <= stop.waits[2] <= 8.0


class BreakerCalls:
    """A circuit breaker around a script; `next` makes one call and returns its answer or the type of its error."""

    def __init__(self, prompt: Prompt, config: ModelConfig, *steps: Any) -> None:
        self._prompt, self._config = prompt, config
        self._breaker = CircuitBreaker(scripted(*steps))

    async def next(self, listing: str = "LISTING") -> Any:
        prompt = self._prompt.model_copy(update={"shared": listing})
        try:
            return await self._breaker.complete(prompt, self._config)
        except ProviderError as error:
            return type(error)


@pytest.mark.parametrize("error", [ProviderUnreachable("x"), ProviderTimeout("x"), ProviderBusy("x")])
async def test_provider_that_never_answered_is_down_at_the_first_failure(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    calls = BreakerCalls(prompt, config, error)
    assert await calls.next() is ProviderDown


async def test_provider_that_answered_is_down_at_the_third_failure_in_a_row(
    prompt: Prompt, config: ModelConfig
) -> None:
    lost = [ProviderUnreachable("x") for _ in range(5)]
    calls = BreakerCalls(prompt, config, answer(), *lost[:2], answer(), *lost[2:])
    assert (await calls.next()).text == "answer"
    assert [await calls.next() for _ in range(2)] == [ProviderUnreachable] * 2
    assert (await calls.next()).text == "answer"
    assert [await calls.next() for _ in range(3)] == [ProviderUnreachable, ProviderUnreachable, ProviderDown]


async def test_garbled_answers_to_one_call_stop_the_run(prompt: Prompt, config: ModelConfig) -> None:
    twice = ProviderGarbled("html", attempts=2)
    calls = BreakerCalls(prompt, config, answer(), ProviderGarbled("html", attempts=1), twice)
    await calls.next()
    assert [await calls.next() for _ in range(2)] == [ProviderGarbled, ProviderDown]


async def test_same_refusal_three_times_in_a_row_stops_the_run(prompt: Prompt, config: ModelConfig) -> None:
    calls = BreakerCalls(prompt, config, *[ProviderError("bad schema") for _ in range(3)])
    assert [await calls.next() for _ in range(3)] == [ProviderError, ProviderError, ProviderDown]


async def test_one_bad_listing_does_not_stop_a_run_that_works(prompt: Prompt, config: ModelConfig) -> None:
    calls = BreakerCalls(prompt, config, answer(), *[ProviderError("too long") for _ in range(6)])
    await calls.next()
    assert [await calls.next("A") for _ in range(5)] == [ProviderError] * 5
    assert await calls.next("B") is ProviderDown


async def test_different_refusals_do_not_add_up(prompt: Prompt, config: ModelConfig) -> None:
    calls = BreakerCalls(prompt, config, *[ProviderError(f"bad {n}") for n in range(6)])
    assert [await calls.next() for _ in range(6)] == [ProviderError] * 6


async def test_error_that_stops_the_run_keeps_attempts_and_lost_calls(
    prompt: Prompt, config: ModelConfig
) -> None:
    breaker = CircuitBreaker(scripted(ProviderTimeout("slow", attempts=4, lost_calls=4)))
    with pytest.raises(ProviderDown, match=r"slow \(it seems to be down\)") as caught:
        await breaker.complete(prompt, config)
    assert (caught.value.attempts, caught.value.lost_calls) == (4, 4)


@pytest.mark.parametrize("error", [OverBudget("not covered"), CallNotMade("interrupted")])
async def test_calls_that_were_not_made_do_not_mean_that_it_is_down(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    calls = BreakerCalls(prompt, config, *[error] * 4)
    assert [await calls.next(f"LISTING {n}") for n in range(4)] == [type(error)] * 4
    assert (await calls.next()).text == "answer"
