"""A provider that plays a part, and an observer that remembers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, Finish, Usage
from panel.providers.base import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panel.core.completion import ModelConfig
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.take import Seat
    from panel.core.tool import Tool

TAKE = (
    "The primitive is clear and the defaults are sane, but there is no export and the price assumes a team."
)


def reply(verdict: Any = "ship", score: Any = 70, take: Any = TAKE, **more: Any) -> str:
    """Return a model's JSON answer."""
    return json.dumps({"verdict": verdict, "score": score, "take": take, **more}, ensure_ascii=False)


def completion(text: str, finish: Finish = Finish.COMPLETE, **more: Any) -> Completion:
    """Return a completion that used 100 tokens to say it."""
    usage = Usage(input_tokens=90, output_tokens=10)
    return Completion(
        text=text, finish=finish, provider="actor", model="m-1", usage=usage, request_id="r", **more
    )


class Actor(Provider):
    """Answers each prompt by its part: a function, or lines by label that are used up one a call."""

    name = "actor"

    def __init__(self, part: Callable[[Prompt], Any] | dict[str, list[Any]]) -> None:
        self._part = part
        self.asked: list[tuple[Prompt, ModelConfig]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer, fail, or wait, as the part says."""
        self.asked.append((prompt, config))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            return await self._act(prompt)
        finally:
            self.in_flight -= 1

    async def _act(self, prompt: Prompt) -> Completion:
        line = self._part[prompt.label].pop(0) if isinstance(self._part, dict) else self._part(prompt)
        if asyncio.iscoroutine(line):
            line = await line
        if isinstance(line, Exception):
            raise line
        return completion(line) if isinstance(line, str) else line


class Memory:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Any]] = []

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Remember that a seat was asked."""
        self.events.append(("asked", f"{tool.slug}.{persona.id}", None))

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Remember that a seat was asked again, and why."""
        self.events.append(("asked again", f"{tool.slug}.{persona.id}", list(problems)))

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Remember what a seat ended with."""
        self.events.append(("answered", f"{tool.slug}.{seat.persona}", seat.outcome))
