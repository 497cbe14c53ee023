"""What is kept of a question that was paid for: the answer, or that there was none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from panel.domain.base import Frozen, digest_of
from panel.domain.completion import Completion
from panel.errors import ProviderError, ProviderTimeout

if TYPE_CHECKING:
    from panel.domain.completion import ModelConfig
    from panel.domain.prompt import Prompt


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


class Entry(Frozen):
    """What one question brought: an answer or a failure."""

    key: str
    completion: Completion | None = None
    failure: Failure | None = None


def key_of(prompt: Prompt, config: ModelConfig) -> str:
    """Return the digest of a question and of what it is asked with."""
    return digest_of([prompt.digest, config.model_dump(mode="json")])
