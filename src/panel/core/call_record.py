"""Records of calls: what was asked, and the answer or the failure."""

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
        """Return the record of an error."""
        kinds: dict[str, Literal["timeout", "down"]] = {"ProviderTimeout": "timeout", "ProviderDown": "down"}
        return cls(
            kind=kinds.get(type(error).__name__, "error"),
            message=str(error),
            attempts=error.attempts,
            lost_calls=error.lost_calls,
        )

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
