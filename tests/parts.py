"""A provider that answers from a script, and a stop signal whose waits take no time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from inspect import isawaitable
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.core.prompt import estimate_tokens
from panel.providers.base import Provider, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

    Script = Callable[[Prompt], Any] | Mapping[str, Iterable[Any]] | Iterable[Any]


class InstantStop(StopSignal):
    """A stop signal whose waits end at once and are recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class ScriptedProvider(Provider):
    """Answers from a script: a list of steps, one for each call; lists of steps by the label of the prompt; or a function of the prompt.

    A step is a text, which becomes the model's reply; a `Completion`; an exception, which is raised; an awaitable, whose result is the
    step; or an `asyncio.Event`, which is waited for before a plain answer.
    """

    def __init__(self, script: Script, *, name: str = "scripted") -> None:
        self.name = name
        self.asked: list[tuple[Prompt, ModelConfig]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False
        self._next_step = _stepper(script)

    @property
    def calls(self) -> int:
        return len(self.asked)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        self.asked.append((prompt, config))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)  # other calls may begin, as they would over a network
            step = self._next_step(prompt)
            if isinstance(step, asyncio.Event):
                await step.wait()
                step = "answer"
            if isawaitable(step):
                step = await step
        finally:
            self.in_flight -= 1
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Completion):
            return step
        usage = Usage(input_tokens=prompt.estimated_tokens, output_tokens=estimate_tokens(step))
        return Completion(
            text=step, finish=FinishReason.COMPLETE, provider=self.name, model=config.model, usage=usage
        )

    async def aclose(self) -> None:
        self.closed = True


def _stepper(script: Script) -> Callable[[Prompt], Any]:
    if callable(script):
        return script
    if not isinstance(script, Mapping):
        steps = iter(script)
        return lambda _prompt: next(steps)
    lists = {label: iter(steps) for label, steps in script.items()}
    return lambda prompt: next(lists[prompt.label])


def scripted(*steps: Any) -> ScriptedProvider:
    """Return a provider that takes the steps, one a call, and then gives the same plain answer for ever."""
    return ScriptedProvider(chain(steps, repeat(answer())))


def answer(text: str = "answer", **more: Any) -> Completion:
    usage = more.pop("usage", Usage(input_tokens=10, output_tokens=2))
    return Completion(
        text=text, finish=FinishReason.COMPLETE, provider="scripted", model="m-1", usage=usage, **more
    )


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until a condition is true."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
