"""Calls to a model: its configuration, its answer with usage and cost, and the record of a call."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from panel.core.finish_reason import FinishReason
from panel.core.frozen import Frozen, digest_of
from panel.errors import ProviderDown, ProviderError, ProviderTimeout

if TYPE_CHECKING:
    from panel.core.prompt import Prompt

__all__ = [
    "CallKey",
    "CallRecord",
    "Completion",
    "Effort",
    "Failure",
    "FinishReason",
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
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in _FIGURES}
        figures = {name: None if None in pair else sum(pair) for name, pair in pairs.items()}
        return Usage(
            **figures,
            estimated=self.estimated or other.estimated,
            lost_calls=self.lost_calls + other.lost_calls,
        )


_FIGURES = [name for name in Usage.model_fields if name.endswith("_tokens")] + ["cost_usd"]


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
    finish: FinishReason
    provider: str
    model: str
    usage: Usage = Usage()
    request_id: str | None = None
    detail: str | None = None
    attempts: Annotated[int, Field(ge=1)] = 1
    probabilities: Probabilities | None = None
    limits: Annotated[RateLimits | None, Field(exclude=True)] = None


class Failure(Frozen):
    """A call that brought no answer."""

    kind: Literal["timeout", "down", "error"]
    message: str
    attempts: int
    lost_calls: int

    @classmethod
    def of(cls, error: ProviderError) -> Failure:
        """Return the record of an error."""
        kind: Literal["timeout", "down", "error"] = "error"
        if isinstance(error, ProviderTimeout):
            kind = "timeout"
        elif isinstance(error, ProviderDown):
            kind = "down"
        return cls(kind=kind, message=str(error), attempts=error.attempts, lost_calls=error.lost_calls)

    @property
    def error(self) -> ProviderError:
        """The error again. A provider that was down then may answer now, so it does not stop the run."""
        kind = ProviderTimeout if self.kind == "timeout" else ProviderError
        return kind(self.message, attempts=self.attempts, lost_calls=self.lost_calls)


class CallKey(Frozen):
    """The identity of a call: one prompt to one model.

    `key` is the digest of everything that can change the answer; `label` names seat and ask: `smollm3.builder.1`. `worst_usd` is the highest
    cost of one call (None if the price is unknown), and `most_calls` the number of calls at most, all attempts together.
    """

    key: str
    run: int | None = None
    label: str
    provider: str
    model: str
    prompt_digest: str
    worst_usd: float | None = None
    most_calls: int = 1

    @classmethod
    def of(cls, prompt: Prompt, config: ModelConfig, provider: str, base_url: str | None = None) -> CallKey:
        """Return the key of a call; `base_url` is None for the vendor's own address."""
        digest = prompt.digest
        return cls(
            key=digest_of([digest, config.model_dump(mode="json"), provider, base_url]),
            label=f"{prompt.label}.{prompt.ask}",
            provider=provider,
            model=config.model,
            prompt_digest=digest,
        )


class CallRecord(Frozen):
    """The outcome of a call: an answer or a failure."""

    key: str
    completion: Completion | None = None
    failure: Failure | None = None
