from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from panel.domain.completion import Completion, Finish
from panel.errors import ProviderBusy, ProviderDown, ProviderError, ProviderTimeout
from panel.providers.base import Halt, Provider
from panel.providers.faults import retry_after
from panel.providers.middleware import Timed
from panel.providers.retrying import Retrying

if TYPE_CHECKING:
    from panel.domain.completion import ModelConfig
    from panel.domain.prompt import Prompt

pytestmark = pytest.mark.anyio


class Scripted(Provider):
    """Raises what it is given, one error a call, and then answers."""

    name = "scripted"

    def __init__(self, *errors: ProviderError) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.closed = False

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return Completion(text=prompt.own, finish=Finish.COMPLETE, provider=self.name, model=config.model)

    async def aclose(self) -> None:
        self.closed = True


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
    assert (await Retrying(inner, 4, Halt()).complete(prompt, config)).text == "SEAT"
    assert inner.calls == 4


async def test_attempts_are_bounded(prompt: Prompt, config: ModelConfig) -> None:
    """After the last attempt the provider's own error comes through."""
    inner = Scripted(*busy(9))
    with pytest.raises(ProviderBusy, match="busy"):
        await Retrying(inner, 4, Halt()).complete(prompt, config)
    assert inner.calls == 4


@pytest.mark.parametrize("error", [ProviderDown("key"), ProviderError("bad")])
async def test_other_faults_are_not_repeated(
    error: ProviderError, prompt: Prompt, config: ModelConfig
) -> None:
    """A fault that another attempt cannot mend is not repeated."""
    inner = Scripted(error)
    with pytest.raises(type(error)):
        await Retrying(inner, 4, Halt()).complete(prompt, config)
    assert inner.calls == 1


async def test_call_has_a_limit_by_the_wall_clock(prompt: Prompt, config: ModelConfig) -> None:
    """A provider that never answers ends as a timeout that names it."""
    with pytest.raises(ProviderTimeout, match="hanging did not answer"):
        await Timed(Hanging(), seconds=0.01).complete(prompt, config)


async def test_wrappers_keep_the_name_and_close_what_they_wrap() -> None:
    """Wrappers are seen through: same name, and closing them closes the adapter."""
    inner = Scripted()
    wrapped = Retrying(Timed(inner, seconds=1), 2, Halt())
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
        ({}, None),
    ],
)
def test_only_sensible_waits_are_kept(headers: dict[str, str], seconds: float | None) -> None:
    """A wait that is negative, not a number or not there is unknown."""
    assert retry_after(headers) == seconds
