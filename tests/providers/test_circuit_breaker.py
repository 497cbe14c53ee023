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
from panel.providers.middleware.retry import CircuitBreaker
from parts import answer, scripted

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio


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
