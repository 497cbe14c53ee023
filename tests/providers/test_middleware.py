from __future__ import annotations

import asyncio
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
from panel.providers.base import Provider, StopSignal
from panel.providers.http_errors import retry_after
from panel.providers.middleware.base import Timed
from panel.providers.middleware.retry import Retrying
from parts import Scripted, Unhurried

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio


class Hanging(Provider):
    """Never answers."""

    name = "hanging"

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        await asyncio.Event().wait()
        raise AssertionError(prompt, config)


def busy(times: int) -> list[ProviderBusy]:
    return [ProviderBusy("busy", retry_after=0.0) for _ in range(times)]


async def test_busy_provider_is_asked_again(prompt: Prompt, config: ModelConfig) -> None:
    """A call that found the provider busy is made again until it succeeds."""
    inner = Scripted(*busy(3))
    assert (await Retrying(inner, 4, StopSignal()).complete(prompt, config)).text == "answer"
    assert inner.calls == 4


async def test_attempts_are_bounded(prompt: Prompt, config: ModelConfig) -> None:
    """After the last attempt the provider's own error comes through."""
    inner = Scripted(*busy(9))
    with pytest.raises(ProviderBusy, match="busy"):
        await Retrying(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 4


@pytest.mark.parametrize("error", [ProviderDown("key"), ProviderError("bad")])
async def test_other_faults_are_not_repeated(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    """A fault that another attempt cannot mend is not repeated."""
    inner = Scripted(error)
    with pytest.raises(type(error)):
        await Retrying(inner, 4, StopSignal()).complete(prompt, config)
    assert inner.calls == 1


async def test_call_has_a_limit_by_the_wall_clock(prompt: Prompt, config: ModelConfig) -> None:
    """A provider that never answers ends as a timeout that names it."""
    with pytest.raises(ProviderTimeout, match="hanging did not answer"):
        await Timed(Hanging(), seconds=0.01).complete(prompt, config)


async def test_wrappers_keep_the_name_and_close_what_they_wrap() -> None:
    """Wrappers are seen through: same name, and closing them closes the adapter."""
    inner = Scripted()
    wrapped = Retrying(Timed(inner, seconds=1), 2, StopSignal())
    await wrapped.aclose()
    assert wrapped.name == "scripted"
    assert inner.closed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2020 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"}, None),
        ({}, None),
    ],
)
def test_only_sensible_waits_are_kept(headers: dict[str, str], seconds: float | None) -> None:
    """A wait that is negative, not a number or not there is unknown."""
    assert retry_after(headers) == seconds


async def test_halt_between_attempts_leaves_the_failure(prompt: Prompt, config: ModelConfig) -> None:
    """A call that is not made again because of a halt ends with what went wrong, not with the halt."""
    inner = Scripted(ProviderBusy("overloaded", 0.0), CallNotMade("not asked: interrupted"))
    with pytest.raises(ProviderBusy, match="overloaded") as caught:
        await Retrying(inner, 4, StopSignal()).complete(prompt, config)
    assert caught.value.attempts == 1


async def test_garbled_answers_are_asked_for_once_more(prompt: Prompt, config: ModelConfig) -> None:
    """Something that is no answer is worth one more attempt and no third."""
    inner = Scripted(*[ProviderGarbled("html", lost_calls=1) for _ in range(4)])
    with pytest.raises(ProviderGarbled) as caught:
        await Retrying(inner, 4, StopSignal()).complete(prompt, config)
    assert (inner.calls, caught.value.attempts, caught.value.lost_calls) == (2, 2, 2)


async def test_answer_says_what_it_took(prompt: Prompt, config: ModelConfig) -> None:
    """An answer that came at the third attempt says so, and how many calls may be billed in vain."""
    inner = Scripted(ProviderTimeout("slow"), ProviderBusy("busy", 0.0))
    got = await Retrying(inner, 4, Unhurried()).complete(prompt, config)
    assert (got.attempts, got.usage.lost_calls) == (3, 1)


async def test_waits_grow_and_are_told_by_the_provider(prompt: Prompt, config: ModelConfig) -> None:
    """The wait before another attempt is the one that was asked for, else a random one that may be longer each time."""
    halt = Unhurried()
    lines = [ProviderBusy("a", 7.0), ProviderBusy("b"), ProviderBusy("c", slow_down=True)]
    await Retrying(Scripted(*lines), 4, halt).complete(prompt, config)
    assert halt.waits[0] == 7.0
    assert 0 <= halt.waits[1] <= 1.0
    assert 0 <= halt.waits[2] <= 8.0
