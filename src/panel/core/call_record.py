"""What is kept of a question that was paid for: the answer, or that there was none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from panel.core.base import Frozen, digest_of
from panel.core.completion import Completion
from panel.errors import ProviderError, ProviderTimeout

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt


class Failure(Frozen):
    """A call that brought no answer."""

    kind: Literal["timeout", "down", "error"]
    message: str
    attempts: int
    lost_calls: int

    @classmethod
    def of(cls, error: ProviderError) -> Failure:
        """Return what is kept of an error."""
        kinds: dict[str, Literal["timeout", "down"]] = {"ProviderTimeout": "timeout", "ProviderDown": "down"}
        return cls(
            kind=kinds.get(type(error).__name__, "error"),
            message=str(error),
            attempts=error.attempts,
            lost_calls=error.lost_calls,
        )

    @property
    def error(self) -> ProviderError:
        """The error again; but a provider that was down then keeps nothing from being asked now."""
        kind = ProviderTimeout if self.kind == "timeout" else ProviderError
        return kind(self.message, attempts=self.attempts, lost_calls=self.lost_calls)


class CallKey(Frozen):
    """One question to one model.

    Attributes:
        key: digest of all that can change the answer: the question, what it is asked with, and who is asked where; 64
            hexadecimal digits.
        run: the run it is asked for, if any.
        label: the seat and how often it was asked, for people to read, such as `smollm3.builder.1`.
        provider: who is asked.
        model: the provider's name of the model.
        prompt_digest: digest of the prompt.
        worst_usd: what one call may cost at most, in US dollars; None if the price is unknown.
        most_calls: calls that may be made for it at most, all attempts together.
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
        """Return the step of a question that is put to a provider, wherever that answers."""
        digest = prompt.digest
        return cls(
            key=_key_of(digest, config, provider, base_url),
            label=f"{prompt.label}.{prompt.ask}",
            provider=provider,
            model=config.model,
            prompt_digest=digest,
        )


class CallRecord(Frozen):
    """What one question brought: an answer or a failure."""

    key: str
    completion: Completion | None = None
    failure: Failure | None = None


def _key_of(prompt_digest: str, config: ModelConfig, provider: str, base_url: str | None) -> str:
    return digest_of([prompt_digest, config.model_dump(mode="json"), provider, base_url])
