"""Providers that play a part in the tests of their wrappers, and a halt that does not really wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, Finish, Usage
from panel.providers.base import Provider, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt


class Unhurried(StopSignal):
    """A halt whose waits end at once, and are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class Scripted(Provider):
    """Does what each line says, one line a call: raises an error, returns a completion, awaits an event and answers."""

    name = "scripted"

    def __init__(self, *lines: Any) -> None:
        self.lines = list(lines)
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:  # noqa: ARG002 - its part is written
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._act(self.lines.pop(0) if self.lines else None)
        finally:
            self.in_flight -= 1

    async def _act(self, line: Any) -> Completion:
        await asyncio.sleep(0)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, asyncio.Event):
            await line.wait()
        return line if isinstance(line, Completion) else answer()

    async def aclose(self) -> None:
        self.closed = True


def answer(text: str = "answer", **more: Any) -> Completion:
    usage = more.pop("usage", Usage(input_tokens=10, output_tokens=2))
    return Completion(
        text=text, finish=Finish.COMPLETE, provider="scripted", model="m-1", usage=usage, **more
    )


async def until(true: Callable[[], bool]) -> None:
    """Let other tasks run until something is so."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
