"""What a provider is asked with and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from panel.core.base import Frozen
from panel.core.finish import Finish

__all__ = [
    "Completion",
    "Effort",
    "Finish",
    "ModelConfig",
    "ModelRef",
    "Probabilities",
    "RateLimits",
    "Usage",
    "Verbosity",
]

Tokens = Annotated[int, Field(ge=0)] | None


class Effort(StrEnum):
    """How long a reasoning model may think."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Verbosity(StrEnum):
    """How much a model writes, where its provider lets that be set."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Usage(Frozen):
    """What calls consumed. Unknown figures are None, never 0.

    Attributes:
        input_tokens: all tokens read, cached ones included.
        cached_tokens: those of them that came from a cache.
        cache_write_tokens: those of them that were written to a cache.
        output_tokens: all tokens written, reasoning included.
        reasoning_tokens: those of them that were reasoning.
        cost_usd: price in US dollars.
        estimated: whether figures were estimated from the text because the provider gave none.
        lost_calls: calls whose answer never came although they may have been billed; not in the other figures.
    """

    input_tokens: Tokens = None
    cached_tokens: Tokens = None
    cache_write_tokens: Tokens = None
    output_tokens: Tokens = None
    reasoning_tokens: Tokens = None
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    estimated: bool = False
    lost_calls: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def lost(cls, calls: int) -> Usage:
        """Return the usage of calls that brought no answer: nothing that is known of."""
        return cls(**dict.fromkeys(_FIGURES, 0), lost_calls=calls)

    def __add__(self, other: Usage) -> Usage:
        """Add two usages; a figure that either lacks is lacking in the sum."""
        figures = {name: _sum(getattr(self, name), getattr(other, name)) for name in _FIGURES}
        return Usage(
            **figures,
            estimated=self.estimated or other.estimated,
            lost_calls=self.lost_calls + other.lost_calls,
        )


class ModelConfig(Frozen):
    """Everything beside the prompt that can change an answer.

    Attributes:
        model: the provider's name of the model.
        max_output_tokens: limit on what is written, reasoning included.
        effort: how long a reasoning model may think.
        verbosity: how much a model writes, where that can be set.
        seed: seed for models that take one.
    """

    model: str
    max_output_tokens: Annotated[int, Field(ge=256, le=64_000)] = 4_000
    effort: Effort = Effort.LOW
    verbosity: Verbosity = Verbosity.LOW
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class ModelRef(Frozen):
    """Whom a seat's questions go to.

    Attributes:
        provider: who is asked, such as `openai`.
        config: the model and its parameters.
        prompts: digest of the prompt templates.
    """

    provider: str
    config: ModelConfig
    prompts: str

    @property
    def model(self) -> str:
        """The model as `provider:model`."""
        return f"{self.provider}:{self.config.model}"


class Probabilities(Frozen):
    """What the model's own token probabilities say beside its answer; None where they do not tell.

    The idea is G-Eval's (Liu et al. 2023): the mean of the scores that a model could have written, weighted by how likely it
    was to write each, instead of the one that was drawn.

    Attributes:
        expected_score: that mean, 0-100.
        ship: probability of the verdict `ship`, given all that was written before it, 0-1.
    """

    expected_score: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    ship: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


class RateLimits(Frozen):
    """What a provider says about its rate limits; None where it says nothing.

    Attributes:
        requests_per_minute: requests allowed.
        requests_left: requests left of them.
        requests_reset: seconds until all are back.
        tokens_per_minute: tokens allowed.
        tokens_left: tokens left of them.
        tokens_reset: seconds until all are back.
    """

    requests_per_minute: int | None = None
    requests_left: int | None = None
    requests_reset: float | None = None
    tokens_per_minute: int | None = None
    tokens_left: int | None = None
    tokens_reset: float | None = None


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
        attempts: calls that were made for it, this one included.
        probabilities: what the tokens' probabilities say, where the provider tells them.
        limits: what the provider said about its rate limits; not kept.
    """

    text: str
    finish: Finish
    provider: str
    model: str
    usage: Usage = Usage()
    request_id: str | None = None
    detail: str | None = None
    attempts: Annotated[int, Field(ge=1)] = 1
    probabilities: Probabilities | None = None
    limits: Annotated[RateLimits | None, Field(exclude=True)] = None


_FIGURES = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
)


def _sum(mine: float | None, theirs: float | None) -> float | None:
    return None if mine is None or theirs is None else mine + theirs
