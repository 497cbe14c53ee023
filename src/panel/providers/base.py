"""The one protocol that all providers and their wrappers follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel.domain.completion import Completion, ModelConfig
    from panel.domain.prompt import Prompt


class Provider(ABC):
    """Something that answers prompts. Adapters and wrappers subclass it for its defaults.

    Attributes:
        name: who answers, such as `openai`.
        scaffolded: whether the model is too weak for the full instructions and wants the short
            prompt with its scaffold.
    """

    name: str
    scaffolded: bool = False

    @abstractmethod
    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt.

        What the model does, a refusal or a cut-off answer included, is a value. Raises:
            ProviderTimeout: no answer came in time.
            ProviderBusy: the same call may succeed later.
            ProviderDown: no call can succeed until somebody acts.
            ProviderError: this call failed for good.
        """

    async def aclose(self) -> None:  # noqa: B027 - most providers hold nothing
        """Give connections and memory back. Does nothing by default."""
