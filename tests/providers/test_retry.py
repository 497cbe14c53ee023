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


async def test_busy_provider_is_asked_again(prompt: Prompt, config: ModelConfig) -> None:
    """A call that found the provider busy is made again until it succeeds."""
    inner = scripted(*busy(3))
    assert (await Retry(inner, 4, StopSignal()).complete(prompt, config)).text == "answer"
    assert inner.calls == 4


async def test_attempts_are_bounded(prompt: Prompt, config: ModelConfig) -> None:
    """After the last attempt the provider's own error comes through."""
    inner = scripted(*busy(9))
    with pytest.raises(ProviderBusy, match="busy"):
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 4


@pytest.mark.parametrize("error", [ProviderDown("key"), ProviderError("bad")])
async def test_other_faults_are_not_repeated(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    """A fault that another attempt cannot mend is not repeated."""
    inner = scripted(error)
    with pytest.raises(type(error)):
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 1


async def test_halt_between_attempts_leaves_the_failure(prompt: Prompt, config: ModelConfig) -> None:
    """A call that is not made again because of a stop ends with what went wrong, not with the stop."""
    inner = scripted(ProviderBusy("overloaded", 0.0), CallNotMade("not asked: interrupted"))
    with pytest.raises(ProviderBusy, match="overloaded") as caught:
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert caught.value.attempts == 1


async def test_garbled_answers_are_asked_for_once_more(prompt: Prompt, config: ModelConfig) -> None:
    """Something that is no answer is worth one more attempt and no third."""
    inner = scripted(*[ProviderGarbled("html", lost_calls=1) for _ in range(4)])
    with pytest.raises(ProviderGarbled) as caught:
        await Retry(inner, 4, StopSignal()).complete(prompt, config)
    assert (inner.calls, caught.value.attempts, caught.value.lost_calls) == (2, 2, 2)


async def test_answer_says_what_it_took(prompt: Prompt, config: ModelConfig) -> None:
    """An answer that came at the third attempt says so, and how many calls may be billed in vain."""
    inner = scripted(ProviderTimeout("slow"), ProviderBusy("busy", 0.0))
    got = await Retry(inner, 4, InstantStop()).complete(prompt, config)
    assert (got.attempts, got.usage.lost_calls) == (3, 1)


async def test_waits_grow_and_are_told_by_the_provider(prompt: Prompt, config: ModelConfig) -> None:
    """The wait before another attempt is the one that was asked for, else a random one that may be longer each time."""
    stop = InstantStop()
    lines = [ProviderBusy("a", 7.0), ProviderBusy("b"), ProviderBusy("c", slow_down=True)]
    await Retry(scripted(*lines), 4, stop).complete(prompt, config)
    assert stop.waits[0] == 7.0
    assert 0 <= stop.waits[1] <= 1.0
    assert 0 <= stop.waits[2] <= 8.0


class Line:
    """A breaker over a script, called one after the other."""

    def __init__(self, prompt: Prompt, config: ModelConfig, *lines: Any) -> None:
        self._prompt, self._config = prompt, config
        self._breaker = CircuitBreaker(scripted(*lines))

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
    """A call that fails in all its attempts before anything was answered means that the provider is down."""
    line = Line(prompt, config, error)
    assert await line.next() is ProviderDown


async def test_provider_that_answered_is_down_at_the_third_failure_in_a_row(
    prompt: Prompt, config: ModelConfig
) -> None:
    """Once something was answered it takes three failed calls without an answer between them."""
    lost = [ProviderUnreachable("x") for _ in range(5)]
    line = Line(prompt, config, answer(), *lost[:2], answer(), *lost[2:])
    assert (await line.next()).text == "answer"
    assert [await line.next() for _ in range(2)] == [ProviderUnreachable] * 2
    assert (await line.next()).text == "answer"
    assert [await line.next() for _ in range(3)] == [ProviderUnreachable, ProviderUnreachable, ProviderDown]


async def test_foreign_answers_to_one_call_stop_the_run(prompt: Prompt, config: ModelConfig) -> None:
    """What is not the API's, twice for the same call with no other answer, means that something stands in the way."""
    twice = ProviderGarbled("html", attempts=2)
    line = Line(prompt, config, answer(), ProviderGarbled("html", attempts=1), twice)
    await line.next()
    assert [await line.next() for _ in range(2)] == [ProviderGarbled, ProviderDown]


async def test_same_refusal_three_times_in_a_row_stops_the_run(prompt: Prompt, config: ModelConfig) -> None:
    """A request refused three times with the same words will be refused for ever."""
    line = Line(prompt, config, *[ProviderError("bad schema") for _ in range(3)])
    assert [await line.next() for _ in range(3)] == [ProviderError, ProviderError, ProviderDown]


async def test_one_bad_listing_does_not_stop_a_run_that_works(prompt: Prompt, config: ModelConfig) -> None:
    """After good answers, one listing whose seats are all refused alike is that listing's trouble; two are everybody's."""
    line = Line(prompt, config, answer(), *[ProviderError("too long") for _ in range(6)])
    await line.next()
    assert [await line.next("A") for _ in range(5)] == [ProviderError] * 5
    assert await line.next("B") is ProviderDown


async def test_different_refusals_do_not_add_up(prompt: Prompt, config: ModelConfig) -> None:
    """Refusals with other words each time concern one call each."""
    line = Line(prompt, config, *[ProviderError(f"bad {n}") for n in range(6)])
    assert [await line.next() for _ in range(6)] == [ProviderError] * 6


async def test_what_was_spent_in_vain_stays_with_the_error(prompt: Prompt, config: ModelConfig) -> None:
    """The error that stops the run still says how many calls were made and how many may be billed."""
    breaker = CircuitBreaker(scripted(ProviderTimeout("slow", attempts=4, lost_calls=4)))
    with pytest.raises(ProviderDown, match=r"slow \(it seems to be down\)") as caught:
        await breaker.complete(prompt, config)
    assert (caught.value.attempts, caught.value.lost_calls) == (4, 4)


@pytest.mark.parametrize("error", [OverBudget("not covered"), CallNotMade("interrupted")])
async def test_calls_that_were_not_made_do_not_mean_that_it_is_down(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    """However often a call is not made, before anything was answered and for any listing, the provider is not down."""
    line = Line(prompt, config, *[error] * 4)
    assert [await line.next(f"LISTING {n}") for n in range(4)] == [type(error)] * 4
    assert (await line.next()).text == "answer"
