"""Replies of models, and an observer that remembers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.orchestrator.seat import Observer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool

TAKE = (
    "The primitive is clear and the defaults are sane, but there is no export and the price assumes a team."
)


def reply(verdict: Any = "ship", score: Any = 70, take: Any = TAKE, **more: Any) -> str:
    """Return a model's JSON answer."""
    return json.dumps({"verdict": verdict, "score": score, "take": take, **more}, ensure_ascii=False)


def completion(text: str, finish: FinishReason = FinishReason.COMPLETE, **more: Any) -> Completion:
    """Return a completion that used 100 tokens to say it."""
    usage = Usage(input_tokens=90, output_tokens=10)
    return Completion(
        text=text, finish=finish, provider="mock", model="m-1", usage=usage, request_id="r", **more
    )


class Memory(Observer):
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
