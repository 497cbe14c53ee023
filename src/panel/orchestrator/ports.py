"""What the orchestrator needs from outside, as protocols: its caller passes them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.completion import ModelConfig
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.providers.base import Provider
    from panel.providers.middleware.base import WorstCase


class Prompts(Protocol):
    """Makes the questions."""

    @property
    def digest(self) -> str:
        """The sha256 of the templates, which tells versions of the prompts apart."""
        ...

    def take(self, tool: Tool, persona: Persona) -> Prompt:
        """Return the question that a seat is asked first."""
        ...

    def reask(self, tool: Tool, persona: Persona, reply: str, problems: Sequence[str]) -> Prompt:
        """Return the question that follows a reply that could not be used."""
        ...


class Observer(Protocol):
    """Is told how a review goes, seat by seat; must not block."""

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Tell that a seat was asked."""
        ...

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Tell that a seat's reply could not be used, and why."""
        ...

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Tell what a seat ended with."""
        ...


@dataclass(frozen=True, slots=True)
class SeatModel:
    """Whom a seat's questions go to, and how they are put.

    Attributes:
        provider: who answers.
        prompts: makes the questions that suit its models.
        config: the model and its parameters.
        worst: tells the most that a call of this model can cost; None if nobody wants to know.
    """

    provider: Provider
    prompts: Prompts
    config: ModelConfig
    worst: WorstCase | None = None
