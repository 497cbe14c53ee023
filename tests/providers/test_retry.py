from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.errors import (
    CallNotMade,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
)
from panel.providers.base import StopSignal
from panel.providers.middleware.retry import Retry
from parts import Unhurried, scripted

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
    got = await Retry(inner, 4, Unhurried()).complete(prompt, config)
    assert (got.attempts, got.usage.lost_calls) == (3, 1)


async def test_waits_grow_and_are_told_by_the_provider(prompt: Prompt, config: ModelConfig) -> None:
    """The wait before another attempt is the one that was asked for, else a random one that may be longer each time."""
    stop = Unhurried()
    lines = [ProviderBusy("a", 7.0), ProviderBusy("b"), ProviderBusy("c", slow_down=True)]
    await Retry(scripted(*lines), 4, stop).complete(prompt, config)
    assert stop.waits[0] == 7.0
    assert 0 <= stop.waits[1] <= 1.0
    assert 0 <= stop.waits[2] <= 8.0
