"""Completions: a provider's answers, the configuration of the model, and the usage."""

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
    """Tokens and US dollars that calls consumed. Unknown figures are None, never 0.

    Input includes cached tokens, and output those of reasoning. `estimated` tokens were counted from the text because the provider gave none.
    `lost_calls` got no answer but may be billed; they are in no other figure.
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
        """Return the usage of calls that got no answer but may be billed."""
        return cls(**dict.fromkeys(_FIGURES, 0), lost_calls=calls)

    def __add__(self, other: Usage) -> Usage:
        """Add two usages. A figure that is unknown in one of them is unknown in the sum."""
        figures = {name: _sum(getattr(self, name), getattr(other, name)) for name in _FIGURES}
        return Usage(
            **figures,
            estimated=self.estimated or other.estimated,
            lost_calls=self.lost_calls + other.lost_calls,
        )


class ModelConfig(Frozen):
    """The model, by its provider's name, and its parameters: all that can change an answer beside the prompt.

    `max_output_tokens` includes reasoning; `verbosity` and `seed` are used by the providers that support them.
    """

    model: str
    max_output_tokens: Annotated[int, Field(ge=256, le=64_000)] = 4_000
    effort: Effort = Effort.LOW
    verbosity: Verbosity = Verbosity.LOW
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class ModelRef(Frozen):
    """A reference to a model as reports state it; `prompts` is the digest of the prompt templates."""

    provider: str
    config: ModelConfig
    prompts: str

    @property
    def model(self) -> str:
        """The model as `provider:model`."""
        return f"{self.provider}:{self.config.model}"


class Probabilities(Frozen):
    """The embedded model's score and verdict as probabilities. Reviews by version 0.1.0 have them from hosted models, too.

    `expected_score` is the mean of the possible scores, weighted by their probabilities, 0-100 (G-Eval, Liu et al. 2023); `ship` the
    probability of that verdict, 0-1.
    """

    expected_score: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    ship: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


class RateLimits(Frozen):
    """The rate limits in a provider's response headers; None where it states none. Resets are in seconds."""

    requests_per_minute: int | None = None
    requests_left: int | None = None
    requests_reset: float | None = None
    tokens_per_minute: int | None = None
    tokens_left: int | None = None
    tokens_reset: float | None = None


class Completion(Frozen):
    """A provider's answer, paid for whether or not it can be used.

    `text` is the model's output, unchanged; `detail` explains a refusal; `attempts` counts the calls made, the successful one included. `limits`
    are not stored.
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
