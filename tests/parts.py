"""A scripted mock for tests of middleware, and a stop signal that does not really wait."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.providers.base import StopSignal
from panel.providers.mock import MockProvider

if TYPE_CHECKING:
    from collections.abc import Callable


class Unhurried(StopSignal):
    """A stop signal whose waits end at once, and are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


def scripted(*steps: Any) -> MockProvider:
    """Return a mock that takes the steps, one a call, and then gives the same plain answer for ever."""
    return MockProvider(chain(steps, repeat(answer())), name="scripted")


def answer(text: str = "answer", **more: Any) -> Completion:
    usage = more.pop("usage", Usage(input_tokens=10, output_tokens=2))
    return Completion(
        text=text, finish=FinishReason.COMPLETE, provider="scripted", model="m-1", usage=usage, **more
    )


async def until(true: Callable[[], bool]) -> None:
    """Let other tasks run until something is so."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
