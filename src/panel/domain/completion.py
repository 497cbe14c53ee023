"""What a provider is asked with and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from panel.domain.base import Frozen
from panel.domain.finish import Finish

__all__ = ["Completion", "Effort", "Finish", "ModelConfig", "Usage"]

Tokens = Annotated[int, Field(ge=0)] | None


class Effort(StrEnum):
    """How long a reasoning model may think."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Usage(Frozen):
    """What a call consumed. Unknown figures are None, never 0.

    Attributes:
        input_tokens: all tokens read, cached ones included.
        cached_tokens: those of them that came from a cache.
        cache_write_tokens: those of them that were written to a cache.
        output_tokens: all tokens written, reasoning included.
        reasoning_tokens: those of them that were reasoning.
        cost_usd: price in US dollars.
    """

    input_tokens: Tokens = None
    cached_tokens: Tokens = None
    cache_write_tokens: Tokens = None
    output_tokens: Tokens = None
    reasoning_tokens: Tokens = None
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    def __add__(self, other: Usage) -> Usage:
        """Add two usages; a figure that either lacks is lacking in the sum."""
        mine, theirs = dict(self), dict(other)
        return Usage(**{name: _sum(mine[name], theirs[name]) for name in mine})


class ModelConfig(Frozen):
    """Everything beside the prompt that can change an answer.

    Attributes:
        model: the provider's name of the model.
        max_output_tokens: limit on what is written, reasoning included.
        effort: how long a reasoning model may think.
        seed: seed for models that take one.
    """

    model: str
    max_output_tokens: Annotated[int, Field(ge=256, le=64_000)] = 4_000
    effort: Effort = Effort.LOW
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Completion(Frozen):
    """A provider's answer, paid for whether or not it can be used.

    Attributes:
        text: what the model wrote, unchanged.
        finish: why it stopped.
        provider: who answered, such as `openai`.
        model: the model that answered, in the provider's words.
        usage: what it consumed.
        request_id: the provider's name of the call, to ask its support about.
        detail: the provider's or the model's own words about a refusal.
    """

    text: str
    finish: Finish
    provider: str
    model: str
    usage: Usage = Usage()
    request_id: str | None = None
    detail: str | None = None


def _sum(mine: float | None, theirs: float | None) -> float | None:
    return None if mine is None or theirs is None else mine + theirs
